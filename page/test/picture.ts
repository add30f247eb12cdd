// A picture of any page: node build.mjs run picture.ts PAGE.html[#fragment] PICTURE.png [key...]

import { pathToFileURL } from "node:url";
import { openBrowser, openPage, press } from "./browser";

const [target, picture, ...keys] = process.argv.slice(2);
const [path, fragment] = target.split("#");
const browser = await openBrowser();
const { page } = await openPage(browser, pathToFileURL(path).href + (fragment ? `#${fragment}` : ""));
await press(page, ...keys);
await page.screenshot({ path: picture });
await browser.close();
