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

/** Where messages take long, things happen slowly. */
function spanFor(trace: Trace, least_ns: number, messages: number): number {
  return Math.max(least_ns, messages * trace.arrows.usual);
}
export const spanOfElection = (trace: Trace) => spanFor(trace, 1e6, 25);
export const spanOfFailure = (trace: Trace) => spanFor(trace, 2e7, 50);

/** Whenever somebody begins to lead, and whenever somebody stands in a term that nobody wins. */
export function elections(trace: Trace): Moment[] {
  const all: Moment[] = [];
  const won = new Set<number>();
  trace.states.bands.forEach((bands, replica) => {
    for (const b of bands)
      if (b.role === "leader") {
        won.add(b.term);
        all.push({ time: b.from, row: -1, words: `${trace.replicas[replica]} leads term ${b.term}`, span: spanOfElection(trace) });
      }
  });
  trace.states.bands.forEach((bands, replica) => {
    for (const b of bands)
      if (b.role === "candidate" && !won.has(b.term))
        all.push({ time: b.from, row: -1, words: `${trace.replicas[replica]} stands in term ${b.term}, in vain`, span: spanOfElection(trace) });
  });
  return all.sort((a, b) => a.time - b.time);
}

/** What the world did to replicas, and requests that failed or were never answered. */
export function failures(trace: Trace): Moment[] {
  const all: Moment[] = trace.stretches
    .filter((s) => s.kind !== "weather")
    .map((s) => {
      const whom = s.kind === "partition" ? "" : `${s.replicas.map((r) => trace.replicas[r]).join(" ")} `;
      return { time: s.from, row: s.row, words: `${whom}${s.words}`, span: spanOfFailure(trace) };
    });
  for (const o of trace.operations.all)
    if (o.ending === Ending.unanswered || o.ending === Ending.failed) {
      const how = o.ending === Ending.failed ? "failed" : "was never answered";
      all.push({ time: o.call, row: o.attempts[0]?.row ?? -1, words: `${o.kind} ${o.mids.at(-1)} of ${o.client} ${how}`, span: spanOfFailure(trace) });
    }
  return all.sort((a, b) => a.time - b.time);
}
