// Looking things up in sorted columns.

type Numbers = ArrayLike<number>;

/** The first place whose value is at least `wanted`, among `count` places from `begin` on. */
export function lowerBound(values: Numbers, wanted: number, begin = 0, end = values.length): number {
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (values[middle] < wanted) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/** The first place whose value is larger than `wanted`. */
export function upperBound(values: Numbers, wanted: number, begin = 0, end = values.length): number {
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (values[middle] <= wanted) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/** How many of the sorted times fall into each of `bins` equal stretches of [from, to). */
export function density(times: Numbers, from: number, to: number, bins: number): Uint32Array {
  const counts = new Uint32Array(bins);
  let before = lowerBound(times, from);
  for (let i = 0; i < bins; ++i) {
    const after = lowerBound(times, from + ((to - from) * (i + 1)) / bins, before);
    counts[i] = after - before;
    before = after;
  }
  return counts;
}
