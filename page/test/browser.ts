// A browser, and what tests ask a page.

import { chromium, type Browser, type Page } from "playwright-core";

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: process.getuid!() === 0 ? ["--no-sandbox"] : [] });
}

export interface Opened {
  page: Page;
  errors: string[];
  asked: string[];
  ready_ms: number;
}

export async function openPage(browser: Browser, url: string, size = { width: 1440, height: 900 }, colorScheme: "light" | "dark" = "light", beforehand?: () => void): Promise<Opened> {
  const page = await browser.newPage({ viewport: size, colorScheme, reducedMotion: "reduce" });
  if (beforehand) await page.addInitScript(beforehand);
  const errors: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("request", (request) => asked.push(request.url()));
  const begun = performance.now();
  await page.goto(url);
  await page.waitForSelector("body[data-ready]", { timeout: 60_000 });
  await settled(page);
  return { page, errors, asked, ready_ms: performance.now() - begun };
}

/** Two frames later everything has been drawn. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));
}

/** To another moment of the page that is open already. */
export async function goTo(page: Page, url: string): Promise<void> {
  await page.goto(url);
  const moment = Number(/at=([\d.]+)/.exec(url)![1]).toFixed(6);
  await page.waitForFunction((m) => document.querySelector("#moment")!.textContent!.startsWith(m), moment);
  await settled(page);
}

export async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
  await settled(page);
}

export async function text(page: Page, selector: string): Promise<string> {
  return ((await page.locator(selector).first().textContent()) ?? "").trim();
}

/** A row of the table of states: role, term, vote, commit, applied, lease. */
export async function stateOf(page: Page, replica: string): Promise<string[]> {
  return page.locator(`#states tr[data-replica="${replica}"] td`).allTextContents();
}

/** How many pixels of the lanes have this colour of the style sheet; of the whole canvas, or from one height to another. */
export async function pixels(page: Page, colour: string, top = 0, bottom = 1e6): Promise<number> {
  return page.evaluate(([name, from, to]) => {
    const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    const wanted = [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16));
    const canvas = document.querySelector<HTMLCanvasElement>("#lanes")!;
    const height = Math.min(canvas.height, Number(to)) - Number(from);
    const { data } = canvas.getContext("2d")!.getImageData(0, Number(from), canvas.width, height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) if (wanted.every((c, j) => Math.abs(data[i + j] - c) < 12) && data[i + 3] > 200) ++n;
    return n;
  }, [colour, top, bottom] as const);
}

/** How many crosses of this colour there are: four arms, and nothing at their sides. */
export async function crosses(page: Page, colour: string): Promise<number> {
  return page.evaluate((name) => {
    const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    const wanted = [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16));
    const canvas = document.querySelector<HTMLCanvasElement>("#lanes")!;
    const { data, width, height } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const is = (x: number, y: number) => data[4 * (y * width + x) + 3] > 90 && wanted.every((c, j) => Math.abs(data[4 * (y * width + x) + j] - c) < 40);
    const places: [number, number][] = [];
    for (let y = 5; y < height - 5; ++y)
      for (let x = 5; x < width - 5; ++x) {
        const arms = [-3, 3].every((dx) => [-3, 3].every((dy) => is(x + dx, y + dy)));
        if (arms && !is(x - 4, y) && !is(x + 4, y) && !places.some(([px, py]) => Math.hypot(px - x, py - y) < 4)) places.push([x, y]);
      }
    return places.length;
  }, colour);
}

/** The view at this moment: so many seconds from end to end. */
export function at(url: string, seconds: number, span = 0.01, more = ""): string {
  return `${url}#from=${seconds - span / 2}&to=${seconds + span / 2}&at=${seconds}${more}`;
}
