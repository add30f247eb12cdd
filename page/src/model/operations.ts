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

/** Of one client, in the order of calls. */
export interface ClientHistory {
  list: Operation[];
  calls: Float64Array;
  /** When the client asked for something else; Infinity: never. */
  nexts: Float64Array;
  /** Of those that went well. */
  longest: number;
  /** Places of those that did not. */
  notable: number[];
}

export class Operations {
  readonly all: Operation[];
  readonly byCall: Float64Array;
  /** Of the answered ones, by the time of the answer. */
  readonly answered: Operation[];
  readonly answerTimes: Float64Array;
  readonly byClient = new Map<string, ClientHistory>();

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
    for (const client of new Set(this.all.map((o) => o.client))) this.byClient.set(client, this.historyOf(client));
  }

  private historyOf(client: string): ClientHistory {
    const list = this.all.filter((o) => o.client === client);
    const calls = Float64Array.from(list, (o) => o.call);
    const nexts = Float64Array.from(list, (_, i) => calls[i + 1] ?? Infinity);
    const isPlain = (o: Operation) => o.wrong === 0 && (o.ending === Ending.ok || o.ending === Ending.not_applied);
    const longest = list.reduce((most, o) => (isPlain(o) ? Math.max(most, o.done - o.call) : most), 0);
    const notable = list.map((_, i) => i).filter((i) => !isPlain(list[i]));
    return { list, calls, nexts, longest, notable };
  }

  ofMid(mid: string): Operation | undefined {
    return this.named.get(mid);
  }
}
