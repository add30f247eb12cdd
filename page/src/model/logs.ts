// The log of every replica at any row, as its storage was told to keep it.

import type { Trace } from "./trace";
import { upperBound } from "./sorted";

enum Change {
  append,
  truncate,
  snapshot,
}

/** Entries `first` up to the beginning of the next run have the same term. */
interface Run {
  first: number;
  term: number;
}

export class Log {
  /** The last index that a snapshot stands for. */
  snapshot = 0;
  last = 0;
  runs: Run[] = [];

  /** 0: there is no such entry. */
  termOf(index: number): number {
    if (index > this.last || index <= this.snapshot) return 0;
    return this.runs.findLast((run) => run.first <= index)?.term ?? 0;
  }

  append(first: number, count: number, term: number): void {
    this.truncate(first - 1);
    if (this.runs.at(-1)?.term !== term) this.runs.push({ first, term });
    this.last = first + count - 1;
  }

  truncate(last: number): void {
    while (this.runs.length > 0 && this.runs.at(-1)!.first > last) this.runs.pop();
    this.last = Math.min(this.last, last);
  }

  /** What lies behind the snapshot stays. */
  compact(index: number): void {
    this.snapshot = index;
    this.last = Math.max(this.last, index);
  }
}

export class Logs {
  private readonly changes: { rows: Int32Array; at: Int32Array }[];
  private readonly replayed: { position: number; log: Log }[];

  constructor(private readonly trace: Trace) {
    const owners = trace.narrow("log_replica");
    const rows = trace.narrow("log_row");
    this.changes = trace.replicas.map((_, r) => {
      const at = Int32Array.from([...owners.keys()].filter((i) => owners[i] === r));
      return { at, rows: at.map((i) => rows[i]) };
    });
    this.replayed = trace.replicas.map(() => ({ position: 0, log: new Log() }));
  }

  /** Valid until the next call for this replica. */
  at(replica: number, row: number): Log {
    const { rows, at } = this.changes[replica];
    const wanted = upperBound(rows, row);
    let replay = this.replayed[replica];
    // Going forward is what a cursor mostly does; going back begins anew.
    if (wanted < replay.position) replay = this.replayed[replica] = { position: 0, log: new Log() };
    for (; replay.position < wanted; ++replay.position) this.apply(replay.log, at[replay.position]);
    return replay.log;
  }

  private apply(log: Log, i: number): void {
    const t = this.trace;
    const index = t.wide("log_index")[i];
    const term = t.wide("log_term")[i];
    switch (t.narrow("log_change")[i] as Change) {
      case Change.append:
        return log.append(index, t.narrow("log_count")[i], term);
      case Change.truncate:
        return log.truncate(index);
      case Change.snapshot:
        return log.compact(index);
    }
  }
}
