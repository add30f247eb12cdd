// The names of lanes, beside the canvas: real buttons, so that they can be reached with the keyboard.

import { rooms, type Trace } from "../model/trace";
import type { Viewpoint } from "../view";
import { sizes, type Layout } from "./layout";

export class Gutter {
  constructor(
    private readonly element: HTMLElement,
    private readonly trace: Trace,
    private readonly viewpoint: Viewpoint,
  ) {}

  draw(layout: Layout): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset.replica;
    this.element.replaceChildren();
    this.element.style.height = `${layout.height}px`;
    this.label("world", layout.weatherTop, sizes.weather);
    layout.clients.forEach((name, i) => this.label(name, layout.clientsTop + i * sizes.client, sizes.client, "client"));
    for (const lane of layout.lanes) {
      this.button(lane.replica, lane.open, lane.top);
      if (lane.open) rooms.forEach((room, i) => this.label(room.replace("_", " "), lane.body + i * sizes.room, sizes.room, "room"));
    }
    if (focused) this.element.querySelector<HTMLElement>(`[data-replica="${focused}"]`)?.focus();
  }

  toggle(replica: number): void {
    const open = new Set(this.viewpoint.now.open);
    if (!open.delete(replica)) open.add(replica);
    this.viewpoint.set({ open });
  }

  private label(text: string, top: number, height: number, kind = ""): void {
    const label = document.createElement("div");
    label.textContent = text;
    label.className = kind;
    Object.assign(label.style, { top: `${top}px`, height: `${height}px`, lineHeight: `${height}px` });
    this.element.append(label);
  }

  private button(replica: number, open: boolean, top: number): void {
    const button = document.createElement("button");
    button.dataset.replica = String(replica);
    button.textContent = `${open ? "▾" : "▸"} ${this.trace.replicas[replica]}`;
    button.title = `${open ? "Fold" : "Unfold into"} actors (${replica + 1})`;
    button.setAttribute("aria-expanded", String(open));
    button.style.top = `${top - 1}px`;
    button.addEventListener("click", () => this.toggle(replica));
    this.element.append(button);
  }
}
