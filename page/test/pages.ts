// Pages to look at, made by the programs from runs whose seeds are known.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const programs = resolve(process.env.TROUPE_BIN ?? "../build/release/bin");
const folder = join(tmpdir(), `troupe-page-${process.getuid!()}`);

const run = (program: string, ...args: string[]) => execFileSync(join(programs, program), args, { stdio: ["ignore", "ignore", "inherit"] });

/** What grade a run gets does not matter here; that it cannot be played does. */
const simulate = (...args: string[]) => {
  try {
    run("troupe-sim", ...args);
  } catch (error) {
    if ((error as { status?: number }).status !== 1) throw error;
  }
};

export interface Made {
  url: string;
  trace: string;
  /** The records, without the header. */
  records: Record<string, any>[];
}

function pageOf(trace: string): Made {
  const page = trace.replace(/\.jsonl$/, ".html");
  run("troupe-trace", "html", trace, "-o", page);
  const lines = readFileSync(trace, "utf8").trim().split("\n").slice(1);
  return { url: `file://${page}`, trace, records: lines.map((line) => JSON.parse(line)) };
}

export function play(scenario: string, seed: number): Made {
  mkdirSync(folder, { recursive: true });
  const trace = join(folder, `${basename(scenario, ".json")}-${seed}.jsonl`);
  simulate(scenario, "--seed", String(seed), "--trace", trace);
  if (!existsSync(trace)) throw new Error(`${scenario} left no trace`);
  return pageOf(trace);
}

/** The same trace with one line changed: a bug that nobody has to build. */
export function spoil(good: Made, name: string, change: (line: string, record: Record<string, any>) => string | undefined): Made {
  const [header, ...lines] = readFileSync(good.trace, "utf8").trimEnd().split("\n");
  let done = false;
  const spoilt = lines.map((line, i) => {
    const other = done ? undefined : change(line, good.records[i]);
    done ||= other !== undefined;
    return other ?? line;
  });
  if (!done) throw new Error("nothing to spoil");
  const trace = join(folder, `${name}.jsonl`);
  writeFileSync(trace, `${[header, ...spoilt].join("\n")}\n`);
  return pageOf(trace);
}

/** One replica applies another entry than the others. */
export const withWrongEntry = (good: Made) =>
  spoil(good, "wrong-entry", (line, r) =>
    r.type === "committed" && r.replica === "0001" && r.content.entries[0].index > 100 ? line.replace(/"value":"[0-9A-F]+"/, '"value":"BAD"') : undefined);

/** A client reads what nobody has written. */
export const withWrongAnswer = (good: Made) =>
  spoil(good, "wrong-answer", (line, r) =>
    r.type === "client_answer" && r.content.reply.value && r.begin > 20e9 ? line.replace(/"value":"[0-9A-F]+"/, '"value":"STALE"') : undefined);
