// Colours, as the style sheet has them, and the patterns that say the same without colour.

export interface Theme {
  ink: string;
  muted: string;
  line: string;
  ground: string;
  raised: string;
  accent: string;
  wrong: string;
  warn: string;
  client: string;
  election: string;
  replication: string;
  storage: string;
  leader: string;
  candidate: string;
  follower: string;
  shade: string;
  shut: string;
  terms: string[];
}

const names = [
  "ink", "muted", "line", "ground", "raised", "accent", "wrong", "warn", "client", "election", "replication", "storage",
  "leader", "candidate", "follower", "shade", "shut",
] as const;

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const theme = Object.fromEntries(names.map((name) => [name, value(name)])) as unknown as Theme;
  theme.terms = [0, 1, 2, 3, 4, 5].map((i) => value(`term-${i}`));
  return theme;
}

export function colourOfTerm(theme: Theme, term: number): string {
  return theme.terms[term % theme.terms.length];
}

/** What a message is about. */
export type Family = "election" | "replication" | "client" | "storage" | "timer" | "other";

const families: Record<string, Family> = {
  pre_vote_request: "election", pre_vote_reply: "election", vote_request: "election", vote_reply: "election",
  timeout_now: "election", standing_changed: "election", hand_over: "election",
  append_request: "replication", append_accepted: "replication", append_rejected: "replication",
  commit_notice: "replication", snapshot_piece: "replication", snapshot_reply: "replication", committed: "replication",
  outcomes: "replication", install_snapshot: "replication", propose: "replication",
  client_request: "client", client_answer: "client", client_requests: "client", read_requests: "client", reads_ready: "client",
  reads_refused: "client", locate_leader: "client", leader_heard: "client",
  get: "client", put: "client", append: "client", cas: "client", delete: "client", ok: "client", fail: "client",
  redirect: "client",
  write: "storage", write_done: "storage", state_saved: "storage", wake: "timer", flush: "timer",
};

export function familyOf(type: string, inner: string): Family {
  return (type === "received" || type === "outbound" ? families[inner] : families[type]) ?? "other";
}

export function colourOfFamily(theme: Theme, family: Family): string {
  if (family === "timer" || family === "other") return theme.muted;
  return theme[family];
}

const patterns = new Map<string, CanvasPattern>();

/** Diagonal lines; `both` ways for what is shut. */
export function hatch(ctx: CanvasRenderingContext2D, colour: string, both = false, gap = 6): CanvasPattern {
  const ratio = devicePixelRatio || 1;
  const key = `${colour} ${both} ${gap} ${ratio}`;
  const known = patterns.get(key);
  if (known) return known;
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(gap * ratio);
  const t = tile.getContext("2d")!;
  t.strokeStyle = colour;
  t.lineWidth = ratio;
  const n = tile.width;
  t.beginPath();
  for (const shift of [-n, 0, n]) {
    t.moveTo(shift, n);
    t.lineTo(shift + n, 0);
    if (both) {
      t.moveTo(shift, 0);
      t.lineTo(shift + n, n);
    }
  }
  t.stroke();
  const pattern = ctx.createPattern(tile, "repeat")!;
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  patterns.set(key, pattern);
  return pattern;
}
