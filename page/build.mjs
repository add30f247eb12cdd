// Bundles the page into one file, or the tests into a folder and runs them.
//   node build.mjs viewer FILE      writes the page, with a mark where the trace goes
//   node build.mjs test [PATTERN]   runs test/*.test.ts

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(here);

async function bundle(entry, extra = {}) {
  const result = await build({
    entryPoints: [entry], bundle: true, minify: true, write: false, target: "es2022", charset: "ascii", metafile: true,
    legalComments: "none", logLevel: "error", ...extra,
  });
  return { text: result.outputFiles[0].text.trim(), inputs: Object.keys(result.metafile.inputs) };
}

/** What is in the page has to say whose it is. */
function licencesOf(inputs) {
  const names = inputs.map((i) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(i)?.[1]).filter(Boolean);
  return [...new Set(names)].sort().map((name) => {
    const folder = join("node_modules", name);
    const file = ["LICENSE", "LICENSE.md", "license"].map((f) => join(folder, f)).find(existsSync);
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version}\n\n${readFileSync(file, "utf8").trim()}\n`;
  }).join("\n");
}

async function viewer(path) {
  const script = await bundle("src/main.ts");
  const style = await bundle("src/style.css");
  const parts = {
    "/*STYLE*/": style.text,
    "/*SCRIPT*/": script.text.replaceAll("</script", "<\\/script"),
    "/*LICENCES*/": `\n${licencesOf(script.inputs)}`,
  };
  const page = readFileSync("src/page.html", "utf8").replaceAll(/\/\*(STYLE|SCRIPT|LICENCES)\*\//g, (mark) => parts[mark]);
  // A compiler reads it as well: nothing but ASCII.
  writeFileSync(path, page.replaceAll(/[^\x00-\x7f]/gu, (c) => `&#x${c.codePointAt(0).toString(16)};`));
}

async function test(pattern = "") {
  const out = join("node_modules", ".tests");
  mkdirSync(out, { recursive: true });
  const names = readdirSync("test").filter((n) => n.endsWith(".test.ts") && n.includes(pattern));
  const files = [];
  for (const name of names) {
    const { text } = await bundle(join("test", name), { platform: "node", format: "esm", minify: false, packages: "external" });
    files.push(join(out, name.replace(/\.ts$/, ".mjs")));
    writeFileSync(files.at(-1), text);
  }
  process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
}

const [what, argument] = process.argv.slice(2);
await (what === "viewer" ? viewer(argument) : test(argument));
