import assert from "node:assert/strict";
import { test } from "node:test";
import { Fate } from "../src/model/arrows";
import { coneOf } from "../src/model/cone";
import { Log } from "../src/model/logs";
import { elections } from "../src/model/moments";
import { parseQuery, search } from "../src/model/query";
import { density, lowerBound, upperBound } from "../src/model/sorted";
import { Kind, type Trace } from "../src/model/trace";
import { fromFragment, toFragment } from "../src/view";
import { tiny } from "./tiny";

const ms = 1e6;
const terms = (log: Log) => Array.from({ length: log.last }, (_, i) => log.termOf(i + 1));

test("bounds are the first place not below, and the first above", () => {
  const values = [1, 3, 3, 5];
  assert.deepEqual([0, 1, 3, 4, 6].map((v) => lowerBound(values, v)), [0, 0, 1, 3, 4]);
  assert.deepEqual([0, 1, 3, 4, 6].map((v) => upperBound(values, v)), [0, 1, 3, 3, 4]);
});

test("density counts each time in exactly one bin, and none outside", () => {
  assert.deepEqual([...density([0, 1, 2, 2.5, 9, 10, 11], 0, 10, 5)], [2, 2, 0, 0, 1]);
});

test("a log that is overwritten has the new terms, and nothing behind them", () => {
  const log = new Log();
  log.append(1, 3, 1);
  log.append(4, 2, 2);
  assert.deepEqual(terms(log), [1, 1, 1, 2, 2]);
  log.append(3, 1, 3);
  assert.deepEqual(terms(log), [1, 1, 3]);
  log.truncate(1);
  assert.deepEqual(terms(log), [1]);
  log.append(2, 3, 4);
  log.append(2, 1, 3);
  log.append(3, 1, 4);
  log.append(2, 1, 4);
  assert.deepEqual(terms(log), [1, 4]);
});

test("a snapshot takes the place of the entries up to its index", () => {
  const log = new Log();
  log.append(1, 4, 1);
  log.compact(2);
  assert.deepEqual([log.snapshot, log.last, ...terms(log)], [2, 4, 0, 0, 1, 1]);
  log.compact(9);
  log.append(10, 1, 4);
  assert.deepEqual([log.last, log.termOf(9), log.termOf(10)], [10, 0, 4]);
});

test("the state at a row is what the last change before it left, and a crash ends it", async () => {
  const note = (at: number, type: string) => ({ at, kind: Kind.note, replica: "0000", type });
  const state = (at: number, role: string, term: number) => ({ at, replica: "0000", to: "raft", type: "wake", state: { role, term, lease: 50 * ms } });
  const trace = await tiny([
    note(0, "start"), state(1 * ms, "follower", 1), state(2 * ms, "leader", 2),
    { at: 3 * ms, replica: "0000", to: "router", type: "committed", applied: 7 },
    note(4 * ms, "crash"), note(6 * ms, "start"), state(7 * ms, "follower", 2),
  ]);
  const at = (row: number) => {
    const { role, term, applied } = trace.states.at(0, row);
    return [role, term, applied];
  };
  assert.deepEqual(at(0), ["unknown", 0, 0]);
  assert.deepEqual(at(1), ["follower", 1, 0]);
  assert.deepEqual(at(3), ["leader", 2, 7]);
  assert.deepEqual(at(4), ["down", 2, 7]);
  assert.equal(trace.states.at(0, 4).leaseUntil, 0);
  assert.deepEqual(at(5), ["unknown", 0, 0], "a new process knows nothing yet");
  assert.deepEqual(at(6), ["follower", 2, 0]);
  assert.equal(trace.states.leaderAt(3), 0);
  assert.equal(trace.states.leaderAt(4), -1);
  const bands = trace.states.bands[0].map((b) => [b.role, b.term, b.from / ms, b.to / ms]);
  assert.deepEqual(bands, [["unknown", 0, 0, 1], ["follower", 1, 1, 2], ["leader", 2, 2, 4], ["down", 2, 4, 6], ["unknown", 0, 6, 7]]);
});

test("the log at a row is the same, whether the cursor came from before or from behind", async () => {
  const write = (at: number, log: [number, number, number, number][]) => ({ at, replica: "0001", to: "log_store", type: "write", log });
  const trace = await tiny([write(1, [[0, 1, 2, 1]]), write(2, [[0, 3, 1, 2]]), write(3, [[1, 1, 0, 0], [0, 2, 1, 3]])]);
  const there = [0, 1, 2].map((row) => terms(trace.logs.at(1, row)));
  const back = [2, 1, 0].map((row) => terms(trace.logs.at(1, row))).reverse();
  assert.deepEqual(there, [[1, 1], [1, 1, 2], [1, 3]]);
  assert.deepEqual(back, there);
});

const network = (at: number, from: string, to: string, fate: string, cause?: number) => ({ at, kind: Kind.network, from, to, fate, cause, type: "append_request" });
const datagram = (at: number, replica: string, cause: number) => ({ at, replica, from: "edge", to: "network", type: "datagram", cause });
const fates = (trace: Trace) => Array.from(trace.arrows.fates, (f) => Fate[f]);

test("arrows know whether a message was lost, repeated, dead on arrival or never taken up", async () => {
  const trace = await tiny([
    network(0, "0000", "0001", "sent"), network(1, "0000", "0001", "lost"), network(2, "0000", "0002", "repeated"),
    network(3, "0000", "0001", "sent"), network(4, "0000", "0002", "sent"), network(5, "0000", "0002", "cut"),
    datagram(6, "0001", 0), datagram(7, "0002", 2), datagram(8, "0002", 2), network(9, "0000", "0001", "dead", 3),
  ]);
  assert.deepEqual(fates(trace), ["arrived", "lost", "repeated", "repeated", "dead", "open", "lost"]);
  assert.deepEqual([...trace.arrows.lostTimes], [1, 3, 5]);
});

test("a message is late if a later one overtook it, or if it took far longer than others", async () => {
  const rows = [network(0, "0000", "0001", "sent"), network(10, "0000", "0001", "sent"), datagram(20, "0001", 1), datagram(21, "0001", 0)];
  assert.deepEqual(fates(await tiny(rows)), ["late", "arrived"]);
  const steady = Array.from({ length: 4 }, (_, i) => [network(i * 100, "0000", "0001", "sent"), datagram(i * 100 + 10, "0001", 2 * i)]).flat();
  const slow = [...steady, network(400, "0000", "0002", "sent"), datagram(450, "0002", 8)];
  assert.deepEqual(fates(await tiny(slow)), ["arrived", "arrived", "arrived", "arrived", "late"]);
});

test("between real processes an arrow goes from who sent to who received", async () => {
  const sent = { at: 1, replica: "0000", to: "network", type: "outbound", inner: "vote_request" };
  const trace = await tiny([sent, network(2, "0000", "0001", "sent"), datagram(3, "0001", 0)]);
  assert.equal(trace.arrows.count, 1, "not once more for what the simulator passed on");
  const { from, to, left, arrived, type } = trace.arrows.at(0);
  assert.deepEqual([from, to, left, arrived, type], ["0000", "0001", 1, 3, "vote_request"]);
});

test("what crosses a stretch of time is found, however long it is", async () => {
  const quick = Array.from({ length: 300 }, (_, i) => [network(i * 10, "0000", "0001", "sent"), datagram(i * 10 + 1, "0001", 2 * i + 1)]).flat();
  const trace = await tiny([network(0, "0000", "0002", "sent"), ...quick, datagram(5000, "0002", 0)]);
  const found = [...trace.arrows.within(2000, 2005)].map((i) => trace.arrows.at(i).to);
  assert.deepEqual(found.sort(), ["0001", "0002"]);
});

test("a cone has all causes, and effects up to the next timer", async () => {
  const m = (cause?: number, from = "raft") => ({ at: 1, replica: "0000", from, to: "raft", type: "x", cause });
  //                       0    1     2     3             4     5     6 (elsewhere)
  const trace = await tiny([m(), m(0), m(1), m(2, "timer"), m(2), m(3), m(0)]);
  const cone = coneOf(trace, 1);
  assert.deepEqual(cone.causes, [0, 1]);
  assert.deepEqual(cone.effects, [2, 4]);
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map((row) => cone.has(row)), [true, true, true, false, true, false, false]);
});

test("partitions, kills, pauses and storms become stretches", async () => {
  const note = (at: number, type: string, note: string, replica?: string) => ({ at, kind: Kind.note, type, note, replica });
  const trace = await tiny([
    note(1, "fault", "part_hard 0000 0002"), note(2, "crash", "", "0001"), note(3, "fault", "part_end"),
    note(4, "start", "", "0001"), note(5, "pause", "", "0002"), note(6, "fault", "f3 at 0.2 s for 0.1 s: cut off 0001"),
    note(7, "fault", "f4 at 0.2 s for 0.1 s: lose 6.5 % on what is sent by 0000"), note(8, "resume", "", "0002"),
    note(9, "fault", "f3 ends"), note(10, "fault", "0000 leads, says 0000"), note(11, "end", ""),
  ]);
  const all = trace.stretches.map((s) => [s.kind, s.from, s.to, s.replicas.join()]);
  assert.deepEqual(all, [
    ["partition", 1, 3, "0,2"], ["kill", 2, 4, "1"], ["pause", 5, 8, "2"], ["partition", 6, 9, "1"], ["weather", 7, 11, "0"],
  ]);
});

test("of real processes the simulator tells who was killed", async () => {
  const trace = await tiny([
    { at: 1, replica: "0001", to: "raft", type: "start", state: { role: "leader", term: 1 } },
    { at: 2, kind: Kind.note, type: "fault", note: "kill_leader 0001" }, { at: 3, kind: Kind.note, type: "end", note: "" },
  ]);
  assert.deepEqual(trace.stretches.map((s) => [s.kind, s.from, s.to, s.replicas.join()]), [["kill", 2, 3, "1"]]);
  assert.equal(trace.states.at(1, 1).role, "down");
  assert.equal(trace.states.leaderAt(2), -1);
});

test("elections are told with their winners, or that there was none", async () => {
  const state = (at: number, replica: string, role: string, term: number) => ({ at, replica, to: "raft", type: "wake", state: { role, term } });
  const trace = await tiny([
    state(1, "0000", "follower", 0), state(2, "0000", "candidate", 1), state(3, "0000", "candidate", 2), state(4, "0000", "leader", 2), state(5, "0001", "follower", 2),
  ]);
  assert.deepEqual(elections(trace).map((m) => [m.time, m.words]), [[2, "0000 stands in term 1, in vain"], [4, "0000 leads term 2"]]);
});

test("a question is words and fields; a field that nobody knows is said", async () => {
  assert.deepEqual(parseQuery(" type:vote_request term:3 Lost "), { words: ["lost"], type: "vote_request", term: "3" });
  assert.throws(() => parseQuery("colour:red"), /no field is called "colour"/);
  const trace = await tiny([
    { at: 1, replica: "0000", to: "raft", type: "received", inner: "vote_request" }, network(2, "0000", "0001", "lost"), { at: 3, replica: "0001", to: "raft", type: "wake" },
  ]);
  const rowsFor = async (text: string) => {
    const rows: number[] = [];
    for await (const found of search(trace, parseQuery(text))) rows.push(...found.rows);
    return rows;
  };
  assert.deepEqual(await rowsFor("type:vote_request"), [0]);
  assert.deepEqual(await rowsFor("replica:0001"), [1, 2]);
  assert.deepEqual(await rowsFor("fate:lost 0001"), [1]);
  assert.deepEqual(await rowsFor("wake replica:0000"), []);
});

test("a view comes back from the fragment that it was put into", () => {
  const view = { from: 1.5e9, to: 2.25e9, cursor: 2e9 + 123, selected: 4, open: new Set([2, 0]), query: "term:3 a&b" };
  const back = fromFragment(toFragment(view, (row) => row + 100), (id) => id - 100);
  assert.deepEqual(back, { ...view, open: new Set([0, 2]) });
  assert.deepEqual(fromFragment("#from=x&to=3", () => -1), {}, "what makes no sense is left alone");
});
