// Partitions, kills, pauses and other stretches of bad weather, from what the world said it did.

import type { Trace } from "./trace";

export type StretchKind = "partition" | "kill" | "pause" | "weather";

export interface Stretch {
  kind: StretchKind;
  from: number;
  to: number;
  /** Places in `trace.replicas`; empty: all. */
  replicas: number[];
  words: string;
  row: number;
}

const namesIn = /\b[0-9A-F]{4}\b/g;

export function findStretches(trace: Trace): Stretch[] {
  const all: Stretch[] = [];
  const open = new Map<string, Stretch>();
  const close = (name: string, time: number) => {
    const stretch = open.get(name);
    if (stretch) stretch.to = time;
    open.delete(name);
  };
  const start = (name: string, stretch: Stretch) => {
    close(name, stretch.from);
    open.set(name, stretch);
    all.push(stretch);
  };
  for (const { row, event, replica, text } of trace.notes) {
    const from = trace.begin[row];
    const base = { from, to: trace.last, row };
    const replicas = (text.match(namesIn) ?? []).map((n) => trace.replicas.indexOf(n)).filter((r) => r >= 0);
    if (event === "crash") start(`kill ${replica}`, { ...base, kind: "kill", replicas: [replica], words: "killed" });
    if (event === "start") close(`kill ${replica}`, from);
    if (event === "crash" || event === "resume") close(`pause ${replica}`, from);
    if (event === "pause") start(`pause ${replica}`, { ...base, kind: "pause", replicas: [replica], words: "paused" });
    if (event !== "fault") continue;
    if (text.startsWith("part_end")) close("partition", from);
    else if (text.startsWith("part_")) start("partition", { ...base, kind: "partition", replicas, words: text });
    // A storm of chaos names its faults: `f3 at 0.2 s for 0.4 s: cut off 0002`, and later `f3 ends`.
    const storm = /^(f\d+) (?:at [^:]*: (.*)|(ends))$/.exec(text);
    if (storm?.[3]) close(storm[1], from);
    else if (storm) {
      const words = storm[2];
      const isCut = /^cut off|hear nothing|not hear/.test(words);
      const isOnce = !text.includes(" for ") && !text.includes("to the end");
      // The notes of the replicas themselves tell when those begin and end.
      if (/^(crash|pause) /.test(words) || isOnce) continue;
      start(storm[1], { ...base, kind: isCut ? "partition" : "weather", replicas, words });
    }
  }
  return all;
}
