// What is being looked at. It is in the URL's fragment, so that a moment can be sent to somebody.

export interface View {
  from: number;
  to: number;
  cursor: number;
  /** A row; -1: none. */
  selected: number;
  /** Replicas that are unfolded into their actors. */
  open: ReadonlySet<number>;
  query: string;
}

type Listener = (view: View, changed: Set<keyof View>) => void;

export class Viewpoint {
  private listeners: Listener[] = [];
  private pending = new Set<keyof View>();
  private asked = false;

  constructor(private view: View) {}

  get now(): Readonly<View> {
    return this.view;
  }

  set(patch: Partial<View>): void {
    for (const key of Object.keys(patch) as (keyof View)[]) {
      if (this.view[key] === patch[key]) continue;
      this.pending.add(key);
    }
    this.view = { ...this.view, ...patch };
    if (this.pending.size > 0) this.ask();
  }

  /** Draws everything once more. */
  refresh(): void {
    for (const key of ["from", "to", "cursor", "selected", "open", "query"] as const) this.pending.add(key);
    this.ask();
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  private ask(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      const changed = this.pending;
      this.pending = new Set();
      for (const listener of this.listeners) listener(this.view, changed);
    });
  }
}

const ns = 1e9;

/** Rows become ids: they mean the same to the other tools. */
export function toFragment(view: View, idOfRow: (row: number) => number): string {
  const p = new URLSearchParams();
  p.set("from", (view.from / ns).toFixed(9));
  p.set("to", (view.to / ns).toFixed(9));
  p.set("at", (view.cursor / ns).toFixed(9));
  if (view.selected >= 0) p.set("event", String(idOfRow(view.selected)));
  if (view.open.size > 0) p.set("open", [...view.open].sort((a, b) => a - b).join("."));
  if (view.query) p.set("find", view.query);
  return `#${p.toString()}`;
}

/** What cannot be understood stays as it is. */
export function fromFragment(fragment: string, rowOfId: (id: number) => number): Partial<View> {
  const p = new URLSearchParams(fragment.replace(/^#/, ""));
  const patch: Partial<View> = {};
  const time = (name: string) => {
    const value = p.get(name);
    return value !== null && value !== "" && Number.isFinite(Number(value)) ? Number(value) * ns : undefined;
  };
  const [from, to, at] = [time("from"), time("to"), time("at")];
  if (from !== undefined && to !== undefined && to > from) Object.assign(patch, { from, to });
  if (at !== undefined) patch.cursor = at;
  if (p.has("event")) patch.selected = rowOfId(Number(p.get("event")));
  if (p.has("open")) patch.open = new Set(p.get("open")!.split(".").filter(Boolean).map(Number));
  if (p.has("find")) patch.query = p.get("find")!;
  return patch;
}
