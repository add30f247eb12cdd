// Shaded stretches, role bands and what the world did.

import type { Band, Role } from "../model/states";
import type { Stretch } from "../model/stretches";
import { sizes } from "./layout";
import type { Scene } from "./stage";
import { hatch } from "./theme";

export const letters: Record<Role, string> = {
  leader: "L", candidate: "C", pre_candidate: "P", follower: "F", learner: "N", down: "×", unknown: "?",
};
export const roleNames: Record<Role, string> = {
  leader: "leader", candidate: "candidate", pre_candidate: "pre-candidate", follower: "follower", learner: "learner",
  down: "down", unknown: "unknown",
};

function clip(scene: Scene, from: number, to: number): [number, number] {
  const left = Math.max(-2, scene.x(from));
  return [left, Math.max(left + 1, Math.min(scene.width + 2, scene.x(to)))];
}

export function drawShades(scene: Scene): void {
  const { ctx, theme, layout, view } = scene;
  for (const s of scene.trace.stretches) {
    if (s.to < view.from || s.from > view.to || s.kind === "weather") continue;
    const [left, right] = clip(scene, s.from, s.to);
    const whom = s.replicas.length > 0 ? s.replicas : layout.lanes.map((l) => l.replica);
    for (const replica of whom) {
      const lane = layout.lanes[replica];
      ctx.fillStyle = theme.shade;
      ctx.fillRect(left, lane.body - 1, right - left, lane.bottom - lane.body + 1);
      if (s.kind !== "partition") {
        ctx.fillStyle = hatch(ctx, theme.line, s.kind === "kill", s.kind === "kill" ? 9 : 7);
        ctx.fillRect(left, lane.body, right - left, lane.bottom - lane.body);
      }
    }
  }
}

/** Who is on which side. */
export function drawSides(scene: Scene): void {
  const { ctx, theme, layout, view } = scene;
  ctx.font = "10px system-ui, sans-serif";
  ctx.textBaseline = "top";
  for (const s of scene.trace.stretches) {
    if (s.kind !== "partition" || s.to < view.from || s.from > view.to) continue;
    const [left, right] = clip(scene, s.from, s.to);
    const isSplit = s.words.startsWith("part_");
    for (const lane of layout.lanes) {
      const isNamed = s.replicas.includes(lane.replica);
      if (!isNamed && !isSplit) continue;
      ctx.fillStyle = theme.warn;
      for (const edge of [left, right - 1.5]) ctx.fillRect(edge, lane.body, 1.5, lane.bottom - lane.body);
      const text = !isSplit ? "cut off" : isNamed ? "majority" : "minority";
      if (right - Math.max(left, 0) > 64) ctx.fillText(text, Math.max(left, 0) + 5, lane.body + 1);
    }
  }
}

/** The row of partitions and bad weather above everything. */
export function drawWeather(scene: Scene): void {
  const { ctx, theme, layout, view } = scene;
  ctx.font = "10.5px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  for (const n of scene.trace.notes) {
    const at = scene.trace.begin[n.row];
    if (n.replica >= 0 || n.event === "end" || at < view.from || at > view.to) continue;
    ctx.fillStyle = n.event === "violation" ? theme.wrong : theme.muted;
    ctx.fillRect(scene.x(at) - 0.75, layout.weatherTop, 1.5, sizes.weather - 2);
  }
  const textEnds: number[] = [];
  for (const [s, row] of layout.weatherRows) {
    if (s.to < view.from || s.from > view.to) continue;
    const [left, right] = clip(scene, s.from, s.to);
    const y = layout.weatherTop + (row + 1) * sizes.weather;
    const colour = s.kind === "partition" ? theme.warn : theme.muted;
    ctx.fillStyle = colour;
    ctx.globalAlpha = s.kind === "partition" ? 0.22 : 0.12;
    ctx.fillRect(left, y, right - left, sizes.weather - 2);
    ctx.globalAlpha = 1;
    ctx.fillRect(left, y, 1.5, sizes.weather - 2);
    if (right - left < 30 || left < (textEnds[row] ?? -Infinity)) continue;
    ctx.fillStyle = theme.ink;
    textEnds[row] = left + drawClipped(ctx, labelOf(s), Math.max(4, left + 5), y + sizes.weather / 2 - 0.5, right - Math.max(0, left) - 8);
  }
}

function labelOf(s: Stretch): string {
  return s.words.replace(/^part_(\w+)/, (_, how: string) => `${how} partition, a majority of`);
}

/** Returns the width that it took. */
function drawClipped(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, width: number): number {
  if (width < 14) return 0;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y - 10, width, 20);
  ctx.clip();
  ctx.fillText(text, x, y);
  ctx.restore();
  return Math.min(width, ctx.measureText(text).width) + 8;
}

export function drawBands(scene: Scene): void {
  for (const lane of scene.layout.lanes) {
    for (const band of scene.trace.states.bands[lane.replica]) {
      if (band.to < scene.view.from || band.from > scene.view.to) continue;
      drawBand(scene, band, lane.top);
    }
  }
}

function drawBand(scene: Scene, band: Band, top: number): void {
  const { ctx, theme } = scene;
  const [left, right] = clip(scene, band.from, band.to);
  const height = sizes.band - 3;
  const width = right - left;
  fillRole(ctx, scene, band.role, left, top, width, height);
  const isDark = band.role === "leader";
  const text = textFor(band, right - Math.max(0, left));
  if (!text) return;
  ctx.font = `${isDark ? 600 : 500} 11px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const x = Math.max(left, 0) + 5;
  if (!isDark && band.role !== "follower") {
    // Letters on stripes need a quiet ground.
    ctx.fillStyle = theme.ground;
    ctx.fillRect(x - 2, top + 2, ctx.measureText(text).width + 4, height - 4);
  }
  ctx.fillStyle = isDark ? theme.ground : theme.ink;
  ctx.fillText(text, x, top + height / 2 + 0.5);
}

export function fillRole(ctx: CanvasRenderingContext2D, { theme }: Pick<Scene, "theme">, role: Role, x: number, y: number, width: number, height: number): void {
  if (role === "leader") {
    ctx.fillStyle = theme.leader;
    ctx.fillRect(x, y, width, height);
  } else if (role === "candidate" || role === "pre_candidate") {
    ctx.fillStyle = theme.candidate;
    ctx.globalAlpha = role === "candidate" ? 0.45 : 0.18;
    ctx.fillRect(x, y, width, height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = hatch(ctx, theme.candidate, false, role === "candidate" ? 5 : 8);
    ctx.fillRect(x, y, width, height);
  } else if (role === "follower" || role === "learner") {
    ctx.fillStyle = theme.follower;
    ctx.fillRect(x, y, width, height);
  } else {
    ctx.fillStyle = hatch(ctx, theme.shut, role === "down", 7);
    ctx.fillRect(x, y, width, height);
    ctx.strokeStyle = theme.shut;
    ctx.lineWidth = 1;
    ctx.strokeRect(x + 0.5, y + 0.5, Math.max(0, width - 1), height - 1);
  }
}

function textFor(band: Band, width: number): string {
  const known = band.role !== "down" && band.role !== "unknown";
  const name = roleNames[band.role];
  const long = known ? `${name[0].toUpperCase()}${name.slice(1)} · term ${band.term}` : name;
  if (width > 130) return long;
  const short = known ? `${letters[band.role]} ${band.term}` : letters[band.role];
  if (width > 12 + short.length * 6.5) return short;
  return width > 16 ? letters[band.role] : "";
}
