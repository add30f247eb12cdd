// Where everything is, from top to bottom, in pixels of the canvas.

import type { Stretch } from "../model/stretches";
import { reachOf } from "../model/arrows";
import { Kind, rooms, type Row, type Trace } from "../model/trace";

export const sizes = { weather: 13, client: 14, band: 20, folded: 28, room: 24, gap: 10 };
const mostExtra = 36;
/** What does not fit into these is told by a tick alone. */
const mostWeatherRows = 6;

export interface Lane {
  replica: number;
  top: number;
  /** Below the role band. */
  body: number;
  bottom: number;
  open: boolean;
}

export interface Layout {
  /** Ticks for single moments; stretches are in the rows below. */
  weatherTop: number;
  weatherRows: Map<Stretch, number>;
  clientsTop: number;
  clients: string[];
  lanes: Lane[];
  height: number;
}

function layOut(trace: Trace, open: ReadonlySet<number>, extra = 0): Layout {
  const weatherTop = 4;
  const weatherRows = pack(trace.stretches.filter((s) => s.kind === "partition" || s.kind === "weather"));
  const rows = 1 + Math.max(0, ...[...weatherRows.values()].map((row) => row + 1));
  const clientsTop = weatherTop + rows * sizes.weather + 4;
  let y = clientsTop + trace.clients.length * sizes.client + sizes.gap;
  const lanes = trace.replicas.map((_, replica) => {
    const isOpen = open.has(replica);
    const top = y;
    const body = top + sizes.band;
    const bottom = body + (isOpen ? rooms.length * sizes.room : sizes.folded + extra);
    y = bottom + sizes.gap;
    return { replica, top, body, bottom, open: isOpen };
  });
  return { weatherTop, weatherRows, clientsTop, clients: trace.clients, lanes, height: y };
}

/** A tall window makes folded lanes taller. */
export function fitted(trace: Trace, open: ReadonlySet<number>, height: number): Layout {
  const least = layOut(trace, open);
  const folded = least.lanes.filter((lane) => !lane.open).length;
  const extra = Math.floor((height - least.height) / Math.max(1, folded));
  return extra > 0 ? layOut(trace, open, Math.min(extra, mostExtra)) : least;
}

/** Side by side where they do not overlap, else below each other. */
function pack(stretches: Stretch[]): Map<Stretch, number> {
  const ends: number[] = [];
  const rows = new Map<Stretch, number>();
  for (const s of stretches) {
    let row = ends.findIndex((end) => end <= s.from);
    if (row < 0) row = ends.length;
    if (row >= mostWeatherRows) continue;
    ends[row] = s.to;
    rows.set(s, row);
  }
  return rows;
}

/** The height at which an actor's messages are; of a folded lane there is only one. */
export function heightOfRoom(lane: Lane, room: number): number {
  return lane.open ? lane.body + (room + 0.5) * sizes.room : (lane.body + lane.bottom) / 2;
}

/** Where messages of a replica or client begin and end; -1: nobody knows that name. */
export function heightOfName(layout: Layout, trace: Trace, name: string): number {
  const replica = trace.replicas.indexOf(name);
  if (replica >= 0) return heightOfRoom(layout.lanes[replica], 0);
  const client = layout.clients.indexOf(name);
  return client >= 0 ? layout.clientsTop + (client + 0.5) * sizes.client : -1;
}

/** -1: it has no place of its own. */
export function heightOfRow(layout: Layout, trace: Trace, row: number): number {
  const r = trace.row(row);
  if (r.kind === Kind.network) return heightOnTheWay(layout, trace, row, r);
  if (r.replica < 0) return layout.weatherTop + sizes.weather / 2;
  const lane = layout.lanes[r.replica];
  return r.kind === Kind.note ? lane.top + sizes.band / 2 : heightOfRoom(lane, Math.max(0, rooms.indexOf(r.to)));
}

/** What the network tells of a message lies on its arrow. */
function heightOnTheWay(layout: Layout, trace: Trace, row: number, r: Row): number {
  const arrow = trace.arrows.ofRow(row);
  if (!arrow) return heightOfName(layout, trace, r.to); // told at the end of another record's arrow
  const [from, to] = [heightOfName(layout, trace, arrow.from), heightOfName(layout, trace, arrow.to)];
  if (from < 0 || to < 0) return -1;
  const way = (r.begin - arrow.left) / (arrow.arrived - arrow.left || 1);
  return from + (to - from) * reachOf(arrow.fate) * Math.max(0, Math.min(1, way));
}
