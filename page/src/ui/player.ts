// Lets time pass.

import type { Stage } from "./stage";
import type { Viewpoint } from "../view";
import { find } from "./dom";

const speeds = [0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10];

export class Player {
  private playing = false;
  private last = 0;
  private readonly button = find("#play");
  private readonly select = find<HTMLSelectElement>("#speed");

  constructor(
    private readonly viewpoint: Viewpoint,
    private readonly stage: Stage,
  ) {
    for (const s of speeds) this.select.append(new Option(s >= 1 ? `${s}×` : `1/${Math.round(1 / s)}×`, String(s)));
    this.select.value = "1";
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle(): void {
    this.playing = !this.playing;
    this.button.textContent = this.playing ? "❚❚" : "▶";
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    if (!this.playing) return;
    const [first, end] = this.stage.wholeTime();
    const { cursor } = this.viewpoint.now;
    this.viewpoint.set({ cursor: cursor >= end || cursor < first ? first : cursor, selected: -1 });
    this.last = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  faster(by: 1 | -1): void {
    const at = speeds.indexOf(Number(this.select.value)) + by;
    this.select.value = String(speeds[Math.max(0, Math.min(speeds.length - 1, at))]);
  }

  private tick(now: number): void {
    if (!this.playing) return;
    const passed = (now - this.last) * 1e6 * Number(this.select.value);
    this.last = now;
    const end = this.stage.wholeTime()[1];
    const cursor = Math.min(this.viewpoint.now.cursor + Math.max(0, passed), end);
    this.viewpoint.set({ cursor });
    const { from, to } = this.viewpoint.now;
    if (cursor > from + (to - from) * 0.8 && to < end) this.stage.show(cursor - (to - from) * 0.8, cursor + (to - from) * 0.2);
    if (cursor < from) this.stage.reveal(cursor);
    if (cursor >= end) return this.toggle();
    requestAnimationFrame((next) => this.tick(next));
  }
}
