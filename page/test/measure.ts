// How long pages take to open, and frames while they scroll: of an ordinary run, and of a million events.

import { statSync } from "node:fs";
import { openBrowser, openPage } from "./browser";
import { play } from "./pages";

const spans_s = [400, 37, 2, 0.05];
const frames = 120;

const browser = await openBrowser();
for (const [scenario, seed] of [["crash-4", 7], ["./test/million.json", 3]] as const) {
  const begun = performance.now();
  const made = play(scenario, seed);
  const wrote_s = (performance.now() - begun) / 1000;
  const bytes = statSync(new URL(made.url)).size;
  console.log(`${scenario}: ${made.records.length} events, ${(bytes / 1e6).toFixed(1)} MB, played and written in ${wrote_s.toFixed(1)} s`);
  const opening: number[] = [];
  for (let i = 0; i < 3; ++i) {
    const { page, ready_ms } = await openPage(browser, made.url);
    opening.push(ready_ms);
    await page.close();
  }
  console.log(`  opens in ${opening.map((ms) => Math.round(ms)).join(", ")} ms`);
  const { page } = await openPage(browser, made.url);
  for (const span of spans_s) {
    if (span > 2 * (made.records.at(-1)!.at / 1e9)) continue;
    await page.evaluate((s) => (location.hash = `#from=10&to=${10 + s}&at=10`), span);
    await page.waitForTimeout(400);
    const times = await page.evaluate(async (n) => {
      const all: number[] = [];
      for (let i = 0; i < n; ++i) {
        const begun = performance.now();
        document.querySelector("#lanes")!.dispatchEvent(new WheelEvent("wheel", { deltaY: 20, shiftKey: true, cancelable: true }));
        await new Promise(requestAnimationFrame);
        all.push(performance.now() - begun);
      }
      return all.sort((a, b) => a - b);
    }, frames);
    const at = (part: number) => times[Math.floor((times.length - 1) * part)].toFixed(1);
    console.log(`  scrolling through ${span} s: a frame takes ${at(0.5)} ms, 95 % at most ${at(0.95)}, all at most ${at(1)}`);
  }
  await page.close();
}
await browser.close();
