// Raft's state of every replica at any row.

import type { Trace } from "./trace";
import { upperBound } from "./sorted";

export type Role = "leader" | "candidate" | "pre_candidate" | "follower" | "learner" | "down" | "unknown";

export interface State {
  /** The row that made it so; -1: nothing is known yet. */
  row: number;
  role: Role;
  term: number;
  vote: string;
  leader: string;
  lastIndex: number;
  lastTerm: number;
  commit: number;
  applied: number;
  /** On the page's clock; 0 or less: none. */
  leaseUntil: number;
  paused: boolean;
}

/** A stretch of time in which a replica has one role in one term. */
export interface Band {
  role: Role;
  term: number;
  from: number;
  to: number;
}

interface Life {
  row: number;
  down: boolean;
  paused: boolean;
}

const nothing: State = {
  row: -1, role: "unknown", term: 0, vote: "", leader: "", lastIndex: 0, lastTerm: 0, commit: 0, applied: 0,
  leaseUntil: 0, paused: false,
};

export class States {
  readonly bands: Band[][];
  private readonly changes: { rows: Int32Array; at: Int32Array }[];
  private readonly applied: { rows: Int32Array; index: Int32Array }[];
  private readonly lives: Life[][];

  constructor(private readonly trace: Trace) {
    const byReplica = (owners: Int32Array) =>
      trace.replicas.map((_, r) => Int32Array.from([...owners.keys()].filter((i) => owners[i] === r)));
    const stateRows = trace.narrow("state_row");
    this.changes = byReplica(trace.narrow("state_replica")).map((at) => ({ at, rows: at.map((i) => stateRows[i]) }));
    const appliedRows = trace.narrow("applied_row");
    const indices = trace.narrow("applied_index");
    this.applied = byReplica(trace.narrow("applied_replica")).map((at) => ({
      rows: at.map((i) => appliedRows[i]),
      index: at.map((i) => indices[i]),
    }));
    this.lives = trace.replicas.map((_, r) => this.livesOf(r));
    this.bands = trace.replicas.map((_, r) => this.bandsOf(r));
  }

  /** As it was when this row had been dealt with. */
  at(replica: number, row: number): State {
    const life = this.lifeAt(replica, row);
    const state = this.changeAt(replica, row);
    // What came before this process is over.
    if (!state || (life && !life.down && state.row < this.startOf(replica, row)))
      return { ...nothing, role: life?.down ? "down" : "unknown" };
    state.paused = life?.paused ?? false;
    if (life?.down) {
      state.role = "down";
      state.leaseUntil = 0;
    }
    const { rows, index } = this.applied[replica];
    const found = upperBound(rows, row) - 1;
    state.applied = found >= 0 && rows[found] >= this.startOf(replica, row) ? index[found] : 0;
    return state;
  }

  /** Who leads, by the highest term; -1: nobody. */
  leaderAt(row: number): number {
    let best = -1;
    let term = -1;
    for (let r = 0; r < this.trace.replicas.length; ++r) {
      const state = this.at(r, row);
      if (state.role === "leader" && state.term > term) [best, term] = [r, state.term];
    }
    return best;
  }

  private changeAt(replica: number, row: number): State | undefined {
    const { rows, at } = this.changes[replica];
    const found = upperBound(rows, row) - 1;
    if (found < 0) return undefined;
    const i = at[found];
    const t = this.trace;
    return {
      row: rows[found],
      role: t.text(t.narrow("state_role")[i]) as Role,
      term: t.wide("state_term")[i],
      vote: t.text(t.narrow("state_vote")[i]),
      leader: t.text(t.narrow("state_leader")[i]),
      lastIndex: t.wide("state_last_index")[i],
      lastTerm: t.wide("state_last_term")[i],
      commit: t.wide("state_commit")[i],
      applied: 0,
      leaseUntil: t.wide("state_lease")[i],
      paused: false,
    };
  }

  private livesOf(replica: number): Life[] {
    const lives: Life[] = [];
    for (const n of this.trace.notes) {
      if (n.replica !== replica) continue;
      if (n.event === "start" || n.event === "resume") lives.push({ row: n.row, down: false, paused: false });
      if (n.event === "crash") lives.push({ row: n.row, down: true, paused: false });
      if (n.event === "pause") lives.push({ row: n.row, down: false, paused: true });
    }
    return lives;
  }

  private lifeAt(replica: number, row: number): Life | undefined {
    return this.lives[replica].findLast((life) => life.row <= row);
  }

  private startOf(replica: number, row: number): number {
    const start = this.trace.notes.findLast((n) => n.event === "start" && n.replica === replica && n.row <= row);
    return start?.row ?? -1;
  }

  private bandsOf(replica: number): Band[] {
    const marks = [...this.changes[replica].rows, ...this.lives[replica].map((life) => life.row)];
    const bands: Band[] = [];
    for (const row of marks.sort((a, b) => a - b)) {
      const { role, term } = this.at(replica, row);
      const time = this.trace.begin[row];
      const last = bands.at(-1);
      if (last && last.role === role && last.term === term) continue;
      if (last) last.to = time;
      bands.push({ role, term, from: time, to: this.trace.last });
    }
    return bands.filter((b) => b.to > b.from || b.role === "leader");
  }
}
