// Reads the trace that stands in the page and brings everything to life.

import { coneOf, type Cone } from "./model/cone";
import { elections, failures, spanOfElection, type Moment } from "./model/moments";
import { Trace } from "./model/trace";
import { moment, roughly } from "./format";
import { Details, titleOf } from "./ui/details";
import { find } from "./ui/dom";
import { Finder } from "./ui/finder";
import { Gutter } from "./ui/gutter";
import { copy, fillHead } from "./ui/head";
import { Jumps } from "./ui/jumps";
import { fillHelp, listenToKeys, type Key } from "./ui/keyboard";
import { fillLegend } from "./ui/legend";
import { drawLanes, rowAt } from "./ui/lanes";
import { Overview } from "./ui/overview";
import { Player } from "./ui/player";
import { Plots } from "./ui/plots";
import { Stage } from "./ui/stage";
import { StatePanel } from "./ui/states";
import { operationAt } from "./ui/strip";
import { fromFragment, toFragment, Viewpoint } from "./view";

const gutterWidth = 76;

async function open(): Promise<void> {
  const trace = await Trace.read((name) => document.getElementById(name)!.textContent!);
  const violation = firstViolation(trace);
  const viewpoint = new Viewpoint({
    from: trace.first, to: trace.last, cursor: violation?.time ?? trace.last, selected: -1, open: new Set(), query: "",
  });
  fillLegend(find("#legend")); // before the lanes: they take the height that is left
  const stage = new Stage(trace, viewpoint, find<HTMLCanvasElement>("#lanes"));
  const idOf = (row: number) => trace.row(row).id;
  const rowOf = (id: number) => trace.rowOfId(id);

  const select = (row: number) => {
    if (row < 0) return viewpoint.set({ selected: -1 });
    viewpoint.set({ selected: row, cursor: trace.begin[row] });
    stage.reveal(trace.begin[row]);
  };
  const go = (m: Moment) => {
    viewpoint.set({ cursor: m.time, selected: m.row });
    stage.show(m.time - m.span / 2, m.time + m.span / 2);
  };
  const jumpToViolation = () => violation && go(violation);
  fillHead(trace, jumpToViolation);

  const details = new Details(trace, select, violation);
  const finder = new Finder(trace, viewpoint, select);
  const gutter = new Gutter(find("#gutter"), trace, viewpoint);
  const overview = new Overview(trace, stage, violation?.time ?? -1);
  const plots = new Plots(trace, gutterWidth);
  const panel = new StatePanel(trace);
  const player = new Player(viewpoint, stage);
  const jumps = new Jumps(find("#jumps"), () => viewpoint.now.cursor, go);
  const toElection = jumps.add("Elections", "e", elections(trace));
  const toFailure = jumps.add("Failures", "f", failures(trace));

  let cone: Cone | undefined;
  let theme = stage.theme;
  viewpoint.listen((view, changed) => {
    stage.prepare(view, changed);
    if (changed.has("selected")) {
      cone = view.selected >= 0 ? coneOf(trace, view.selected) : undefined;
      void details.draw(view.selected, cone);
      find("#said").textContent = view.selected >= 0 ? `${titleOf(trace.row(view.selected))} at ${moment(trace.begin[view.selected])}` : "";
    }
    if (changed.has("open")) gutter.draw(stage.layout);
    const leftOut = drawLanes(stage.scene(view), cone, finder.matches);
    find("#too-many").hidden = !leftOut;
    overview.draw(view, changed);
    if (changed.has("from") || changed.has("to")) {
      plots.draw(view, stage.width, stage.theme, theme !== stage.theme);
      theme = stage.theme;
      find("#span").textContent = roughly(view.to - view.from);
    }
    plots.drawCursor(view, stage.width);
    panel.draw(view, stage.theme);
    remember(view);
  });

  // A search refreshes the view when it has found something: only a new question starts another one.
  let asked = "";
  viewpoint.listen((view) => {
    if (view.query === asked) return;
    asked = view.query;
    void finder.run(view.query);
  });

  let waiting = 0;
  let known = location.hash; // what the view was taken from, or written to
  const remember = (view: typeof viewpoint.now) => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => {
      // A link was followed, and its event is still on the way: the address is to be read, not to be written over.
      if (location.hash !== known) return;
      history.replaceState(null, "", toFragment(view, idOf));
      known = location.hash;
    }, 120);
  };
  const recall = () => {
    known = location.hash;
    const patch = fromFragment(location.hash, rowOf);
    viewpoint.set(patch);
    stage.show(viewpoint.now.from, viewpoint.now.to);
  };
  if (location.hash.length > 1) recall();
  else stage.show(...stage.wholeTime());
  addEventListener("hashchange", recall);

  listenToPointer(trace, viewpoint, stage, select);
  const stepBy = (by: 1 | -1) => {
    const { selected, cursor } = viewpoint.now;
    const row = selected >= 0 ? selected + by : by > 0 ? trace.rowAt(cursor) + 1 : trace.rowAt(cursor);
    if (row >= 0 && row < trace.count) select(row);
  };
  const toCause = () => viewpoint.now.selected >= 0 && trace.causes[viewpoint.now.selected] >= 0 && select(trace.causes[viewpoint.now.selected]);
  const toEffect = () => viewpoint.now.selected >= 0 && trace.effectsOf(viewpoint.now.selected).length > 0 && select(trace.effectsOf(viewpoint.now.selected)[0]);
  const help = find<HTMLDialogElement>("#help");
  const keys: Key[] = [
    { keys: ["ArrowRight", "ArrowLeft"], words: "next and previous event", action: (e) => stepBy(e.key === "ArrowRight" ? 1 : -1) },
    { keys: ["ArrowUp", "ArrowDown"], words: "to its cause, to its first effect", action: (e) => void (e.key === "ArrowUp" ? toCause() : toEffect()) },
    { keys: ["Shift+ArrowLeft", "Shift+ArrowRight"], words: "move the view", action: (e) => stage.panBy(e.key === "ArrowRight" ? 0.25 : -0.25) },
    { keys: ["+", "-"], words: "closer, further away", action: (e) => stage.zoomBy(e.key === "+" ? 2 : 0.5) },
    { keys: ["0"], words: "the whole run", action: () => stage.show(...stage.wholeTime()) },
    { keys: [" "], words: "play, pause", action: () => player.toggle() },
    { keys: ["<", ">"], words: "slower, faster", action: (e) => player.faster(e.key === ">" ? 1 : -1) },
    { keys: ["e", "E"], words: "next and previous election", action: (e) => toElection(e.key === "e" ? 1 : -1) },
    { keys: ["f", "F"], words: "next and previous failure", action: (e) => toFailure(e.key === "f" ? 1 : -1) },
    { keys: ["v"], words: "the first violation", action: () => void jumpToViolation() },
    { keys: ["/"], words: "search", action: () => finder.focus() },
    { keys: ["n", "N"], words: "next and previous match", action: (e) => finder.step(e.key === "n" ? 1 : -1) },
    { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], words: "unfold or fold a replica", action: (e) => Number(e.key) <= trace.replicas.length && gutter.toggle(Number(e.key) - 1) },
    { keys: ["a"], words: "unfold or fold all", action: () => viewpoint.set({ open: viewpoint.now.open.size > 0 ? new Set() : new Set(trace.replicas.keys()) }) },
    { keys: ["[", "]"], words: "older and newer entries in the log", action: (e) => { panel.shift(e.key === "[" ? 10 : -10); viewpoint.refresh(); } },
    { keys: ["l"], words: "copy the link to this moment", action: () => void copy(location.href, find("#link")) },
    { keys: ["t"], words: "light or dark", action: () => find("#theme").click() },
    { keys: ["Escape"], words: "let go of the event", action: () => select(-1) },
    { keys: ["?"], words: "these keys", action: () => help.showModal() },
  ];
  listenToKeys(keys);
  fillHelp(help.querySelector("table")!, keys);
  find("#show-help").addEventListener("click", () => help.showModal());
  listenToTheme(stage);
  document.body.dataset.ready = "true";
}

/** With its words. */
function firstViolation(trace: Trace): Moment | undefined {
  const { state, words, rows } = trace.head.verdict;
  if (state !== "broken") return undefined;
  const row = rows.at(-1) ?? -1;
  const wrong = trace.operations.all.find((o) => o.wrong === 2);
  const time = row >= 0 ? trace.begin[row] : wrong ? Math.min(wrong.done, trace.last) : trace.last;
  const least = spanOfElection(trace);
  const span = wrong && wrong.done !== Infinity ? Math.max(least, 4 * (wrong.done - wrong.call)) : least;
  return { time, row: row >= 0 ? row : (wrong?.attempts.at(-1)?.row ?? -1), words, span };
}

function listenToPointer(trace: Trace, viewpoint: Viewpoint, stage: Stage, select: (row: number) => void): void {
  const canvas = stage.element;
  const tip = find("#tip");
  const under = (event: MouseEvent) => {
    const { x, y } = stage.timeAt(event);
    const scene = stage.scene(viewpoint.now);
    const operation = operationAt(scene, x, y);
    if (operation) return { row: operation.attempts[0]?.row ?? operation.pointRow, words: `${operation.kind} ${operation.key.slice(0, 12)} of ${operation.client}` };
    const row = rowAt(scene, x, y);
    return { row, words: row >= 0 ? titleOf(trace.row(row)) : "" };
  };
  canvas.addEventListener("click", (event) => {
    const { row } = under(event);
    if (row >= 0) select(row);
    else viewpoint.set({ cursor: stage.timeAt(event).time, selected: -1 });
  });
  canvas.addEventListener("mousemove", (event) => {
    const { row, words } = under(event);
    const { time, x, y } = stage.timeAt(event);
    tip.hidden = event.buttons !== 0;
    tip.textContent = `${moment(time)}${words ? `  ${words}` : ""}`;
    canvas.style.cursor = row >= 0 ? "pointer" : "crosshair";
    const left = x + tip.offsetWidth + 20 > stage.width ? x - tip.offsetWidth - 10 : x + 14;
    tip.style.transform = `translate(${left}px, ${y + 14}px)`;
  });
  canvas.addEventListener("mouseleave", () => (tip.hidden = true));
}

function listenToTheme(stage: Stage): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  dark.addEventListener("change", () => stage.repaint());
  find("#theme").addEventListener("click", () => {
    const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    stage.repaint();
  });
}

open().catch((error: unknown) => {
  const place = find("#failure");
  place.hidden = false;
  place.textContent = `This page cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
});
