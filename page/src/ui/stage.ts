// The time axis, and the canvas below it: moves, zooms, and tells everybody what to draw.

import { axisTop } from "d3-axis";
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { pointer, select, type Selection } from "d3-selection";
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior } from "d3-zoom";
import type { Trace } from "../model/trace";
import type { View, Viewpoint } from "../view";
import { fitted, type Layout } from "./layout";
import { readTheme, type Theme } from "./theme";

export interface Scene {
  ctx: CanvasRenderingContext2D;
  trace: Trace;
  view: View;
  layout: Layout;
  theme: Theme;
  width: number;
  x: ScaleLinear<number, number>;
}

/** No two events are closer than a nanosecond; this shows them well apart. */
const closest_ns = 2_000;

export class Stage {
  theme: Theme = readTheme();
  layout: Layout;
  width = 0;
  private readonly whole: ScaleLinear<number, number>;
  private readonly zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  private readonly canvas: Selection<HTMLCanvasElement, unknown, null, undefined>;
  private readonly axis = select(document.querySelector<SVGGElement>("#axis g")!);
  private readonly margin: number;
  private ownMove = false;

  constructor(
    private readonly trace: Trace,
    private readonly viewpoint: Viewpoint,
    readonly element: HTMLCanvasElement,
  ) {
    this.layout = fitted(trace, viewpoint.now.open, this.heightLeft());
    this.margin = Math.max((trace.last - trace.first) * 0.01, closest_ns);
    this.whole = scaleLinear().domain(this.wholeTime());
    this.canvas = select(element);
    this.zoom = zoom<HTMLCanvasElement, unknown>()
      .filter((event: Event) => !(event as MouseEvent).button && !(event instanceof WheelEvent && event.shiftKey))
      .on("zoom", (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        if (this.ownMove) return;
        const [from, to] = event.transform.rescaleX(this.whole).domain();
        viewpoint.set({ from, to });
      });
    this.canvas.call(this.zoom).on("dblclick.zoom", null);
    element.addEventListener("wheel", (event) => event.shiftKey && this.pan(event), { passive: false });
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(element.parentElement!);
    observer.observe(element.closest("#stage")!);
    this.resize();
  }

  wholeTime(): [number, number] {
    return [this.trace.first - this.margin, this.trace.last + this.margin];
  }

  /** Shows this stretch, cut to what there is. */
  show(from: number, to: number): void {
    const [first, last] = this.wholeTime();
    const length = Math.min(Math.max(to - from, closest_ns), last - first);
    const start = Math.min(Math.max(from, first), last - length);
    this.viewpoint.set({ from: start, to: start + length });
    this.follow();
  }

  /** Moves the view, if it must, so that this moment is well inside. */
  reveal(time: number): void {
    const { from, to } = this.viewpoint.now;
    const edge = (to - from) * 0.05;
    if (time < from + edge || time > to - edge) this.show(time - (to - from) / 2, time + (to - from) / 2);
  }

  zoomBy(factor: number): void {
    const { from, to, cursor } = this.viewpoint.now;
    const centre = cursor >= from && cursor <= to ? cursor : (from + to) / 2;
    this.show(centre - (centre - from) / factor, centre + (to - centre) / factor);
  }

  panBy(part: number): void {
    const { from, to } = this.viewpoint.now;
    this.show(from + (to - from) * part, to + (to - from) * part);
  }

  /** Light or dark has changed. */
  repaint(): void {
    this.theme = readTheme();
    this.viewpoint.refresh();
  }

  scene(view: View): Scene {
    const ctx = this.element.getContext("2d")!;
    const x = scaleLinear().domain([view.from, view.to]).range([0, this.width]);
    return { ctx, trace: this.trace, view, layout: this.layout, theme: this.theme, width: this.width, x };
  }

  timeAt(event: MouseEvent): { time: number; x: number; y: number } {
    const [x, y] = pointer(event, this.element);
    const { from, to } = this.viewpoint.now;
    return { x, y, time: from + ((to - from) * x) / this.width };
  }

  /** Before anything is drawn. */
  prepare(view: View, changed: Set<keyof View>): void {
    if (changed.has("open")) {
      this.layout = fitted(this.trace, view.open, this.heightLeft());
      this.fit();
    }
    if (changed.has("from") || changed.has("to")) {
      this.follow();
      this.drawAxis(view);
    }
  }

  private pan(event: WheelEvent): void {
    event.preventDefault();
    this.panBy((event.deltaY + event.deltaX) / this.width);
  }

  /** d3 keeps a transform of its own: it has to mean what is shown. */
  private follow(): void {
    const { from, to } = this.viewpoint.now;
    const [first, last] = this.whole.domain();
    const k = (last - first) / (to - from);
    const transform = zoomIdentity.scale(k).translate(-this.whole(from), 0);
    this.ownMove = true;
    this.canvas.call(this.zoom.transform, transform);
    this.ownMove = false;
  }

  private resize(): void {
    this.width = Math.max(200, this.element.parentElement!.clientWidth);
    this.whole.range([0, this.width]);
    const [first, last] = this.whole.domain();
    const extent: [[number, number], [number, number]] = [[0, 0], [this.width, 1]];
    this.zoom.extent(extent).translateExtent(extent).scaleExtent([1, (last - first) / closest_ns]);
    this.fit();
    this.viewpoint.refresh();
  }

  /** In a narrow window everything is below each other, and lanes stay small. */
  private heightLeft(): number {
    const stage = this.element.closest<HTMLElement>("#stage")!;
    if (getComputedStyle(stage.parentElement!).display !== "grid") return 0;
    const others = [...stage.children].filter((e) => e.id !== "scroller" && e.id !== "too-many") as HTMLElement[];
    const spare = 26;
    return stage.clientHeight - others.reduce((sum, e) => sum + e.offsetHeight, 0) - spare;
  }

  private fit(): void {
    const ratio = devicePixelRatio || 1;
    const height = this.layout.height;
    this.element.style.height = `${height}px`;
    this.element.width = Math.round(this.width * ratio);
    this.element.height = Math.round(height * ratio);
    this.element.getContext("2d")!.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  private drawAxis(view: View): void {
    const x = scaleLinear().domain([view.from / 1e9, view.to / 1e9]).range([0, this.width]);
    const ticks = Math.max(2, Math.floor(this.width / 110));
    const halfLabel = 30; // what is nearer to the edge would be cut
    const values = x.ticks(ticks).filter((value) => x(value) < this.width - halfLabel);
    this.axis.call(axisTop(x).tickValues(values).tickSizeOuter(0).tickFormat((value) => axisLabel(Number(value), view)));
  }
}

/** With as many digits as tell one tick from the next. */
function axisLabel(seconds: number, view: View): string {
  const length = (view.to - view.from) / 1e9;
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(length / 10))));
  return `${seconds.toFixed(digits)} s`;
}
