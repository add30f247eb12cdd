// Messages on their way.

import { Fate, reachOf, type Arrow } from "../model/arrows";
import { lowerBound } from "../model/sorted";
import { heightOfName, heightOfRow } from "./layout";
import type { Scene } from "./stage";
import { colourOfFamily, familyOf } from "./theme";

/** More than that would be a grey wall: then only what was lost is shown, and a word that says so. */
export const mostArrows = 700;

export interface Line {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

export function lineOf(scene: Scene, a: Arrow): Line | undefined {
  const y1 = heightOfName(scene.layout, scene.trace, a.from);
  const end = heightOfName(scene.layout, scene.trace, a.to);
  if (y1 < 0 || end < 0) return undefined;
  return { x1: scene.x(a.left), y1, x2: scene.x(a.arrived), y2: y1 + (end - y1) * reachOf(a.fate) };
}

/** Returns whether there were too many to draw them all. */
export function drawArrows(scene: Scene): boolean {
  const { arrows } = scene.trace;
  const { from, to } = scene.view;
  if (arrows.countIn(from, to) > mostArrows) {
    drawLost(scene);
    return true;
  }
  for (const i of arrows.within(from, to)) {
    const arrow = arrows.at(i);
    const line = lineOf(scene, arrow);
    if (line) drawArrow(scene, arrow, line);
  }
  drawInside(scene);
  return false;
}

function drawArrow({ ctx, theme }: Scene, a: Arrow, { x1, y1, x2, y2 }: Line): void {
  const isLost = a.fate === Fate.lost || a.fate === Fate.dead;
  ctx.strokeStyle = ctx.fillStyle = isLost ? theme.wrong : colourOfFamily(theme, familyOf(a.type, a.type));
  ctx.lineWidth = 1;
  ctx.setLineDash(a.fate === Fate.late ? [6, 3] : a.fate === Fate.open ? [1, 3] : []);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.setLineDash([]);
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  if (a.fate === Fate.repeated) {
    // The same once more: a second line beside the first.
    ctx.beginPath();
    ctx.moveTo(x1 + uy * 2.5, y1 - ux * 2.5);
    ctx.lineTo(x2 + uy * 2.5, y2 - ux * 2.5);
    ctx.stroke();
  }
  if (isLost) return cross(ctx, x2, y2, 4);
  if (a.fate === Fate.open) return;
  ctx.beginPath();
  ctx.moveTo(x2, y2);
  ctx.lineTo(x2 - ux * 7 - uy * 3, y2 - uy * 7 + ux * 3);
  ctx.lineTo(x2 - ux * 7 + uy * 3, y2 - uy * 7 - ux * 3);
  ctx.fill();
}

function cross(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.lineWidth = 1.8;
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x - size, y + size);
  ctx.lineTo(x + size, y - size);
  ctx.stroke();
}

/** Crosses where messages were lost; of many in one place, one. */
function drawLost(scene: Scene): void {
  const { arrows } = scene.trace;
  const taken = new Set<number>();
  const size = 6;
  scene.ctx.strokeStyle = scene.theme.wrong;
  for (const i of lostWithin(scene)) {
    const arrow = arrows.at(i);
    // Between lanes they would be taken for anybody's: at the lane of whom they did not reach.
    const isToReplica = scene.trace.replicas.includes(arrow.to);
    const y = heightOfName(scene.layout, scene.trace, isToReplica ? arrow.to : arrow.from);
    const x = scene.x(arrow.left);
    const place = Math.round(x / size) * 4096 + Math.round(y);
    if (y < 0 || taken.has(place)) continue;
    taken.add(place);
    cross(scene.ctx, x, y, 2.5);
  }
}

/** At most a few of each pixel's worth are looked at, however many there are. */
function* lostWithin({ trace, view, width }: Scene): Generator<number> {
  const { lost, lostTimes } = trace.arrows;
  const begin = lowerBound(lostTimes, view.from);
  const end = lowerBound(lostTimes, view.to);
  const step = Math.max(1, Math.floor((end - begin) / (width * 8)));
  for (let i = begin; i < end; i += step) yield lost[i];
}

/** Between the actors of an unfolded replica. */
function drawInside(scene: Scene): void {
  const { ctx, trace, layout, view, theme, x } = scene;
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.muted;
  for (const lane of layout.lanes) {
    if (!lane.open) continue;
    for (const track of trace.tracks[lane.replica]) {
      const begin = lowerBound(track.times, view.from);
      const end = lowerBound(track.times, view.to);
      if (end - begin > mostArrows) continue;
      for (let i = begin; i < end; ++i) {
        const cause = trace.causes[track.rows[i]];
        if (cause < 0 || trace.kind(cause) !== 0 || trace.replica(cause) !== lane.replica) continue;
        if (trace.row(track.rows[i]).from === "timer") continue;
        ctx.globalAlpha *= 0.5;
        ctx.beginPath();
        ctx.moveTo(x(trace.begin[cause]), heightOfRow(layout, trace, cause));
        ctx.lineTo(x(track.times[i]), heightOfRow(layout, trace, track.rows[i]));
        ctx.stroke();
        ctx.globalAlpha *= 2;
      }
    }
  }
}
