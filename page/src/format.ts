// Times and numbers for people.

/** `12.345678 s`: a moment, as exact as the tools print it. */
export function moment(ns: number): string {
  return `${(ns / 1e9).toFixed(6)} s`;
}

/** `12.3 µs`, `4.56 ms`: a length of time. */
export function length(ns: number): string {
  const n = Math.abs(ns);
  if (n < 1e3) return `${Math.round(ns)} ns`;
  if (n < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  return n < 1e9 ? `${(ns / 1e6).toFixed(2)} ms` : `${(ns / 1e9).toFixed(3)} s`;
}

/** Three digits: a length that is only to be compared at a glance. */
export function roughly(ns: number): string {
  const [unit, size] = ns < 1e6 ? ["µs", 1e3] : ns < 1e9 ? ["ms", 1e6] : ["s", 1e9];
  return `${Number((ns / (size as number)).toPrecision(3))} ${unit}`;
}

export function count(n: number): string {
  return n.toLocaleString("en").replaceAll(",", " ");
}
