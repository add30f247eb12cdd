// The whole run on one line: who led, what befell whom, and which part of it is in view.

import { brushX, type BrushBehavior, type D3BrushEvent } from "d3-brush";
import { scaleLinear } from "d3-scale";
import { select } from "d3-selection";
import type { Trace } from "../model/trace";
import type { View } from "../view";
import { fillRole } from "./bands";
import type { Stage } from "./stage";
import { hatch } from "./theme";

const height = 44;
const leadTop = 4;
const leadHeight = 16;

export class Overview {
  private readonly canvas = document.querySelector<HTMLCanvasElement>("#overview canvas")!;
  private readonly svg = select(document.querySelector<SVGSVGElement>("#overview svg")!);
  private readonly brush: BrushBehavior<unknown>;
  private readonly x = scaleLinear();
  private width = 0;
  private ownMove = false;

  constructor(
    private readonly trace: Trace,
    private readonly stage: Stage,
    private readonly violation: number,
  ) {
    this.brush = brushX().on("brush end", (event: D3BrushEvent<unknown>) => {
      if (this.ownMove || !event.sourceEvent || !event.selection) return;
      const [left, right] = event.selection as [number, number];
      stage.show(this.x.invert(left), this.x.invert(right));
    });
  }

  draw(view: View, changed: Set<keyof View>): void {
    const width = this.canvas.parentElement!.clientWidth;
    if (width !== this.width || changed.has("open")) this.resize(width);
    if (!changed.has("from") && !changed.has("to")) return;
    const [first, last] = this.stage.wholeTime();
    this.canvas.parentElement!.classList.toggle("whole", view.to - view.from >= (last - first) * 0.999);
    this.ownMove = true;
    this.svg.select<SVGGElement>("g").call(this.brush.move, [this.x(view.from), Math.max(this.x(view.to), this.x(view.from) + 3)]);
    this.ownMove = false;
  }

  private resize(width: number): void {
    this.width = width;
    this.x.domain(this.stage.wholeTime()).range([0, width]);
    this.brush.extent([[0, 0], [width, height]]);
    this.svg.attr("width", width).attr("height", height).select<SVGGElement>("g").call(this.brush);
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const ctx = this.canvas.getContext("2d")!;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawAll(ctx);
  }

  private drawAll(ctx: CanvasRenderingContext2D): void {
    const { theme } = this.stage;
    const { trace, x } = this;
    ctx.clearRect(0, 0, this.width, height);
    ctx.fillStyle = theme.raised;
    ctx.fillRect(0, leadTop, this.width, leadHeight);
    ctx.font = "600 10.5px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    const leaders = trace.states.bands.flatMap((bands, r) => bands.filter((b) => b.role === "leader").map((b) => ({ ...b, name: trace.replicas[r] })));
    // Of two at a time the one of the higher term counts.
    for (const b of leaders.sort((a, c) => a.term - c.term)) {
      const [left, right] = [x(b.from), Math.max(x(b.to), x(b.from) + 1)];
      ctx.fillStyle = theme.ground;
      ctx.fillRect(left - 1, leadTop, 1, leadHeight);
      fillRole(ctx, { theme }, "leader", left, leadTop, right - left - 1, leadHeight);
      const fitting = [`${b.name} · term ${b.term}`, b.name].find((t) => ctx.measureText(t).width < right - left - 10);
      ctx.fillStyle = theme.ground;
      if (fitting) ctx.fillText(fitting, left + 5, leadTop + leadHeight / 2 + 0.5);
    }
    let textEnd = 0;
    ctx.font = "10.5px system-ui, sans-serif";
    for (const s of trace.stretches) {
      if (s.kind === "weather") continue;
      const [left, right] = [x(s.from), x(s.to)];
      ctx.fillStyle = s.kind === "partition" ? theme.warn : hatch(ctx, theme.muted, s.kind === "kill", 4);
      ctx.fillRect(left, 23, Math.max(2, right - left), 4);
      ctx.fillStyle = theme.ink;
      ctx.fillRect(left, 22, 1, 8);
      const text = s.kind === "partition" ? "partition" : `${s.replicas.map((r) => trace.replicas[r]).join(" ")} ${s.words}`;
      if (left < textEnd) continue;
      ctx.fillText(text, left, 36);
      textEnd = left + ctx.measureText(text).width + 8;
    }
    if (this.violation >= 0) {
      ctx.fillStyle = theme.wrong;
      ctx.fillRect(x(this.violation) - 1.5, 0, 3, height);
    }
  }
}
