// Latency and message rate, on the lanes' time axis.

import uPlot from "uplot";
import { density, lowerBound } from "../model/sorted";
import { length } from "../format";
import type { Trace } from "../model/trace";
import type { View } from "../view";
import type { Theme } from "./theme";

const height = 96;
const labelSize = 16;
const bins = 160;
/** More answers than that are told by the median and the worst of each stretch of time. */
const mostPoints = 1500;

export class Plots {
  private latency?: uPlot;
  private rate?: uPlot;
  private readonly line = document.querySelector<HTMLElement>("#plots .cursor")!;

  constructor(
    private readonly trace: Trace,
    private readonly gutter: number,
  ) {}

  drawCursor(view: View, width: number): void {
    const x = ((view.cursor - view.from) / (view.to - view.from)) * width;
    this.line.hidden = x < 0 || x > width;
    this.line.style.transform = `translateX(${this.gutter + x}px)`;
  }

  draw(view: View, width: number, theme: Theme, anew: boolean): void {
    if (!this.latency || !this.rate || anew) this.build(width, theme);
    this.latency!.setSize({ width: width + this.gutter, height });
    this.rate!.setSize({ width: width + this.gutter, height });
    this.latency!.setData(this.latencies(view), false);
    this.rate!.setData(this.rates(view), false);
    const x = { min: view.from / 1e9, max: view.to / 1e9 };
    this.latency!.batch(() => {
      this.latency!.setScale("x", x);
      this.latency!.setScale("y", this.rangeOfLatency());
    });
    this.rate!.batch(() => {
      this.rate!.setScale("x", x);
      this.rate!.setScale("y", { min: 0, max: Math.max(1, ...(this.rate!.data[1] as number[])) * 1.1 });
    });
  }

  private build(width: number, theme: Theme): void {
    this.latency?.destroy();
    this.rate?.destroy();
    const axis = (label: string, values: (u: uPlot, v: number[]) => string[]): uPlot.Axis => ({
      scale: "y", size: this.gutter - labelSize, label, labelSize, labelFont: "11px system-ui", font: "10.5px system-ui",
      stroke: theme.muted, grid: { stroke: theme.line, width: 1 }, ticks: { show: false }, values, space: 22,
    });
    const common = (): Pick<uPlot.Options, "width" | "height" | "cursor" | "legend" | "padding"> => ({
      width: width + this.gutter, height, cursor: { show: false }, legend: { show: false }, padding: [8, 0, 6, 0],
    });
    const hidden: uPlot.Axis = { show: false };
    const points = (stroke: string, size: number): uPlot.Series => ({ stroke, paths: () => null, points: { show: true, size, fill: stroke, width: 0 } });
    this.latency = new uPlot(
      {
        ...common(),
        scales: { x: { time: false, auto: false }, y: { distr: 3, auto: false } },
        axes: [hidden, { ...axis("latency", (_, v) => v.map((n) => length(n * 1e6).replace(/\.0+(?= )/, ""))), splits: (u) => decades(u.scales.y.min!, u.scales.y.max!), filter: (_, v) => v }],
        series: [{}, points(theme.client, 3.5), points(theme.wrong, 4), points(theme.warn, 3)],
      },
      [[], [], [], []],
      document.querySelector<HTMLElement>("#latency")!,
    );
    this.rate = new uPlot(
      {
        ...common(),
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [hidden, axis("messages/s", (_, v) => v.map((n) => (n >= 1e6 ? `${n / 1e6}M` : n >= 1000 ? `${n / 1000}k` : String(n))))],
        series: [
          {},
          { stroke: theme.replication, width: 1.2, fill: `${theme.replication}33`, paths: uPlot.paths.stepped!({ align: 1 }), points: { show: false } },
          { stroke: theme.wrong, width: 0, fill: theme.wrong, paths: uPlot.paths.bars!({ align: 1, size: [1], gap: 0 }), points: { show: false } },
        ],
      },
      [[], [], []],
      document.querySelector<HTMLElement>("#rate")!,
    );
  }

  private latencies(view: View): uPlot.AlignedData {
    const { answered, answerTimes } = this.trace.operations;
    const begin = lowerBound(answerTimes, view.from);
    const end = lowerBound(answerTimes, view.to);
    const inView = answered.slice(begin, end);
    const of = (o: (typeof inView)[number]) => (o.done - o.call) / 1e6;
    if (inView.length <= mostPoints)
      return [
        inView.map((o) => o.done / 1e9),
        inView.map((o) => (o.wrong > 0 ? null : of(o))),
        inView.map((o) => (o.wrong > 0 ? of(o) : null)),
        inView.map(() => null),
      ];
    const times: number[] = [];
    const median: number[] = [];
    const worst: number[] = [];
    const size = Math.ceil(inView.length / bins);
    for (let i = 0; i < inView.length; i += size) {
      const part = inView.slice(i, i + size);
      const sorted = part.map(of).sort((a, b) => a - b);
      times.push(part[part.length >> 1].done / 1e9);
      median.push(sorted[sorted.length >> 1]);
      worst.push(sorted.at(-1)!);
    }
    return [times, median, times.map(() => null), worst];
  }

  private rangeOfLatency(): { min: number; max: number } {
    const values = this.latency!.data.slice(1).flatMap((column) => Array.from(column as number[])).filter((v) => v > 0);
    const least = values.reduce((a, b) => Math.min(a, b), 1);
    const most = values.reduce((a, b) => Math.max(a, b), least);
    return { min: 10 ** Math.floor(Math.log10(least)), max: 10 ** Math.max(Math.ceil(Math.log10(most)), Math.floor(Math.log10(least)) + 1) };
  }

  private rates(view: View): uPlot.AlignedData {
    const span = (view.to - view.from) / 1e9;
    const at = Array.from({ length: bins + 1 }, (_, i) => view.from / 1e9 + (span * i) / bins);
    const perSecond = (times: Float64Array) => {
      const counts = Array.from(density(times, view.from, view.to, bins), (n) => (n * bins) / span);
      return [...counts, counts.at(-1)!];
    };
    return [at, perSecond(this.trace.networkTimes), perSecond(this.trace.arrows.lostTimes).map((n) => (n === 0 ? null : n))];
  }
}

/** 0.1, 1, 10 and so on: what lies between says nothing. */
function decades(min: number, max: number): number[] {
  const all: number[] = [];
  const step = Math.log10(max / min) > 4 ? 2 : 1;
  for (let e = Math.round(Math.log10(min)); e <= Math.round(Math.log10(max)); e += step) all.push(Number(`1e${e}`));
  return all;
}
