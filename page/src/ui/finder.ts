// The search field: marks what fits, and counts it.

import { count } from "../format";
import { isEmpty, parseQuery, search } from "../model/query";
import type { Trace } from "../model/trace";
import type { Viewpoint } from "../view";
import { find } from "./dom";

export class Finder {
  matches: number[] = [];
  private turn = 0;
  private readonly field = find<HTMLInputElement>("#search");
  private readonly status = find("#found");

  constructor(
    private readonly trace: Trace,
    private readonly viewpoint: Viewpoint,
    private readonly select: (row: number) => void,
  ) {
    let waiting = 0;
    this.field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => this.viewpoint.set({ query: this.field.value.trim() }), 150);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") {
        this.field.value = "";
        this.viewpoint.set({ query: "" });
        this.field.blur();
      }
    });
    find("#next-match").addEventListener("click", () => this.step(1));
    find("#previous-match").addEventListener("click", () => this.step(-1));
  }

  focus(): void {
    this.field.focus();
    this.field.select();
  }

  /** To the next one after the cursor, or the previous one. */
  step(by: 1 | -1): void {
    if (this.matches.length === 0) return;
    const { selected, cursor } = this.viewpoint.now;
    const here = selected >= 0 ? selected : by > 0 ? this.trace.rowAt(cursor) : this.trace.rowAt(cursor) + 1;
    const next = by > 0 ? this.matches.find((row) => row > here) : this.matches.findLast((row) => row < here);
    this.select(next ?? (by > 0 ? this.matches[0] : this.matches.at(-1)!));
  }

  async run(text: string): Promise<void> {
    const turn = ++this.turn;
    if (document.activeElement !== this.field) this.field.value = text;
    this.matches = [];
    this.field.removeAttribute("aria-invalid");
    let query;
    try {
      query = parseQuery(text);
    } catch (error) {
      this.field.setAttribute("aria-invalid", "true");
      this.status.textContent = (error as Error).message;
      return this.viewpoint.refresh();
    }
    if (isEmpty(query)) {
      this.status.textContent = "";
      return this.viewpoint.refresh();
    }
    let breath = performance.now();
    for await (const found of search(this.trace, query)) {
      if (turn !== this.turn) return;
      for (const row of found.rows) this.matches.push(row);
      // Long traces are searched in many turns: the page stays awake, and shows what it has.
      if (performance.now() - breath < 30 && found.done < 1) continue;
      this.status.textContent = `${count(this.matches.length)} found${found.done < 1 ? `, ${Math.round(found.done * 100)} % searched` : ""}`;
      this.viewpoint.refresh();
      await new Promise((resolve) => setTimeout(resolve, 0));
      breath = performance.now();
    }
    this.status.dataset.for = text;
  }
}
