// Messages between replicas, and between them and clients: where they left, where they arrived or were lost.

import { Kind, type Trace } from "./trace";
import { lowerBound } from "./sorted";

/** Of an arrow, for drawing. */
export enum Fate {
  arrived,
  repeated,
  late,
  lost,
  dead,
  open,
}

export interface Arrow {
  /** The network's record, or that of the sender where no network was recorded. */
  row: number;
  /** The row in which it was taken up; -1: it never was. */
  arrival: number;
  from: string;
  to: string;
  type: string;
  left: number;
  arrived: number;
  fate: Fate;
}

/** How much of the way a message has come at most: what was lost is lost half-way, for the eye. */
export function reachOf(fate: Fate): number {
  return fate === Fate.lost || fate === Fate.open ? 0.5 : 1;
}

/** Longer than this many times the usual is late, and so is what a later message has overtaken. */
const lateFactor = 4;

export class Arrows {
  readonly count: number;
  readonly left: Float64Array;
  readonly arrived: Float64Array;
  readonly fates: Uint8Array;
  readonly usual: number;
  private readonly rows: Int32Array;
  private readonly arrivals: Int32Array;
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  /** Those few that are so long that a search for what crosses a view would have to begin far before it. */
  private readonly long: number[] = [];
  private readonly short: number;
  private readonly placeOfRow = new Map<number, number>();
  /** Of those that were lost, by time. */
  readonly lost: Int32Array;
  readonly lostTimes: Float64Array;

  constructor(private readonly trace: Trace) {
    const found = this.collect();
    found.sort((a, b) => a.left - b.left);
    this.count = found.length;
    this.rows = Int32Array.from(found, (f) => f.row);
    this.arrivals = Int32Array.from(found, (f) => f.arrival);
    this.left = Float64Array.from(found, (f) => f.left);
    this.arrived = Float64Array.from(found, (f) => f.arrived);
    this.from = Int32Array.from(found, (f) => f.from);
    this.to = Int32Array.from(found, (f) => f.to);
    this.fates = Uint8Array.from(found, (f) => f.fate);
    for (let i = this.count - 1; i >= 0; --i) this.placeOfRow.set(this.rows[i], i);
    const lengths = found.filter((f) => f.arrival >= 0).map((f) => f.arrived - f.left).sort((a, b) => a - b);
    this.usual = lengths.length > 0 ? lengths[lengths.length >> 1] : 1e5;
    this.short = Math.max(lengths.length > 0 ? lengths[Math.floor(lengths.length * 0.99)] : 0, this.usual);
    this.markLate();
    this.giveEnds();
    for (let i = 0; i < this.count; ++i) if (this.arrived[i] - this.left[i] > this.short) this.long.push(i);
    this.lost = Int32Array.from([...this.fates.keys()].filter((i) => this.fates[i] === Fate.lost || this.fates[i] === Fate.dead));
    this.lostTimes = Float64Array.from(this.lost, (i) => this.left[i]);
  }

  /** That of a network's record; of one that was repeated, the first. */
  ofRow(row: number): Arrow | undefined {
    const i = this.placeOfRow.get(row);
    return i === undefined ? undefined : this.at(i);
  }

  at(i: number): Arrow {
    return {
      row: this.rows[i],
      arrival: this.arrivals[i],
      from: this.nameOf(this.from[i]),
      to: this.nameOf(this.to[i]),
      type: this.typeOf(i),
      left: this.left[i],
      arrived: this.arrived[i],
      fate: this.fates[i],
    };
  }

  /** How many leave between these times: about as many as are in view. */
  countIn(from: number, to: number): number {
    return lowerBound(this.left, to) - lowerBound(this.left, from);
  }

  /** Those of which a part lies between these times. */
  *within(from: number, to: number): Generator<number> {
    for (const i of this.long) if (this.left[i] < from - this.short && this.arrived[i] >= from) yield i;
    const end = lowerBound(this.left, to);
    for (let i = lowerBound(this.left, from - this.short); i < end; ++i) if (this.arrived[i] >= from) yield i;
  }

  /** Of a string, or, where replicas are not among them, of a replica. */
  private nameOf(number: number): string {
    const { strings } = this.trace.head;
    return number < strings.length ? strings[number] : this.trace.replicas[number - strings.length];
  }

  private typeOf(i: number): string {
    const t = this.trace;
    return t.kind(this.rows[i]) === Kind.network ? t.type(this.rows[i]) : t.inner(this.rows[i]);
  }

  private collect() {
    const t = this.trace;
    const [from, to, fateOf] = [t.narrow("from"), t.narrow("to"), t.narrow("fate")];
    const queued = t.wide("queued");
    const known = t.head.strings.length;
    const numbers = t.replicas.map((name, r) => (t.head.strings.includes(name) ? t.head.strings.indexOf(name) : known + r));
    const found: { row: number; arrival: number; left: number; arrived: number; from: number; to: number; fate: Fate }[] = [];
    const arrivalsOf = (row: number) =>
      [...t.effectsOf(row)].filter((e) => (t.kind(e) === Kind.message ? t.type(e) === "datagram" : t.kind(e) === Kind.network));
    for (let row = 0; row < t.count; ++row) {
      if (t.kind(row) === Kind.network) {
        const fate = t.text(fateOf[row]);
        // At its end: the arrow is that of the record which tells of its beginning.
        const cause = t.causes[row];
        if ((fate === "dead" || fate === "full") && cause >= 0 && t.kind(cause) === Kind.network) continue;
        const at = t.begin[row];
        const base = { row, left: this.departure(row), from: from[row], to: to[row] };
        if (fate === "lost" || fate === "cut" || fate === "dead" || fate === "full") {
          found.push({ ...base, arrival: -1, arrived: at, fate: fate === "lost" || fate === "cut" ? Fate.lost : Fate.dead });
          continue;
        }
        if (t.text(to[row]).startsWith("C")) {
          // Clients keep no record: what is told of their messages is told where those end, or at once.
          found.push({ ...base, arrival: -1, arrived: at, fate: fate === "repeated" ? Fate.repeated : Fate.arrived });
          continue;
        }
        const ends = arrivalsOf(row);
        const isRepeated = fate === "repeated" || ends.length > 1;
        for (const end of ends) {
          const isDead = t.kind(end) === Kind.network;
          const fateHere = isDead ? Fate.dead : isRepeated ? Fate.repeated : Fate.arrived;
          found.push({ ...base, arrival: end, arrived: t.begin[end] - queued[end], fate: fateHere });
        }
        if (ends.length === 0) found.push({ ...base, arrival: -1, arrived: at, fate: Fate.open });
      } else if (t.kind(row) === Kind.message && t.type(row) === "datagram") {
        // Between real processes nothing is recorded in between.
        const cause = t.causes[row];
        if (cause < 0 || t.kind(cause) !== Kind.message || t.replica(cause) === t.replica(row)) continue;
        const [a, b] = [numbers[t.replica(cause)], numbers[t.replica(row)]];
        found.push({
          row: cause, arrival: row, left: t.begin[cause], arrived: t.begin[row] - queued[row], from: a, to: b, fate: Fate.arrived,
        });
      }
    }
    // Where processes tell for themselves who sent what they received, the network's word is only about what was lost.
    const areTold = found.some((f) => t.kind(f.row) === Kind.message);
    return areTold ? found.filter((f) => f.fate !== Fate.open) : found;
  }

  /** When the sender's actor let go of it: what stands between is its network. */
  private departure(row: number): number {
    const { causes, begin } = this.trace;
    const cause = causes[row];
    const most_ns = 1e8; // else it is a guess, and a wrong one
    const isSender = cause >= 0 && this.trace.kind(cause) === Kind.message && begin[row] - begin[cause] < most_ns;
    return isSender ? begin[cause] : begin[row];
  }

  private markLate(): void {
    const newest = new Map<number, number>(); // by link: the latest departure among what has arrived so far
    const byArrival = [...this.rows.keys()].filter((i) => this.arrivals[i] >= 0).sort((a, b) => this.arrived[a] - this.arrived[b]);
    const links = this.trace.head.strings.length;
    for (const i of byArrival) {
      const link = this.from[i] * links + this.to[i];
      const overtaken = (newest.get(link) ?? -Infinity) > this.left[i];
      newest.set(link, Math.max(newest.get(link) ?? -Infinity, this.left[i]));
      const isLong = this.arrived[i] - this.left[i] > lateFactor * this.usual;
      if (this.fates[i] === Fate.arrived && (overtaken || isLong)) this.fates[i] = Fate.late;
    }
  }

  /** What ended in the moment in which it began gets a length, for the eye. */
  private giveEnds(): void {
    for (let i = 0; i < this.count; ++i)
      if (this.arrivals[i] < 0 && this.arrived[i] <= this.left[i]) {
        const isHalf = this.fates[i] === Fate.lost || this.fates[i] === Fate.open;
        this.arrived[i] = this.left[i] + (isHalf ? this.usual / 2 : this.usual);
      }
  }
}
