import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { at, crosses, goTo, openBrowser, openPage, pixels, press, settled, stateOf, text } from "./browser";
import { play, withWrongAnswer, withWrongEntry, type Made } from "./pages";

let browser: Browser;
let killed: Made; // its leader, twice
let parted: Made; // twice, the leader in the minority
let wrongEntry: Made;
let wrongAnswer: Made;

before(async () => {
  browser = await openBrowser();
  killed = play("crash-4", 7);
  parted = play("partition-4", 7);
  wrongEntry = withWrongEntry(killed);
  wrongAnswer = withWrongAnswer(killed);
});
after(() => browser.close());

const second = 1e9;
const start_ns = second; // of virtual clocks
const secondsOf = (record: Record<string, any>) => ((record.begin ?? record.at) - start_ns) / second;
/** A moment between two events, of which the later one has a cause, an effect and one after it. */
function beforeACaused(made: Made): number {
  const caused = new Set(made.records.map((r) => r.cause));
  const i = made.records.findIndex((r, n) => secondsOf(r) > 14 && r.cause && caused.has(r.id) && secondsOf(r) > secondsOf(made.records[n - 1]) + 1e-5);
  return secondsOf(made.records[i]) - 5e-6;
}
const find = (made: Made, test: (r: Record<string, any>) => boolean) => made.records.find(test)!;

test("a page opens from a file, by itself, and says which run it shows and how it went", async () => {
  const { page, errors, asked } = await openPage(browser, killed.url);
  assert.equal(await text(page, "#name"), "crash-4");
  const times = killed.records.map(secondsOf);
  const seconds = (Math.max(...times) - Math.min(...times)).toFixed(3);
  const events = killed.records.length.toLocaleString("en").replaceAll(",", " ");
  assert.equal(await text(page, "#facts"), `5 replicas · seed 7 · virtual time · ${seconds} s · ${events} events`);
  assert.equal(await text(page, "#command"), "troupe-sim crash-4 --seed 7");
  assert.match(await text(page, "#verdict"), /no rule of Raft broken, \d+ operations linearizable/);
  assert.deepEqual(errors, []);
  assert.deepEqual(asked.filter((url) => !/^(file|data|blob):/.test(url)), [], "it asks nobody for anything");
  await page.close();
});

test("the states at the cursor are what the trace says, before and after a leader is killed", async () => {
  const leads = (term: number) => find(killed, (r) => r.raft?.role === "leader" && (r.raft.term ?? term) === term && secondsOf(r) > (term - 1) * 10);
  const crash = find(killed, (r) => r.event === "crash");
  const { page } = await openPage(browser, at(killed.url, secondsOf(crash) - 0.001));
  const [role, term] = await stateOf(page, crash.replica);
  assert.deepEqual([role, term], ["L leader", "1"]);
  assert.equal(await text(page, "#leader"), `${crash.replica} leads term 1`);
  await goTo(page, at(killed.url, secondsOf(crash) + 0.001));
  assert.equal((await stateOf(page, crash.replica))[0], "× down");
  assert.equal(await text(page, "#leader"), "nobody leads");
  const next = leads(2);
  await goTo(page, at(killed.url, secondsOf(next) + 1e-6));
  assert.equal(await text(page, "#leader"), `${next.replica} leads term 2`);
  await page.close();
});

test("the state of every replica at any time is that of its last change", async () => {
  const time = 23.1;
  const { page } = await openPage(browser, at(killed.url, time));
  for (const replica of ["0000", "0001", "0002"]) {
    const state: Record<string, any> = {};
    for (const r of killed.records) if (r.replica === replica && r.raft && secondsOf(r) <= time) Object.assign(state, r.raft);
    const [, term, vote, commit] = await stateOf(page, replica);
    assert.deepEqual([term, vote, commit], [String(state.term), state.voted_for, String(state.commit)], replica);
  }
  await page.close();
});

test("the log at the cursor ends where the leader's does", async () => {
  const { page } = await openPage(browser, killed.url);
  const last = killed.records.reduce((most, r) => Math.max(most, r.raft?.last_index ?? 0), 0);
  assert.match(await text(page, "#matrix-range"), new RegExp(`to ${last} of ${last}$`));
  await press(page, "[");
  assert.match(await text(page, "#matrix-range"), new RegExp(`to ${last - 10} of ${last}$`));
  await page.close();
});

test("a click on an event shows its content, the state before and after, and lights what it is about", async () => {
  const vote = find(killed, (r) => r.content?.message?.type === "vote_request" && r.raft?.voted_for);
  const { page } = await openPage(browser, at(killed.url, secondsOf(vote), 0.0004, `&open=${Number(vote.replica)}`));
  const canvas = (await page.locator("#lanes").boundingBox())!;
  const lane = (await page.locator(`#gutter .room >> text=raft`).boundingBox())!;
  await page.mouse.click(canvas.x + canvas.width / 2, lane.y + lane.height / 2);
  await settled(page);
  assert.equal(await text(page, "#details h2"), `received: vote_request #${vote.id}`);
  assert.match(await text(page, "#details .content"), new RegExp(`"term": ${vote.content.message.term}`));
  const changed = await page.locator("#details .change tr.changed").allTextContents();
  assert.ok(changed.some((row) => row.startsWith("vote")), changed.join());
  assert.match(await text(page, "#details h3 >> text=Causes"), /Causes \(\d+\)/);
  assert.ok((await pixels(page, "accent")) > 200, "its causes are lit");
  await press(page, "Escape");
  assert.ok((await pixels(page, "accent")) < (await page.locator("#lanes").boundingBox())!.height * 3, "only the cursor is left");
  await page.close();
});

test("arrow keys step through events, to causes and to effects", async () => {
  const { page } = await openPage(browser, at(killed.url, beforeACaused(killed)));
  const number = async () => Number(/#(\d+)/.exec(await text(page, "#details h2"))![1]);
  const indexOf = (id: number) => killed.records.findIndex((r) => r.id === id);
  await press(page, "ArrowRight");
  const first = await number();
  await press(page, "ArrowRight");
  assert.equal(indexOf(await number()), indexOf(first) + 1);
  await press(page, "ArrowLeft");
  assert.equal(await number(), first);
  await press(page, "ArrowUp");
  const cause = await number();
  assert.equal(cause, killed.records[indexOf(first)].cause);
  await press(page, "ArrowDown");
  assert.equal(killed.records[indexOf(await number())].cause, cause);
  await page.close();
});

test("a search finds all that fit, and only those", async () => {
  const { page } = await openPage(browser, killed.url);
  const expect = async (query: string, fits: (r: Record<string, any>) => boolean) => {
    await press(page, "/");
    await page.fill("#search", query);
    await page.waitForFunction((q) => document.querySelector<HTMLElement>("#found")!.dataset.for === q, query);
    const n = killed.records.filter(fits).length;
    assert.ok(n > 0, query);
    assert.equal(await text(page, "#found"), `${n} found`, query);
  };
  await expect("type:vote_request", (r) => r.type === "vote_request" || r.content?.message?.type === "vote_request" || (r.type === "outbound" && r.content.messages[0].message.type === "vote_request"));
  await expect("client:C003", (r) => [r.from, r.to].includes("C003") || JSON.stringify(r.content ?? "").includes('"client":"C003"'));
  const { MID } = find(killed, (r) => r.MID && r.type === "put");
  await expect(`mid:${MID}`, (r) => r.MID === MID || JSON.stringify(r.content ?? "").includes(MID));
  await expect("type:received term:3", (r) => r.type === "received" && /"term":3\b/.test(JSON.stringify([r.content, r.raft])));
  await page.keyboard.press("Enter");
  await settled(page);
  assert.match(await text(page, "#details h2"), /^received: /);
  await page.fill("#search", "colour:red");
  await page.waitForSelector("#search[aria-invalid]");
  assert.match(await text(page, "#found"), /no field is called "colour"/);
  await page.close();
});

test("keys jump to elections and failures", async () => {
  const { page } = await openPage(browser, at(killed.url, 0.1));
  await press(page, "e", "e");
  assert.match(await text(page, "#leader"), /leads term 2/);
  await press(page, "Shift+E");
  assert.match(await text(page, "#leader"), /leads term 1/);
  await press(page, "f");
  assert.match(await text(page, "#details h2"), /^crash #/);
  await page.close();
});

test("a partition is shaded, and both sides' leaders are told", async () => {
  const part = find(parted, (r) => r.event === "fault" && r.text.startsWith("part_hard"));
  const second = find(parted, (r) => r.raft?.role === "leader" && (r.at ?? r.begin) > part.at);
  const { page } = await openPage(browser, at(parted.url, secondsOf(second) + 0.01, 0.4));
  const roles = new Map<string, string[]>();
  for (const name of ["0000", "0001", "0002", "0003", "0004"]) roles.set(name, await stateOf(page, name));
  assert.deepEqual(roles.get(second.replica)!.slice(0, 2), ["L leader", "2"]);
  assert.equal(await text(page, "#leader"), `${second.replica} leads term 2`);
  const options = await page.locator('select[aria-label="Failures"] option').allTextContents();
  assert.ok(options.some((o) => o.includes("part_hard")), options.join());
  assert.ok((await pixels(page, "warn")) > 50, "the sides are named");
  const lost = parted.records.filter((r) => ["lost", "cut"].includes(r.fate) && r.from === "0004");
  await goTo(page, at(parted.url, secondsOf(lost[0]) - 0.001, 0.02));
  assert.ok((await crosses(page, "wrong")) >= 2, "lost messages end in crosses");
  await page.close();
});

test("a broken rule is said at the top, and one key leads there", async () => {
  const { page } = await openPage(browser, wrongEntry.url);
  assert.match(await text(page, "#verdict button"), /^✕ log matching|^✕ state machine safety: entry 1\d\d is/);
  await press(page, "v");
  assert.match(await text(page, "#details h2"), /^committed #/);
  assert.match(await text(page, "#details .content"), /"BAD"/);
  await page.close();
});

test("an answer that cannot be is red", async () => {
  const { page } = await openPage(browser, wrongAnswer.url);
  assert.match(await text(page, "#verdict button"), /^✕ not linearizable/);
  await press(page, "v");
  assert.equal(await text(page, "#details h3.wrong"), "Operation: this answer cannot be");
  assert.match(await text(page, "#details"), /STALE/);
  const top = (await page.locator("#gutter .client").first().boundingBox())!;
  const canvas = (await page.locator("#lanes").boundingBox())!;
  const rows = 8 * 14;
  assert.ok((await pixels(page, "wrong", top.y - canvas.y, top.y - canvas.y + rows)) > 20);
  await page.close();
});

test("a link leads to the same moment, event and unfolded lanes", async () => {
  const { page } = await openPage(browser, at(killed.url, beforeACaused(killed)));
  await press(page, "ArrowRight", "2", "+");
  await page.waitForTimeout(250); // the fragment follows when the view has come to rest
  const url = page.url();
  const seen = [await text(page, "#moment"), await text(page, "#details h2"), await text(page, "#span")];
  const other = (await openPage(browser, url)).page;
  assert.deepEqual([await text(other, "#moment"), await text(other, "#details h2"), await text(other, "#span")], seen);
  assert.equal(await other.locator('[data-replica="1"]').first().getAttribute("aria-expanded"), "true");
  await other.close();
  await page.close();
});

test("a link that is followed while the view is being remembered is not forgotten", async () => {
  // The event that tells of a new address comes later than the time after which a view is remembered.
  const { page } = await openPage(browser, at(killed.url, 10), undefined, undefined, () =>
    addEventListener("hashchange", (event) => {
      event.stopImmediatePropagation();
      setTimeout(() => dispatchEvent(new HashChangeEvent("hashchange")), 300);
    }, { once: true }));
  await page.keyboard.press("ArrowRight");
  await page.evaluate((address) => void (location.href = address), at(killed.url, 20));
  await page.waitForTimeout(400);
  await settled(page);
  assert.match(await text(page, "#moment"), /^20\.000000/);
  await page.close();
});

test("time passes when it is told to, at the speed that was chosen", async () => {
  const { page } = await openPage(browser, at(killed.url, 10, 4));
  const now = async () => parseFloat(await text(page, "#moment"));
  await press(page, ">", " ");
  await page.waitForFunction(() => parseFloat(document.querySelector("#moment")!.textContent!) > 10.5);
  await press(page, " ");
  const stopped = await now();
  await page.waitForTimeout(100);
  assert.equal(await now(), stopped);
  await page.close();
});

test("lanes unfold into actors, and the wheel comes closer where the pointer is", async () => {
  const { page } = await openPage(browser, killed.url);
  const height = async () => (await page.locator("#lanes").boundingBox())!.height;
  const folded = await height();
  await page.locator("#gutter button").first().click();
  await settled(page);
  assert.deepEqual(await page.locator("#gutter .room").allTextContents(), ["network", "router", "raft", "log store"]);
  await press(page, "a", "a");
  assert.ok((await height()) > folded);
  const canvas = (await page.locator("#lanes").boundingBox())!;
  const before = await text(page, "#span");
  await page.mouse.move(canvas.x + 300, canvas.y + 100);
  await page.mouse.wheel(0, -400);
  await settled(page);
  assert.ok(parseFloat(await text(page, "#span")) < parseFloat(before));
  await page.close();
});

test("the command is copied with a click", async () => {
  const { page } = await openPage(browser, killed.url);
  await page.click("#copy");
  await page.waitForSelector("#copy[data-copied]");
  assert.equal(await page.getAttribute("#copy", "data-copied"), "troupe-sim crash-4 --seed 7");
  await page.close();
});

test("everything is reached with the keyboard alone", async () => {
  const { page } = await openPage(browser, killed.url);
  const reached = new Set<string>();
  for (let i = 0; i < 30; ++i) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => { const e = document.activeElement!; return e.id || e.getAttribute("aria-label") || (e as HTMLElement).dataset.replica || e.tagName; }));
  }
  for (const name of ["copy", "link", "theme", "show-help", "play", "speed", "Elections", "Failures", "search", "lanes", "0"]) assert.ok(reached.has(name), `${name} in ${[...reached].join()}`);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await press(page, "?");
  assert.equal(await page.locator("#help").isVisible(), true);
  assert.ok((await page.locator("#help tr").count()) > 12);
  await press(page, "Escape");
  assert.equal(await page.locator("#help").isVisible(), false);
  await page.close();
});

test("light and dark follow the system, and a key", async () => {
  const { page } = await openPage(browser, killed.url, { width: 1440, height: 900 }, "dark");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  assert.equal(dark, "rgb(21, 25, 29)");
  await press(page, "t");
  assert.equal(await ground(), "rgb(255, 255, 255)");
  await page.close();
});

test("a narrow window shows all, below each other", async () => {
  const { page, errors } = await openPage(browser, killed.url, { width: 480, height: 900 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 480);
  assert.equal(await page.locator("#states").isVisible(), true);
  assert.deepEqual(errors, []);
  await page.close();
});
