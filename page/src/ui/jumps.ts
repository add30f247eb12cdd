// To the next election, failure or match.

import type { Moment } from "../model/moments";
import { moment } from "../format";
import { element } from "./dom";

export class Jumps {
  constructor(
    private readonly place: HTMLElement,
    private readonly now: () => number,
    private readonly go: (to: Moment) => void,
  ) {}

  /** A name, how many there are, one button each way, and a list of them all. */
  add(name: string, key: string, all: Moment[]): (step: 1 | -1) => void {
    const step = (by: 1 | -1) => {
      const slack = 1; // ns: not the one that we stand on
      const next = by > 0 ? all.find((m) => m.time > this.now() + slack) : all.findLast((m) => m.time < this.now() - slack);
      const wrapped = next ?? (by > 0 ? all[0] : all.at(-1));
      if (wrapped) this.go(wrapped);
    };
    const group = element("span", "jump");
    const button = (text: string, label: string, action: () => void) => {
      const b = element("button", "", text);
      b.title = label;
      b.setAttribute("aria-label", label);
      b.disabled = all.length === 0;
      b.addEventListener("click", action);
      return b;
    };
    const select = element("select");
    select.setAttribute("aria-label", name);
    select.append(new Option(`${name} (${all.length})`, ""));
    const mostListed = 500;
    all.slice(0, mostListed).forEach((m, i) => select.append(new Option(`${moment(m.time)}  ${m.words}`, String(i))));
    select.disabled = all.length === 0;
    select.addEventListener("change", () => {
      if (select.value !== "") this.go(all[Number(select.value)]);
      select.value = "";
    });
    const upper = key.toUpperCase();
    group.append(button("‹", `Previous of ${name.toLowerCase()} (${upper})`, () => step(-1)), select, button("›", `Next of ${name.toLowerCase()} (${key})`, () => step(1)));
    this.place.append(group);
    return step;
  }
}
