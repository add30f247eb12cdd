// All about the event that was clicked.

import type { Cone } from "../model/cone";
import { Ending, type Operation, Step } from "../model/operations";
import type { Moment } from "../model/moments";
import type { State } from "../model/states";
import { Kind, type Row, type Trace } from "../model/trace";
import { length, moment } from "../format";
import { element, list } from "./dom";

const mostLinks = 12;

export class Details {
  private readonly place = document.querySelector<HTMLElement>("#details")!;
  private shown = 0;

  constructor(
    private readonly trace: Trace,
    private readonly select: (row: number) => void,
    private readonly violation: Moment | undefined,
  ) {}

  async draw(row: number, cone: Cone | undefined): Promise<void> {
    const turn = ++this.shown;
    if (row < 0 || !cone) {
      this.place.replaceChildren(element("p", "hint", "Click an event, an arrow or an operation. Arrow keys step from event to event, ? has all keys."));
      return;
    }
    const r = this.trace.row(row);
    const texts = await this.trace.texts(row);
    if (turn !== this.shown) return; // another one was chosen meanwhile
    const note = this.trace.noteOf(row);
    const parts = [
      ...(this.shows(row) ? [element("p", "violation", this.violation!.words)] : []),
      element("h2", "", titleOf(r)),
      this.facts(r),
      ...(note ? [element("p", "note", note)] : []),
      ...this.operation(r, texts.content),
      ...(texts.content && texts.content !== "{}" ? [element("h3", "", "Content"), tree(texts.content)] : []),
      ...this.change(r),
      ...this.links(cone, r),
    ];
    this.place.replaceChildren(...parts);
  }

  private shows(row: number): boolean {
    return this.violation !== undefined && (row === this.violation.row || this.trace.head.verdict.rows.includes(row));
  }

  private facts(r: Row): HTMLElement {
    const where = r.kind === Kind.network ? `${r.from} → ${r.to}` : r.kind === Kind.message ? `${this.trace.replicas[r.replica]} / ${r.to}` : (this.trace.replicas[r.replica] ?? "the world");
    const facts: [string, string][] = [["when", moment(r.begin)], ["where", where]];
    if (r.kind === Kind.message) {
      facts.push(["from", r.from], ["waited", `${length(r.begin - r.sent)}${r.depth > 0 ? `, ${r.depth} behind it` : ""}`]);
      facts.push(["took", length(r.end - r.begin)]);
    }
    if (r.fate) facts.push(["fate", r.fate]);
    if (r.mid) facts.push(["MID", r.mid]);
    return list(facts);
  }

  private operation(r: Row, content: string): HTMLElement[] {
    const mid = r.mid || /"MID":"([^"]*)"/.exec(content)?.[1];
    const operation = mid ? this.trace.operations.ofMid(mid) : undefined;
    return operation ? this.describe(operation) : [];
  }

  private describe(o: Operation): HTMLElement[] {
    const ending = ["never answered", "ok", "not applied", "failed"][o.ending];
    const facts: [string, string][] = [["what", `${o.kind} ${o.key}`], ["client", o.client]];
    if (o.value) facts.push(["value", o.value]);
    facts.push(["answer", `${ending}${o.result ? `: ${o.result}` : ""}`]);
    if (o.ending !== Ending.unanswered) facts.push(["latency", length(o.done - o.call)]);
    if (!Number.isNaN(o.point)) facts.push(["took effect", `${moment(o.point)}${o.index > 0 ? `, entry ${o.index}` : ""}`]);
    const redirects = o.attempts.filter((a) => a.step === Step.redirected).length;
    const asked = o.attempts.filter((a) => a.step === Step.asked).length;
    if (o.mids.length > 1 || asked > 1) facts.push(["attempts", `${Math.max(o.mids.length, asked)}, ${redirects} redirected`]);
    const heading = element("h3", o.wrong > 0 ? "wrong" : "", o.wrong === 2 ? "Operation: this answer cannot be" : o.wrong === 1 ? "Operation: part of what cannot be" : "Operation");
    return [heading, list(facts)];
  }

  /** State before and after. */
  private change(r: Row): HTMLElement[] {
    if (r.replica < 0) return [];
    const before = this.trace.states.at(r.replica, r.row - 1);
    const after = this.trace.states.at(r.replica, r.row);
    const table = element("table", "change");
    table.innerHTML = "<thead><tr><th></th><th>before</th><th>after</th></tr></thead><tbody></tbody>";
    const body = table.querySelector("tbody")!;
    const [a, b] = [readable(before), readable(after)];
    a.forEach(([name, value], i) => {
      const row = body.insertRow();
      row.className = value === b[i][1] ? "" : "changed";
      row.append(element("th", "", name));
      row.insertCell().textContent = value;
      row.insertCell().textContent = b[i][1];
    });
    return [element("h3", "", `State of ${this.trace.replicas[r.replica]}`), table];
  }

  private links(cone: Cone, r: Row): HTMLElement[] {
    const causes = cone.causes.slice(0, -1).slice(-mostLinks);
    const effects = cone.effects.slice(0, mostLinks);
    const before = cone.causes.length - 1;
    return [
      element("h3", "", `Causes (${before})`),
      ...(before > causes.length ? [element("p", "hint", `the last ${causes.length}:`)] : []),
      this.linkList(causes, r.begin),
      element("h3", "", `Effects (${cone.effects.length}${cone.cut ? " and more" : ""}), without what timers do`),
      this.linkList(effects, r.begin),
    ];
  }

  private linkList(rows: number[], since: number): HTMLElement {
    const all = element("ol", "links");
    for (const row of rows) {
      const r = this.trace.row(row);
      const button = element("button", "", "");
      const ahead = r.begin - since;
      button.append(element("span", "when", `${ahead < 0 ? "−" : "+"}${length(Math.abs(ahead))}`), element("span", "", `${placeOf(this.trace, r)} ${titleOf(r)}`));
      button.addEventListener("click", () => this.select(row));
      const item = element("li");
      item.append(button);
      all.append(item);
    }
    return all;
  }
}

function placeOf(trace: Trace, r: Row): string {
  if (r.kind === Kind.network) return `${r.from}→${r.to}`;
  return r.replica < 0 ? "world" : `${trace.replicas[r.replica]}${r.kind === Kind.message ? `/${r.to}` : ""}`;
}

export function titleOf(r: Row): string {
  const name = r.inner ? `${r.type}: ${r.inner}` : r.type;
  return `${r.fate && r.fate !== "sent" ? `${r.fate} ` : ""}${name} #${r.id}`;
}

function readable(s: State): [string, string][] {
  if (s.row < 0) return [["state", s.role === "down" ? "down" : "nothing is known"]];
  return [
    ["role", s.role], ["term", String(s.term)], ["vote", s.vote === "FFFF" ? "–" : s.vote],
    ["leader", s.leader === "FFFF" ? "–" : s.leader], ["last entry", `${s.lastIndex} of term ${s.lastTerm}`],
    ["commit", String(s.commit)], ["applied", String(s.applied)],
    ["lease until", s.leaseUntil > 0 ? moment(s.leaseUntil) : "–"],
  ];
}

/** JSON with its structure; what is long is folded. */
function tree(json: string): HTMLElement {
  const pre = element("pre", "content");
  try {
    pre.textContent = JSON.stringify(JSON.parse(json), null, 1).replaceAll(/^( +)/gm, (spaces) => spaces + spaces);
  } catch {
    pre.textContent = json; // cut, or damaged
  }
  return pre;
}
