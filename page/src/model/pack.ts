// What the program has put into the page, as cluster/page/pack.hpp writes it: a head in JSON, columns of numbers, and
// the texts of records in pieces that are unpacked when somebody looks at them.

export interface File {
  path: string;
  mode: string;
  program: string;
  scenario: string;
  replica: string;
  command: string;
  seed: string;
  damage: string;
  complete: boolean;
}

export interface Head {
  format: number;
  files: File[];
  replicas: string[];
  strings: string[];
  /** What is shown as time 0, on the trace's clock. Times in columns count from here. */
  zero_ns: number;
  columns: { name: string; count: number; wide: boolean }[];
  texts_per_piece: number;
  pieces: number;
  verdict: { state: "kept" | "broken" | "unknown"; words: string; rows: number[] };
}

export type Column = Int32Array | Float64Array;

export interface Pack {
  head: Head;
  columns: Map<string, Column>;
  piece(number: number): Promise<string>;
}

/** Where the pieces of text come from: script elements of the page, or a test. */
export type Source = (name: string) => string;

export async function unpack(source: Source): Promise<Pack> {
  const bytes = new Uint8Array(await inflate(source("trace")));
  const headBytes = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headBytes))) as Head;
  const reader = new Varints(bytes, 4 + headBytes);
  const columns = new Map<string, Column>();
  for (const c of head.columns) columns.set(c.name, reader.column(c.count, c.wide));
  const read = async (number: number) => new TextDecoder().decode(await inflate(source(`texts-${number}`)));
  return { head, columns, piece: read };
}

async function inflate(base64: string): Promise<ArrayBuffer> {
  const stream = new Blob([fromBase64(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const fast = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fast.fromBase64) return fast.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Differences to the number before, sign in the lowest bit, seven bits a byte. */
class Varints {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  column(count: number, wide: boolean): Column {
    const column = wide ? new Float64Array(count) : new Int32Array(count);
    let value = 0;
    for (let i = 0; i < count; ++i) {
      const n = this.next();
      value += n % 2 === 0 ? n / 2 : -(n + 1) / 2;
      column[i] = value;
    }
    return column;
  }

  private next(): number {
    let byte = this.bytes[this.at++];
    if (byte < 0x80) return byte;
    let n = byte & 0x7f;
    // Times have more bits than a shift knows.
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = this.bytes[this.at++];
      n += (byte & 0x7f) * factor;
    }
    return n;
  }
}
