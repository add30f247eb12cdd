// A trace as the page sees it: rows in the order in which things happened, and what follows from them.

import { unpack, type Column, type Head, type Source } from "./pack";
import { Arrows } from "./arrows";
import { States } from "./states";
import { Logs } from "./logs";
import { Operations } from "./operations";
import { findStretches, type Stretch } from "./stretches";
import { upperBound } from "./sorted";

export enum Kind {
  message,
  network,
  note,
}

/** The actors of a replica, from the outside in. */
export const rooms = ["network", "router", "raft", "log_store"];

export interface Row {
  row: number;
  id: number;
  kind: Kind;
  begin: number;
  sent: number;
  end: number;
  cause: number;
  replica: number;
  from: string;
  to: string;
  type: string;
  inner: string;
  fate: string;
  mid: string;
  depth: number;
}

/** All that a record says beyond its row. */
export interface Texts {
  content: string;
  raft: string;
}

export interface Note {
  row: number;
  event: string;
  /** -1: about nobody in particular. */
  replica: number;
  text: string;
}

export class Trace {
  readonly head: Head;
  readonly count: number;
  readonly begin: Float64Array;
  readonly causes: Int32Array;
  readonly replicas: string[];
  readonly clients: string[];
  readonly arrows: Arrows;
  readonly states: States;
  readonly logs: Logs;
  readonly operations: Operations;
  readonly stretches: Stretch[];
  /** Rows of notes: they are few, and their texts are wanted at once. */
  readonly notes: Note[];
  /** Rows of messages by replica and room, and their times. */
  readonly tracks: { rows: Int32Array; times: Float64Array }[][];
  readonly first: number;
  readonly last: number;
  readonly networkTimes: Float64Array;

  private readonly pieces = new Map<number, Promise<string[]>>();
  private readonly firstEffect: Int32Array;
  private readonly effects: Int32Array;

  private constructor(
    private readonly columns: Map<string, Column>,
    private readonly readPiece: (n: number) => Promise<string>,
    head: Head,
  ) {
    this.head = head;
    this.replicas = head.replicas;
    this.begin = this.wide("begin");
    this.count = this.begin.length;
    this.causes = this.causeRows();
    [this.firstEffect, this.effects] = this.effectLists();
    this.notes = this.readNotes();
    this.first = this.count > 0 ? this.begin[0] : 0;
    this.last = this.count > 0 ? this.begin[this.count - 1] : 1;
    this.tracks = this.sortIntoTracks();
    this.states = new States(this);
    this.logs = new Logs(this);
    this.operations = new Operations(this);
    this.arrows = new Arrows(this);
    this.clients = this.namesOfClients();
    this.stretches = findStretches(this);
    this.networkTimes = this.timesOnNetwork();
  }

  static async read(source: Source): Promise<Trace> {
    const pack = await unpack(source);
    return new Trace(pack.columns, pack.piece, pack.head);
  }

  narrow(name: string): Int32Array {
    return this.columns.get(name) as Int32Array;
  }
  wide(name: string): Float64Array {
    return this.columns.get(name) as Float64Array;
  }
  text(id: number): string {
    return this.head.strings[id];
  }

  kind(row: number): Kind {
    return this.narrow("kind")[row];
  }
  type(row: number): string {
    return this.text(this.narrow("type")[row]);
  }
  /** The type of the message that this one carries. */
  inner(row: number): string {
    return this.text(this.narrow("inner")[row]);
  }
  /** Whose row it is; -1: nobody's, as of what happens on the network. */
  replica(row: number): number {
    return this.narrow("replica")[row];
  }
  room(row: number): number {
    return rooms.indexOf(this.text(this.narrow("to")[row]));
  }
  row(row: number): Row {
    const begin = this.begin[row];
    return {
      row,
      id: this.wide("id")[row],
      kind: this.kind(row),
      begin,
      sent: begin - this.wide("queued")[row],
      end: begin + this.wide("took")[row],
      cause: this.causes[row],
      replica: this.replica(row),
      from: this.text(this.narrow("from")[row]),
      to: this.text(this.narrow("to")[row]),
      type: this.type(row),
      inner: this.inner(row),
      fate: this.text(this.narrow("fate")[row]),
      mid: this.text(this.narrow("mid")[row]),
      depth: this.narrow("depth")[row],
    };
  }

  rowOfId(id: number): number {
    return this.wide("id").indexOf(id);
  }

  /** What a note says; empty for anything else. */
  noteOf(row: number): string {
    return this.kind(row) === Kind.note ? (this.notes.find((n) => n.row === row)?.text ?? "") : "";
  }

  /** The last row that had begun at this time; -1 before the first. */
  rowAt(time: number): number {
    return upperBound(this.begin, time) - 1;
  }

  effectsOf(row: number): Int32Array {
    return this.effects.subarray(this.firstEffect[row], this.firstEffect[row + 1]);
  }

  async texts(row: number): Promise<Texts> {
    const size = this.head.texts_per_piece;
    const lines = await this.piece(Math.floor(row / size));
    const [content = "", raft = ""] = (lines[row % size] ?? "").split("\t");
    return { content, raft };
  }

  /** The lines of one piece: of `texts_per_piece` rows. */
  piece(number: number): Promise<string[]> {
    let piece = this.pieces.get(number);
    if (!piece) {
      piece = this.readPiece(number).then((text) => text.split("\n"));
      this.pieces.set(number, piece);
      // A long trace has more text than a page should hold.
      const kept = 64;
      if (this.pieces.size > kept) this.pieces.delete(this.pieces.keys().next().value!);
    }
    return piece;
  }

  private causeRows(): Int32Array {
    const back = this.narrow("cause");
    return back.map((distance, row) => (distance === 0 ? -1 : row - distance));
  }

  private effectLists(): [Int32Array, Int32Array] {
    const first = new Int32Array(this.count + 1);
    for (const cause of this.causes) if (cause >= 0) ++first[cause + 1];
    for (let i = 0; i < this.count; ++i) first[i + 1] += first[i];
    const next = first.slice();
    const all = new Int32Array(first[this.count]);
    for (let row = 0; row < this.count; ++row) {
      const cause = this.causes[row];
      if (cause >= 0) all[next[cause]++] = row;
    }
    return [first, all];
  }

  private readNotes(): Note[] {
    const texts = this.narrow("note_text");
    const all = Array.from(this.narrow("note_row"), (row, i) => ({
      row,
      event: this.type(row),
      replica: this.replica(row),
      text: this.text(texts[i]),
    }));
    // A process that is killed leaves no word of it: then the simulator's has to do.
    const isTold = all.some((n) => n.event === "crash" || n.event === "pause");
    return isTold ? all : all.flatMap((n) => [n, ...this.befallen(n)]);
  }

  /** Such as `kill_leader 0004`. */
  private befallen({ row, event, text }: Note): Note[] {
    const said = /^(kill|crash|pause|resume)(?:_\w+)? (.+)$/.exec(text);
    if (event !== "fault" || !said) return [];
    const what = said[1] === "kill" ? "crash" : said[1];
    const whom = said[2].split(" ").map((name) => this.replicas.indexOf(name));
    return whom.filter((r) => r >= 0).map((replica) => ({ row, event: what, replica, text: "" }));
  }

  private sortIntoTracks() {
    const lists = this.replicas.map(() => rooms.map(() => [] as number[]));
    for (let row = 0; row < this.count; ++row) {
      const room = this.kind(row) === Kind.message ? this.room(row) : -1;
      if (room >= 0 && this.replica(row) >= 0) lists[this.replica(row)][room].push(row);
    }
    return lists.map((all) =>
      all.map((list) => ({
        rows: Int32Array.from(list),
        times: Float64Array.from(list, (row) => this.begin[row]),
      })),
    );
  }

  private namesOfClients(): string[] {
    const names = new Set(this.operations.all.map((o) => o.client));
    return [...names].sort();
  }

  private timesOnNetwork(): Float64Array {
    const times: number[] = [];
    for (let row = 0; row < this.count; ++row) if (this.kind(row) === Kind.network) times.push(this.begin[row]);
    return Float64Array.from(times);
  }
}
