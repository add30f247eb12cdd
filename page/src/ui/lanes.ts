// Puts the canvas together, and says what lies under the pointer.

import type { Cone } from "../model/cone";
import { lowerBound } from "../model/sorted";
import { Kind, rooms } from "../model/trace";
import { drawArrows, lineOf, mostArrows } from "./arrows";
import { drawBands, drawShades, drawSides, drawWeather } from "./bands";
import { drawEvents, drawGlyph } from "./events";
import { heightOfRoom, heightOfRow } from "./layout";
import type { Scene } from "./stage";
import { drawStrip } from "./strip";

const dimmed = 0.22;

/** Returns whether arrows were left out. */
export function drawLanes(scene: Scene, cone: Cone | undefined, matches: readonly number[]): boolean {
  const { ctx, width, layout } = scene;
  ctx.clearRect(0, 0, width, layout.height);
  drawShades(scene);
  drawWeather(scene);
  drawBands(scene);
  drawSides(scene);
  ctx.globalAlpha = cone ? dimmed : 1;
  drawStrip(scene);
  drawEvents(scene);
  const leftOut = drawArrows(scene);
  ctx.globalAlpha = 1;
  if (matches.length > 0) drawMatches(scene, matches);
  if (cone) drawCone(scene, cone);
  drawCursor(scene);
  return leftOut;
}

function drawCursor({ ctx, theme, view, x, layout }: Scene): void {
  const at = x(view.cursor);
  ctx.fillStyle = theme.accent;
  ctx.fillRect(Math.round(at) - 0.5, 0, 1.5, layout.height);
}

/** Marks below each lane; of many in one place, one. */
function drawMatches(scene: Scene, matches: readonly number[]): void {
  const { ctx, theme, trace, layout, view, x } = scene;
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 1.5;
  const begin = lowerBound(matches, trace.rowAt(view.from));
  const taken = new Set<string>();
  const step = Math.max(1, Math.floor(matches.length / 200_000));
  for (let i = begin; i < matches.length && trace.begin[matches[i]] <= view.to; i += step) {
    const y = heightOfRow(layout, trace, matches[i]);
    const at = Math.round(x(trace.begin[matches[i]]));
    const place = `${at} ${y}`;
    if (y < 0 || taken.has(place)) continue;
    taken.add(place);
    ctx.beginPath();
    ctx.arc(at, y, 6, 0, 7);
    ctx.stroke();
  }
}

function drawCone(scene: Scene, cone: Cone): void {
  const { ctx, theme, trace, view, x } = scene;
  // Causes are in order of time.
  const times = cone.causes.map((row) => trace.begin[row]);
  const begin = Math.max(0, lowerBound(times, view.from) - 1);
  const end = Math.min(cone.causes.length, lowerBound(times, view.to) + 1);
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2;
  for (const row of cone.causes.slice(begin, end)) drawStep(scene, row);
  ctx.lineWidth = 1.2;
  const effects = cone.effects.filter((row) => trace.begin[row] >= view.from && trace.begin[trace.causes[row]] <= view.to);
  for (const row of effects) drawStep(scene, row);
  for (const row of [...cone.causes.slice(begin, end), ...effects]) if (trace.kind(row) !== Kind.network) mark(scene, row, 3.8);
  const y = heightOfRow(scene.layout, trace, view.selected);
  if (y < 0) return;
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2.5;
  ctx.beginPath();
  ctx.arc(x(trace.begin[view.selected]), y, 9, 0, 7);
  ctx.stroke();
}

function drawStep({ ctx, trace, layout, x }: Scene, row: number): void {
  const cause = trace.causes[row];
  if (cause < 0) return;
  const [y1, y2] = [heightOfRow(layout, trace, cause), heightOfRow(layout, trace, row)];
  if (y1 < 0 || y2 < 0) return;
  ctx.beginPath();
  ctx.moveTo(x(trace.begin[cause]), y1);
  ctx.lineTo(x(trace.begin[row]), y2);
  ctx.stroke();
}

function mark(scene: Scene, row: number, size: number): void {
  const y = heightOfRow(scene.layout, scene.trace, row);
  if (y >= 0) drawGlyph(scene, row, scene.x(scene.trace.begin[row]), y, size);
}

/** The row under this point; -1: none. */
export function rowAt(scene: Scene, px: number, py: number): number {
  const { trace, layout, x, view } = scene;
  const reach = 9;
  const [from, to] = [x.invert(px - reach), x.invert(px + reach)];
  let best = -1;
  let distance = reach * reach;
  const consider = (row: number, d: number) => {
    if (d < distance) [best, distance] = [row, d];
  };
  for (const lane of layout.lanes) {
    if (py < lane.top || py > lane.bottom) continue;
    rooms.forEach((_, room) => {
      const dy = heightOfRoom(lane, room) - py;
      if (Math.abs(dy) > (lane.open ? reach : 22)) return;
      const track = trace.tracks[lane.replica][room];
      const end = lowerBound(track.times, to);
      // The nearest one is enough where there are thousands.
      const begin = Math.max(lowerBound(track.times, from), lowerBound(track.times, view.from));
      const step = Math.max(1, Math.floor((end - begin) / 500));
      for (let i = begin; i < end; i += step) {
        const dx = x(track.times[i]) - px;
        consider(track.rows[i], dx * dx + (lane.open ? dy * dy : Math.max(0, Math.abs(dy) - 6) ** 2));
      }
    });
  }
  if (best < 0 && trace.arrows.countIn(view.from, view.to) <= mostArrows)
    for (const i of trace.arrows.within(view.from, view.to)) {
      const arrow = trace.arrows.at(i);
      const line = lineOf(scene, arrow);
      if (line) consider(arrow.row, distanceTo(px, py, line) ** 2 + 9);
    }
  if (best < 0)
    for (const n of trace.notes) {
      const y = heightOfRow(layout, trace, n.row);
      consider(n.row, (x(trace.begin[n.row]) - px) ** 2 + (y - py) ** 2);
    }
  return best;
}

function distanceTo(px: number, py: number, l: { x1: number; y1: number; x2: number; y2: number }): number {
  const [dx, dy] = [l.x2 - l.x1, l.y2 - l.y1];
  const along = Math.max(0, Math.min(1, ((px - l.x1) * dx + (py - l.y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(l.x1 + along * dx - px, l.y1 + along * dy - py);
}
