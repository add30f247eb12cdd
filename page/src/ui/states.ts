// Every replica at the cursor, and its log.

import type { State } from "../model/states";
import type { Trace } from "../model/trace";
import { length, moment } from "../format";
import type { View } from "../view";
import { letters, roleNames } from "./bands";
import { colourOfTerm, type Theme } from "./theme";

const cell = 17;
const labelWidth = 44;
const headHeight = 16;

export class StatePanel {
  private readonly table = document.querySelector<HTMLTableSectionElement>("#states tbody")!;
  private readonly title = document.querySelector<HTMLElement>("#moment")!;
  private readonly leader = document.querySelector<HTMLElement>("#leader")!;
  private readonly canvas = document.querySelector<HTMLCanvasElement>("#matrix")!;
  private readonly range = document.querySelector<HTMLElement>("#matrix-range")!;
  /** How many entries before the newest ones the matrix ends. */
  private back = 0;

  constructor(private readonly trace: Trace) {
    trace.replicas.forEach((name) => {
      const row = this.table.insertRow();
      row.dataset.replica = name;
      row.append(Object.assign(document.createElement("th"), { textContent: name, scope: "row" }));
      for (const what of ["role", "term", "vote", "commit", "applied", "lease"]) row.insertCell().dataset.what = what;
    });
  }

  draw(view: View, theme: Theme): void {
    // The selected event decides among those of one instant.
    const row = view.selected >= 0 && this.trace.begin[view.selected] === view.cursor ? view.selected : this.trace.rowAt(view.cursor);
    this.title.textContent = moment(view.cursor);
    const leader = this.trace.states.leaderAt(row);
    const states = this.trace.replicas.map((_, r) => this.trace.states.at(r, row));
    this.leader.textContent = leader < 0 ? "nobody leads" : `${this.trace.replicas[leader]} leads term ${states[leader].term}`;
    states.forEach((state, r) => this.fill(this.table.rows[r], state, view.cursor, r === leader));
    this.drawMatrix(states, row, theme);
  }

  shift(by: number): void {
    this.back = Math.max(0, this.back + by);
  }

  private fill(row: HTMLTableRowElement, s: State, now: number, leads: boolean): void {
    const known = s.row >= 0;
    const set = (what: string, text: string) => {
      const cell = row.querySelector<HTMLElement>(`[data-what=${what}]`)!;
      if (cell.textContent !== text) cell.textContent = text;
    };
    row.className = `${s.role}${leads ? " leads" : ""}${s.paused ? " paused" : ""}`;
    set("role", `${letters[s.role]} ${roleNames[s.role]}${s.paused ? ", paused" : ""}`);
    set("term", known ? String(s.term) : "–");
    set("vote", known && s.vote !== "FFFF" ? s.vote : "–");
    set("commit", known ? String(s.commit) : "–");
    set("applied", known ? String(s.applied) : "–");
    set("lease", s.leaseUntil > now ? length(s.leaseUntil - now) : "–");
  }

  private drawMatrix(states: State[], row: number, theme: Theme): void {
    const { replicas, logs } = this.trace;
    const all = replicas.map((_, r) => logs.at(r, row));
    const width = this.canvas.parentElement!.clientWidth;
    const columns = Math.max(1, Math.floor((width - labelWidth) / cell));
    const newest = all.reduce((most, log) => Math.max(most, log.last), 0);
    this.back = Math.min(this.back, Math.max(0, newest - columns));
    const last = newest - this.back;
    const first = Math.max(1, last - columns + 1);
    this.range.textContent = newest === 0 ? "empty" : `entries ${first} to ${last} of ${newest}`;
    const ctx = this.sized(width, headHeight + replicas.length * (cell + 2) + 2);
    ctx.textBaseline = "middle";
    ctx.font = "10px system-ui, sans-serif";
    ctx.fillStyle = theme.muted;
    ctx.textAlign = "center";
    for (let index = first; index <= last; ++index)
      if (index % 5 === 0) ctx.fillText(String(index), labelWidth + (index - first + 0.5) * cell, headHeight / 2);
    replicas.forEach((name, r) => {
      const y = headHeight + r * (cell + 2);
      ctx.textAlign = "left";
      ctx.fillStyle = theme.muted;
      ctx.font = "11px ui-monospace, monospace";
      ctx.fillText(name, 2, y + cell / 2 + 0.5);
      ctx.globalAlpha = states[r].role === "down" ? 0.45 : 1;
      for (let index = first; index <= last; ++index) {
        const x = labelWidth + (index - first) * cell;
        if (index <= all[r].snapshot) {
          ctx.fillStyle = theme.line;
          ctx.fillRect(x, y + cell / 2 - 2, cell, 4);
          continue;
        }
        drawCell(ctx, theme, x, y, all[r].termOf(index), index <= states[r].commit, index <= states[r].applied);
      }
      ctx.globalAlpha = 1;
    });
  }

  private sized(width: number, height: number): CanvasRenderingContext2D {
    const ratio = devicePixelRatio || 1;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const ctx = this.canvas.getContext("2d")!;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    return ctx;
  }
}

/** Stored: an outline. Committed: filled. Applied: a bar at the foot. The number is the term. */
function drawCell(ctx: CanvasRenderingContext2D, theme: Theme, x: number, y: number, term: number, committed: boolean, applied: boolean): void {
  if (term === 0) return;
  const colour = colourOfTerm(theme, term);
  const size = cell - 2;
  ctx.fillStyle = ctx.strokeStyle = colour;
  ctx.lineWidth = 1.2;
  if (committed) ctx.fillRect(x + 1, y + 1, size, size);
  else ctx.strokeRect(x + 1.6, y + 1.6, size - 1.2, size - 1.2);
  ctx.fillStyle = committed ? theme.ground : theme.ink;
  ctx.textAlign = "center";
  ctx.font = "600 10px system-ui, sans-serif";
  ctx.fillText(String(term), x + cell / 2, y + cell / 2);
  if (!applied) return;
  ctx.fillStyle = committed ? theme.ground : theme.ink;
  ctx.fillRect(x + 3, y + cell - 4, size - 4, 1.5);
}
