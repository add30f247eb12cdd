// The language of the search field: words that all have to hold, such as `type:append_request term:3 0002`.

import { Kind, type Trace } from "./trace";

export interface Query {
  type?: string;
  term?: string;
  key?: string;
  client?: string;
  mid?: string;
  replica?: string;
  actor?: string;
  fate?: string;
  words: string[];
}

export const fields = ["type", "term", "key", "client", "mid", "replica", "actor", "fate"] as const;

/** Throws an Error with one line if there is a field that nobody knows. */
export function parseQuery(text: string): Query {
  const query: Query = { words: [] };
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const colon = word.indexOf(":");
    if (colon < 0) {
      query.words.push(word.toLowerCase());
      continue;
    }
    const name = word.slice(0, colon).toLowerCase();
    const field = fields.find((f) => f === name);
    if (!field) throw new Error(`no field is called "${name}": ${fields.join(", ")}`);
    const value = word.slice(colon + 1);
    if (value) query[field] = value;
  }
  return query;
}

export function isEmpty(query: Query): boolean {
  return query.words.length === 0 && fields.every((f) => query[f] === undefined);
}

/** All that can be told without the record's text. */
function fitsRow(trace: Trace, row: number, q: Query): boolean {
  const r = trace.row(row);
  const isNetwork = r.kind === Kind.network;
  if (q.type && r.type !== q.type && r.inner !== q.type) return false;
  if (q.fate && r.fate !== q.fate) return false;
  if (q.actor && (isNetwork ? "net" : r.to) !== q.actor) return false;
  if (q.replica && trace.replicas[r.replica] !== q.replica && !(isNetwork && (r.from === q.replica || r.to === q.replica)))
    return false;
  return true;
}

/** Keys and MIDs are long: their beginning is enough. */
function fitsText(trace: Trace, row: number, line: string, q: Query): boolean {
  const r = trace.row(row);
  const isNetwork = r.kind === Kind.network;
  if (q.mid && !r.mid.startsWith(q.mid) && !line.includes(`"MID":"${q.mid}`)) return false;
  if (q.key && !line.includes(`"key":"${q.key}`)) return false;
  if (q.client && !line.includes(`"client":"${q.client}"`) && !(isNetwork && (r.from === q.client || r.to === q.client)))
    return false;
  if (q.term && !new RegExp(`"term":${Number(q.term)}\\b`).test(line)) return false;
  if (q.words.length === 0) return true;
  const all = `${r.type} ${r.inner} ${r.fate} ${r.mid} ${r.from} ${r.to} ${trace.replicas[r.replica] ?? ""} #${r.id} ${trace.noteOf(row)} ${line}`.toLowerCase();
  return q.words.every((word) => all.includes(word));
}

/** Rows that fit, piece by piece, so that a long trace can show what it has found so far. */
export async function* search(trace: Trace, q: Query): AsyncGenerator<{ rows: number[]; done: number }> {
  const size = trace.head.texts_per_piece;
  const needsText = q.words.length > 0 || q.mid || q.key || q.client || q.term;
  for (let piece = 0; piece < trace.head.pieces; ++piece) {
    const end = Math.min(trace.count, (piece + 1) * size);
    const rows: number[] = [];
    for (let row = piece * size; row < end; ++row) if (fitsRow(trace, row, q)) rows.push(row);
    const lines = needsText && rows.length > 0 ? await trace.piece(piece) : [];
    yield {
      rows: needsText ? rows.filter((row) => fitsText(trace, row, lines[row % size] ?? "", q)) : rows,
      done: (piece + 1) / trace.head.pieces,
    };
  }
}
