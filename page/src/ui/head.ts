// Which run this is, what is wrong with it, and how to play it once more.

import { count, length } from "../format";
import type { Trace } from "../model/trace";
import { element, find } from "./dom";

export function fillHead(trace: Trace, jumpToViolation: () => void): void {
  const { head } = trace;
  const file = head.files.find((f) => f.scenario) ?? head.files[0];
  const name = file?.scenario || file?.replica || "trace";
  document.title = `${name}${file?.seed ? `, seed ${file.seed}` : ""} · Troupe`;
  find("#name").textContent = name;
  find("#facts").textContent = [
    `${trace.replicas.length} replicas`,
    `seed ${file?.seed ?? "?"}`,
    file?.mode === "virtual" ? "virtual time" : "real time",
    length(trace.last - trace.first),
    `${count(trace.count)} events`,
  ].join(" · ");
  const command = file?.command ?? "";
  find("#command").textContent = command;
  find("#replay").hidden = command === "";
  find("#copy").addEventListener("click", () => void copy(command, find("#copy")));
  find("#link").addEventListener("click", () => void copy(location.href, find("#link")));
  showVerdict(trace, jumpToViolation);
  const damaged = head.files.filter((f) => f.damage || !f.complete);
  if (damaged.length > 0) {
    find("#damage").hidden = false;
    find("#damage").textContent = damaged.map((f) => `${f.path}: ${f.damage || "has no end: its process was killed, or still ran"}`).join("; ");
  }
}

function showVerdict(trace: Trace, jumpToViolation: () => void): void {
  const { state, words } = trace.head.verdict;
  const place = find("#verdict");
  place.dataset.state = state;
  if (state !== "broken") {
    place.append(element("span", "", `${state === "kept" ? "✓" : "?"} ${words}`));
    return;
  }
  const button = element("button", "", `✕ ${words}`);
  button.title = `${words}\n\nTo the first violation (v)`;
  button.addEventListener("click", jumpToViolation);
  place.append(button);
}

/** The clipboard of the browser may be closed to files: then the old way. */
export async function copy(text: string, button: HTMLElement): Promise<void> {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button.textContent = "copied";
  button.dataset.copied = text;
  setTimeout(() => (button.textContent = before), 1200);
}
