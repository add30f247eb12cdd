// A trace of a few rows, packed as the program packs it.

import { deflateSync } from "node:zlib";
import { Kind, Trace } from "../src/model/trace";

export interface TinyRow {
  at: number;
  kind?: Kind;
  cause?: number;
  replica?: string;
  from?: string;
  to?: string;
  type: string;
  inner?: string;
  fate?: string;
  note?: string;
  sent?: number;
  state?: Record<string, string | number>;
  log?: [change: number, index: number, count: number, term: number][];
  applied?: number;
}

const replicas = ["0000", "0001", "0002"];

export function tiny(rows: TinyRow[]): Promise<Trace> {
  const strings = [""];
  const text = (s = "") => {
    if (!strings.includes(s)) strings.push(s);
    return strings.indexOf(s);
  };
  const replica = (name?: string) => replicas.indexOf(name ?? "");
  const columns: [string, boolean, number[]][] = [];
  const add = (name: string, values: number[], wide = false) => columns.push([name, wide, values]);
  add("id", rows.map((_, i) => i + 1), true);
  add("begin", rows.map((r) => r.at), true);
  add("queued", rows.map((r) => r.at - (r.sent ?? r.at)), true);
  add("took", rows.map(() => 0), true);
  add("cause", rows.map((r, i) => (r.cause === undefined ? 0 : i - r.cause)));
  add("kind", rows.map((r) => r.kind ?? Kind.message));
  add("replica", rows.map((r) => (r.kind === Kind.network ? -1 : replica(r.replica))));
  for (const name of ["from", "to", "type", "inner", "fate"] as const) add(name, rows.map((r) => text(r[name])));
  add("mid", rows.map(() => 0));
  add("depth", rows.map(() => 0));
  const having = (test: (r: TinyRow) => unknown) => rows.map((r, row) => ({ r, row })).filter(({ r }) => test(r));
  const notes = having((r) => r.kind === Kind.note);
  add("note_row", notes.map((n) => n.row));
  add("note_text", notes.map((n) => text(n.r.note)));
  const states = having((r) => r.state);
  add("state_row", states.map((s) => s.row));
  add("state_replica", states.map((s) => replica(s.r.replica)));
  for (const name of ["role", "vote", "leader"]) add(`state_${name}`, states.map((s) => text(String(s.r.state![name] ?? ""))));
  for (const name of ["term", "last_index", "last_term", "commit", "lease"])
    add(`state_${name}`, states.map((s) => Number(s.r.state![name] ?? 0)), true);
  const logs = having((r) => r.log).flatMap(({ r, row }) => r.log!.map((l) => ({ r, row, l })));
  add("log_row", logs.map((l) => l.row));
  add("log_replica", logs.map((l) => replica(l.r.replica)));
  ["change", "index", "count", "term"].forEach((name, i) => add(`log_${name}`, logs.map((l) => l.l[i]), name === "index" || name === "term"));
  const applied = having((r) => r.applied);
  add("applied_row", applied.map((a) => a.row));
  add("applied_replica", applied.map((a) => replica(a.r.replica)));
  add("applied_index", applied.map((a) => a.r.applied!));
  for (const name of ["client", "kind", "key", "value", "result", "point_row", "index", "ending", "wrong"]) add(`op_${name}`, []);
  for (const name of ["call", "done", "point"]) add(`op_${name}`, [], true);
  for (const name of ["attempt_operation", "attempt_row", "attempt_step", "name_operation", "name_mid"]) add(name, []);
  const head = JSON.stringify({
    format: 1, files: [], replicas, strings, zero_ns: 0, texts_per_piece: 100, pieces: 1,
    columns: columns.map(([name, wide, values]) => ({ name, wide, count: values.length })),
    verdict: { state: "kept", words: "", rows: [] },
  });
  const bytes = [Buffer.alloc(4), Buffer.from(head), ...columns.map(([, , values]) => Buffer.from(packed(values)))];
  bytes[0].writeUInt32LE(Buffer.byteLength(head));
  const all = deflateSync(Buffer.concat(bytes)).toString("base64");
  const texts = deflateSync(rows.map(() => "\t\n").join("")).toString("base64");
  return Trace.read((name) => (name === "trace" ? all : texts));
}

function packed(values: number[]): number[] {
  const bytes: number[] = [];
  let before = 0;
  for (const value of values) {
    const d = value - before;
    before = value;
    let n = d >= 0 ? 2 * d : -2 * d - 1;
    for (; n >= 0x80; n = Math.floor(n / 0x80)) bytes.push((n % 0x80) + 0x80);
    bytes.push(n);
  }
  return bytes;
}
