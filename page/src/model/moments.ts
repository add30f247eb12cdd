// Moments worth a jump.

import { Ending } from "./operations";
import type { Trace } from "./trace";

export interface Moment {
  time: number;
  row: number;
  words: string;
  /** How much around it tells what happened, ns. */
  span: number;
}

const election_ns = 4e6;
const failure_ns = 2e7;

/** Whenever somebody begins to lead, and whenever somebody stands in a term that nobody wins. */
export function elections(trace: Trace): Moment[] {
  const all: Moment[] = [];
  const won = new Set<number>();
  trace.states.bands.forEach((bands, replica) => {
    for (const b of bands)
      if (b.role === "leader") {
        won.add(b.term);
        all.push({ time: b.from, row: -1, words: `${trace.replicas[replica]} leads term ${b.term}`, span: election_ns });
      }
  });
  trace.states.bands.forEach((bands, replica) => {
    for (const b of bands)
      if (b.role === "candidate" && !won.has(b.term))
        all.push({ time: b.from, row: -1, words: `${trace.replicas[replica]} stands in term ${b.term}, in vain`, span: election_ns });
  });
  return all.sort((a, b) => a.time - b.time);
}

/** What the world did to replicas, and requests that failed or were never answered. */
export function failures(trace: Trace): Moment[] {
  const all: Moment[] = trace.stretches
    .filter((s) => s.kind !== "weather")
    .map((s) => {
      const whom = s.kind === "partition" ? "" : `${s.replicas.map((r) => trace.replicas[r]).join(" ")} `;
      return { time: s.from, row: s.row, words: `${whom}${s.words}`, span: failure_ns };
    });
  for (const o of trace.operations.all)
    if (o.ending === Ending.unanswered || o.ending === Ending.failed) {
      const how = o.ending === Ending.failed ? "failed" : "was never answered";
      all.push({ time: o.call, row: o.attempts[0]?.row ?? -1, words: `${o.kind} ${o.mids.at(-1)} of ${o.client} ${how}`, span: failure_ns });
    }
  return all.sort((a, b) => a.time - b.time);
}
