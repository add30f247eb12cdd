// Bundles the page into one file, or the tests into a folder and runs them.
//   node build.mjs viewer FILE      writes the page, with a mark where the trace goes
//   node build.mjs test [PATTERN]   runs test/*.test.ts
//   node build.mjs run FILE ...     runs test/FILE

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

/** As a file that node runs. */
async function compiled(name) {
  const out = join("node_modules", ".tests");
  mkdirSync(out, { recursive: true });
  const { text } = await bundle(join("test", name), { platform: "node", format: "esm", minify: false, packages: "external" });
  const file = join(out, name.replace(/\.ts$/, ".mjs"));
  writeFileSync(file, text);
  return file;
}

function node(...all) {
  process.exitCode = spawnSync(process.execPath, all, { stdio: "inherit" }).status ?? 1;
}

async function test(pattern = "") {
  const names = readdirSync("test").filter((n) => n.endsWith(".test.ts") && n.includes(pattern));
  const files = [];
  for (const name of names) files.push(await compiled(name));
  node("--test", "--test-reporter=spec", ...files);
}

const [what, ...rest] = process.argv.slice(2);
if (what === "viewer") await viewer(rest[0]);
else if (what === "test") await test(rest[0]);
else if (what === "run") node(await compiled(rest[0]), ...rest.slice(1));
else throw new Error("viewer, test or run");
