// The clients' operations, a row for each client: from call to answer, and the instant at which it took effect.

import { Ending, Step, type ClientHistory, type Operation } from "../model/operations";
import { lowerBound } from "../model/sorted";
import { sizes } from "./layout";
import type { Scene } from "./stage";
import { hatch } from "./theme";

const narrowest = 2;
/** More in a row than there are pixels for: then only every so many of those that are as they should be. */
const mostPerPixel = 0.5;

export function drawStrip(scene: Scene): void {
  const { trace, layout } = scene;
  layout.clients.forEach((client, i) => {
    const y = layout.clientsTop + i * sizes.client;
    scene.ctx.fillStyle = scene.theme.line;
    scene.ctx.fillRect(0, Math.round(y + sizes.client / 2), scene.width, 1);
    const history = trace.operations.byClient.get(client);
    if (history) drawClient(scene, history, y);
  });
}

function drawClient(scene: Scene, h: ClientHistory, top: number): void {
  const { from, to } = scene.view;
  const begin = lowerBound(h.calls, from - h.longest);
  const end = lowerBound(h.calls, to);
  const step = Math.max(1, Math.floor((end - begin) / (scene.width * mostPerPixel)));
  for (let i = begin; i < end; i += step) drawOperation(scene, h.list[i], top, endOf(scene, h, i), isAlone(h, i));
  for (const i of h.notable) if (h.calls[i] < to) drawOperation(scene, h.list[i], top, endOf(scene, h, i), isAlone(h, i));
}

/** Nothing else of that client goes on: there is room for words. */
function isAlone(h: ClientHistory, i: number): boolean {
  return h.list[i].done <= h.nexts[i] && (i === 0 || h.list[i - 1].done <= h.calls[i]);
}

/** Where an operation is drawn; of one that was never answered, up to the client's next. */
function endOf({ trace }: Scene, h: ClientHistory, i: number): number {
  const { done } = h.list[i];
  return done === Infinity ? Math.min(h.nexts[i], trace.last) : done;
}

function drawOperation({ ctx, theme, x, width, view, trace }: Scene, o: Operation, top: number, end: number, isAlone: boolean): void {
  if (end < view.from) return;
  const left = Math.max(-4, x(o.call));
  const right = Math.min(width + 4, Math.max(x(end), left + narrowest));
  const height = sizes.client - 5;
  const y = top + 2.5;
  const failed = o.ending === Ending.unanswered || o.ending === Ending.failed;
  if (o.wrong > 0) {
    // Never dimmed.
    const alpha = ctx.globalAlpha;
    ctx.fillStyle = theme.wrong;
    ctx.globalAlpha = o.wrong === 2 ? 1 : 0.5;
    ctx.fillRect(left, y - 1, Math.max(right - left, 4), height + 2);
    ctx.globalAlpha = alpha;
  } else if (failed) {
    ctx.fillStyle = hatch(ctx, theme.warn, false, 5);
    ctx.fillRect(left, y, right - left, height);
    ctx.fillStyle = theme.warn;
    ctx.fillRect(left, y - 1, 2, height + 2);
  } else {
    ctx.fillStyle = theme.client;
    ctx.globalAlpha *= o.kind === "get" ? 0.45 : 0.85;
    ctx.fillRect(left, y, right - left, height);
    ctx.globalAlpha /= o.kind === "get" ? 0.45 : 0.85;
  }
  if (right - left < 14) return;
  for (const a of o.attempts) {
    if (a.step !== Step.redirected && a.step !== Step.failed) continue;
    ctx.fillStyle = theme.warn;
    ctx.fillRect(x(trace.begin[a.row]) - 1, y - 2, 2, height + 4);
  }
  if (!Number.isNaN(o.point)) diamond(ctx, theme.ink, x(o.point), y + height / 2, 4);
  if (isAlone && right - left > 90) {
    ctx.font = "10px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    ctx.fillStyle = o.wrong === 2 || o.kind !== "get" ? theme.ground : theme.ink;
    const text = `${o.kind} ${o.key.slice(0, 6)}`;
    if (Math.abs(x(o.point) - left - 30) > 40 || Number.isNaN(o.point)) ctx.fillText(text, Math.max(left, 0) + 5, y + height / 2 + 0.5);
  }
}

function diamond(ctx: CanvasRenderingContext2D, colour: string, x: number, y: number, s: number): void {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(x, y - s);
  ctx.lineTo(x + s, y);
  ctx.lineTo(x, y + s);
  ctx.lineTo(x - s, y);
  ctx.fill();
}

/** The operation under this point; undefined: none. */
export function operationAt(scene: Scene, px: number, py: number): Operation | undefined {
  const { layout, trace, x } = scene;
  const client = layout.clients[Math.floor((py - layout.clientsTop) / sizes.client)];
  if (client === undefined || py < layout.clientsTop) return undefined;
  const history = trace.operations.byClient.get(client)!;
  let best: Operation | undefined;
  let distance = 6;
  history.list.forEach((o, i) => {
    const d = Math.max(x(o.call) - px, px - x(endOf(scene, history, i)), 0);
    if (d < distance) [best, distance] = [o, d];
  });
  return best;
}
