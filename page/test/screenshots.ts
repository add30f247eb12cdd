// Three pictures for README.md and docs/page.md: node screenshots.mjs FOLDER

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { at, goTo, openBrowser, openPage, press } from "./browser";
import { play, withWrongEntry } from "./pages";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
const size = { width: 1440, height: 900 };

const killed = play("crash-4", 7);
const whole = await openPage(browser, `${killed.url}#from=0&to=37.2&at=14.6`, size);
await whole.page.screenshot({ path: join(folder, "run.png") });

const election = await openPage(browser, at(killed.url, 14.0383, 0.0016, "&open=3"), size);
const vote = killed.records.find((r) => r.content?.message?.type === "vote_request" && r.raft?.voted_for && r.begin > 15e9)!;
await goTo(election.page, at(killed.url, 14.0383, 0.0016, `&open=3&event=${vote.id}`));
await election.page.screenshot({ path: join(folder, "election.png") });

const wrong = await openPage(browser, withWrongEntry(killed).url, size, "dark");
await press(wrong.page, "v", "-", "2");
await wrong.page.screenshot({ path: join(folder, "violation.png") });
await browser.close();
