// What led to an event and what followed from it.

import type { Trace } from "./trace";

export interface Cone {
  /** From the first cause that is known to the event itself. */
  causes: number[];
  effects: number[];
  has(row: number): boolean;
  /** There are more effects than these. */
  cut: boolean;
}

const mostEffects = 4000;

/** Effects end at timers: every heartbeat follows from the one before, and what comes when time has passed is another
 * story. */
export function coneOf(trace: Trace, row: number): Cone {
  const causes: number[] = [];
  const seen = new Set<number>();
  for (let at = row; at >= 0 && !seen.has(at); at = trace.causes[at]) {
    causes.push(at);
    seen.add(at);
  }
  causes.reverse();
  const effects: number[] = [];
  const waiting = [row];
  let cut = false;
  while (waiting.length > 0 && !cut) {
    for (const effect of trace.effectsOf(waiting.shift()!)) {
      if (seen.has(effect) || trace.row(effect).from === "timer") continue;
      cut = effects.length >= mostEffects;
      if (cut) break;
      seen.add(effect);
      effects.push(effect);
      waiting.push(effect);
    }
  }
  return { causes, effects, cut, has: (r) => seen.has(r) };
}
