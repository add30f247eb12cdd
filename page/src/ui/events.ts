// What actors handled: each for itself where there is room, how many where there is not.

import { density, lowerBound } from "../model/sorted";
import { rooms } from "../model/trace";
import { heightOfRoom, sizes, type Lane } from "./layout";
import type { Scene } from "./stage";
import { colourOfFamily, familyOf, type Family } from "./theme";

const pixelsPerEvent = 3;
const pixelsPerBin = 3;

export function drawEvents(scene: Scene): void {
  for (const lane of scene.layout.lanes) {
    if (lane.open) rooms.forEach((_, room) => drawTrack(scene, lane, [room]));
    else drawTrack(scene, lane, rooms.map((_, room) => room));
  }
}

function drawTrack(scene: Scene, lane: Lane, which: number[]): void {
  const { ctx, theme, view, trace, x, width } = scene;
  const y = heightOfRoom(lane, which[0]);
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, Math.round(y), width, 1);
  const tracks = which.map((room) => trace.tracks[lane.replica][room]);
  const inView = tracks.reduce((n, t) => n + lowerBound(t.times, view.to) - lowerBound(t.times, view.from), 0);
  if (inView === 0) return;
  if (inView * pixelsPerEvent > width) return drawDensity(scene, tracks.map((t) => t.times), y, lane.open ? sizes.room : lane.bottom - lane.body);
  for (const t of tracks) {
    const end = lowerBound(t.times, view.to);
    for (let i = lowerBound(t.times, view.from); i < end; ++i) drawGlyph(scene, t.rows[i], x(t.times[i]), y);
  }
}

function drawDensity(scene: Scene, tracks: Float64Array[], y: number, room: number): void {
  const { ctx, theme, view, width } = scene;
  const bins = Math.ceil(width / pixelsPerBin);
  const to = view.from + ((view.to - view.from) * bins * pixelsPerBin) / width;
  const sum = new Float64Array(bins);
  for (const times of tracks) density(times, view.from, to, bins).forEach((n, i) => (sum[i] += n));
  const most = sum.reduce((a, b) => Math.max(a, b), 1);
  const tallest = room - 8;
  ctx.fillStyle = theme.replication;
  ctx.globalAlpha *= 0.65;
  sum.forEach((n, i) => {
    if (n === 0) return;
    // Roots, or the busiest moment would make all others invisible.
    const height = Math.max(2, tallest * Math.sqrt(n / most));
    ctx.fillRect(i * pixelsPerBin, y - height / 2, pixelsPerBin - 0.5, height);
  });
  ctx.globalAlpha /= 0.65;
}

/** A shape for each family, so that it is told apart without colour. */
export function drawGlyph(scene: Scene, row: number, x: number, y: number, size = 3.2): void {
  const { ctx, theme, trace } = scene;
  const family = familyOf(trace.type(row), trace.inner(row));
  ctx.fillStyle = colourOfFamily(theme, family);
  ctx.beginPath();
  shape(ctx, family, x, y, size);
  ctx.fill();
}

function shape(ctx: CanvasRenderingContext2D, family: Family, x: number, y: number, s: number): void {
  switch (family) {
    case "election":
      ctx.moveTo(x, y - s * 1.4);
      ctx.lineTo(x + s * 1.4, y);
      ctx.lineTo(x, y + s * 1.4);
      ctx.lineTo(x - s * 1.4, y);
      ctx.closePath();
      return;
    case "client":
      ctx.rect(x - s, y - s, 2 * s, 2 * s);
      return;
    case "storage":
      ctx.moveTo(x, y - s * 1.2);
      ctx.lineTo(x + s * 1.2, y + s);
      ctx.lineTo(x - s * 1.2, y + s);
      ctx.closePath();
      return;
    case "timer":
      ctx.rect(x - 0.75, y - s * 1.3, 1.5, s * 2.6);
      return;
    case "replication":
      ctx.arc(x, y, s, 0, 7);
      return;
    case "other":
      ctx.arc(x, y, s * 0.7, 0, 7);
  }
}
