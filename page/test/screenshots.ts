// Three pictures for README.md and docs/page.md: node screenshots.mjs FOLDER

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { at, goTo, openBrowser, openPage, press } from "./browser";
import { play, withWrongEntry } from "./pages";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
const size = { width: 1440, height: 900 };

// The second election: a vote for whoever follows the first leader that was killed. Where it is depends on the seed and on every economy of messages.
const killed = play("crash-4", 7);
const death = killed.records.find((r) => r.event === "crash")!;
const vote = killed.records.find((r) => r.content?.message?.type === "vote_request" && r.raft?.voted_for && r.begin > death.at)!;
const voted_s = vote.begin / 1e9 - 1; // the virtual clock starts at one second

const whole = await openPage(browser, `${killed.url}#from=0&to=37.2&at=${(voted_s + 0.3).toFixed(1)}`, size);
await whole.page.screenshot({ path: join(folder, "run.png") });

const open = `&open=${Number(vote.replica)}`;
const election = await openPage(browser, at(killed.url, voted_s, 0.0016, open), size);
await goTo(election.page, at(killed.url, voted_s, 0.0016, `${open}&event=${vote.id}`));
await election.page.screenshot({ path: join(folder, "election.png") });

const wrong = await openPage(browser, withWrongEntry(killed).url, size, "dark");
await press(wrong.page, "v", "-", "2");
await wrong.page.screenshot({ path: join(folder, "violation.png") });
await browser.close();
