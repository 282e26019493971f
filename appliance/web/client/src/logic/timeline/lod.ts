/**
 * Levels of detail: what is drawn of many ranges depends on the pixels there are, not on how many ranges there are.
 * Each level is the one below with gaps closed that nobody could see; made when first asked for, kept with the ranges.
 */

import type { Span } from "./contract";

const COARSER = 4;
/** Below so many ranges nothing is gained. */
const FEW = 256;

export class Levels {
  readonly #levels: Float64Array[];

  constructor(ranges: readonly Span[]) {
    const flat = new Float64Array(ranges.length * 2);
    ranges.forEach((range, i) => {
      flat[2 * i] = range.from;
      flat[2 * i + 1] = range.to;
    });
    this.#levels = [flat];
  }

  /** Starts and ends by turns, in which no gap is longer than `msPerPx` that is not in the ranges. */
  for(msPerPx: number): Float64Array {
    let level = this.#levels[0] as Float64Array;
    // a gap of level k is longer than 4^(k-1) ms
    for (let k = 1, closed = 1; closed * COARSER <= msPerPx && level.length > 2 * FEW; k++, closed *= COARSER) {
      level = this.#levels[k] ??= closedUp(level, closed * COARSER);
    }
    return level;
  }
}

function closedUp(flat: Float64Array, gap: number): Float64Array {
  const out = new Float64Array(flat.length);
  let n = 0;
  for (let i = 0; i < flat.length; i += 2) {
    const from = flat[i] as number;
    const to = flat[i + 1] as number;
    if (n > 0 && from - (out[n - 1] as number) < gap) out[n - 1] = Math.max(out[n - 1] as number, to);
    else {
      out[n++] = from;
      out[n++] = to;
    }
  }
  return out.slice(0, n);
}

const KNOWN = new WeakMap<readonly Span[], Levels>();

/** The levels of a list that nobody changes. */
export function levelsOf(ranges: readonly Span[]): Levels {
  let levels = KNOWN.get(ranges);
  if (!levels) KNOWN.set(ranges, (levels = new Levels(ranges)));
  return levels;
}

/** Index (of a start) of the first range that ends after `at`. */
export function firstEnding(flat: Float64Array, at: number): number {
  let low = 0;
  let high = flat.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((flat[2 * middle + 1] as number) > at) high = middle;
    else low = middle + 1;
  }
  return low * 2;
}

/**
 * The bars to draw: starts and ends by turns, in pixels from `left`, at least one wide; what is less than `join` pixels
 * apart is one.  Returns how many numbers stand in `into`.
 */
export function bars(ranges: readonly Span[], from: number, msPerPx: number, width: number, into: Float32Array, join = 1): number {
  const flat = levelsOf(ranges).for(msPerPx * join);
  const to = from + width * msPerPx;
  let n = 0;
  for (let i = firstEnding(flat, from); i < flat.length; i += 2) {
    const start = flat[i] as number;
    if (start >= to) break;
    const x0 = Math.max(0, (start - from) / msPerPx);
    const x1 = Math.min(width, Math.max(x0 + 1, ((flat[i + 1] as number) - from) / msPerPx));
    if (n > 0 && x0 - (into[n - 1] as number) < join) into[n - 1] = Math.max(into[n - 1] as number, x1);
    else if (n + 2 <= into.length) {
      into[n++] = x0;
      into[n++] = x1;
    }
  }
  return n;
}

/** The share of each of `count` equal parts of a span that is in the ranges; added to what is in `into`. */
export function addShares(ranges: readonly Span[], span: Span, count: number, into: Float32Array): void {
  const each = (span.to - span.from) / count;
  const flat = levelsOf(ranges).for(each / 8);
  for (let i = firstEnding(flat, span.from); i < flat.length; i += 2) {
    const from = Math.max(0, ((flat[i] as number) - span.from) / each);
    const to = Math.min(count, ((flat[i + 1] as number) - span.from) / each);
    if (from >= count) break;
    for (let k = Math.floor(from); k < to; k++) into[k] = (into[k] as number) + Math.min(k + 1, to) - Math.max(k, from);
  }
}
