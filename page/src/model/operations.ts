// What clients asked, and what became of it.

import type { Trace } from "./trace";

export enum Ending {
  unanswered,
  ok,
  not_applied,
  failed,
}

export enum Step {
  asked,
  ok,
  redirected,
  failed,
}

export interface Attempt {
  row: number;
  step: Step;
  replica: number;
}

export interface Operation {
  number: number;
  client: string;
  /** One, or where each attempt had its own, all of them in order. */
  mids: string[];
  kind: string;
  key: string;
  value: string;
  result: string;
  call: number;
  /** Infinity: it was never answered. */
  done: number;
  /** When it took effect; NaN: not known. */
  point: number;
  pointRow: number;
  index: number;
  ending: Ending;
  /** 2: the answer that cannot be; 1: it belongs to the stretch that shows why. */
  wrong: number;
  attempts: Attempt[];
}

export class Operations {
  readonly all: Operation[];
  readonly byCall: Float64Array;
  /** Of the answered ones, by the time of the answer. */
  readonly answered: Operation[];
  readonly answerTimes: Float64Array;
  /** By client, in the order of calls. */
  readonly byClient = new Map<string, Operation[]>();

  private readonly named = new Map<string, Operation>();

  constructor(trace: Trace) {
    const n = (name: string) => trace.narrow(`op_${name}`);
    const w = (name: string) => trace.wide(`op_${name}`);
    const [client, kind, key, value, result] = ["client", "kind", "key", "value", "result"].map(n);
    const [call, done, point] = ["call", "done", "point"].map(w);
    const [pointRow, index, ending, wrong] = ["point_row", "index", "ending", "wrong"].map(n);
    this.all = Array.from(client, (_, i) => ({
      number: i,
      client: trace.text(client[i]),
      mids: [],
      kind: trace.text(kind[i]),
      key: trace.text(key[i]),
      value: trace.text(value[i]),
      result: trace.text(result[i]),
      call: call[i],
      done: ending[i] === Ending.unanswered ? Infinity : done[i],
      point: pointRow[i] < 0 ? NaN : point[i],
      pointRow: pointRow[i],
      index: index[i],
      ending: ending[i],
      wrong: wrong[i],
      attempts: [],
    }));
    const steps = trace.narrow("attempt_step");
    const rows = trace.narrow("attempt_row");
    trace.narrow("attempt_operation").forEach((op, i) => {
      this.all[op].attempts.push({ row: rows[i], step: steps[i], replica: trace.replica(rows[i]) });
    });
    const mids = trace.narrow("name_mid");
    trace.narrow("name_operation").forEach((op, i) => {
      const mid = trace.text(mids[i]);
      this.all[op].mids.push(mid);
      this.named.set(mid, this.all[op]);
    });
    this.all.sort((a, b) => a.call - b.call);
    this.all.forEach((o, i) => (o.number = i));
    this.byCall = Float64Array.from(this.all, (o) => o.call);
    this.answered = this.all.filter((o) => o.done !== Infinity).sort((a, b) => a.done - b.done);
    this.answerTimes = Float64Array.from(this.answered, (o) => o.done);
    for (const o of this.all) {
      const list = this.byClient.get(o.client);
      if (list) list.push(o);
      else this.byClient.set(o.client, [o]);
    }
  }

  ofMid(mid: string): Operation | undefined {
    return this.named.get(mid);
  }
}
