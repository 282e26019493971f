/**
 * Which pictures the buffer holds, and when each is on screen: what a step and an exact instant go by.  In ticks of
 * 1/90 000 s since the Unix epoch.
 */

import type { Range } from "../live-edge";

export interface Picture {
  readonly start: number;
  readonly end: number;
}

interface Known extends Picture {
  /** The one before it here is the one before it in the recording. */
  readonly follows: boolean;
}

export const TICKS_PER_SECOND = 90_000;
/** A picture stays on screen until the next one, but not over what is a gap in the recording. */
const GAP = 2 * TICKS_PER_SECOND;
/** Rounding of a browser, which counts microseconds. */
const ROUNDING_S = 0.001;

export class Pictures {
  #list: readonly Known[] = [];

  get length(): number {
    return this.#list.length;
  }

  get last(): Picture | null {
    return this.#list.at(-1) ?? null;
  }

  /** The pictures of a fragment, in any order; `follows`: the fragment before came right before it. */
  add(pictures: readonly Picture[], follows: boolean): void {
    const sorted = [...pictures].sort((a, b) => a.start - b.start);
    const [first, last] = [sorted[0], sorted.at(-1)];
    if (!first || !last) return;
    const from = this.#first((known) => known.start >= first.start);
    const to = this.#first((known) => known.start > last.start);
    const fresh = sorted.map((picture, i) => ({ start: picture.start, end: picture.end, follows: i > 0 || (follows && from > 0) }));
    const replaced = this.#list[from];
    // what was known before it was known to follow; and what comes after it still does, if it was replaced itself
    const joins = replaced !== undefined && replaced.start === first.start && replaced.follows;
    if (joins && fresh[0]) fresh[0] = { ...fresh[0], follows: true };
    const after = this.#list.slice(to);
    const next = after[0];
    const touches = next !== undefined && this.#list[to - 1]?.start === last.start && next.follows;
    if (next && !touches) after[0] = { ...next, follows: false };
    this.#list = [...this.#list.slice(0, from), ...fresh, ...after];
  }

  /** Forget what lies outside these ranges of the element, in seconds. */
  keep(ranges: readonly Range[]): void {
    let broken = false;
    const kept: Known[] = [];
    for (const picture of this.#list) {
      const start = picture.start / TICKS_PER_SECOND;
      if (!ranges.some((r) => start >= r.start - ROUNDING_S && start < r.end - ROUNDING_S)) {
        broken = true;
        continue;
      }
      kept.push(broken ? { ...picture, follows: false } : picture);
      broken = false;
    }
    if (kept.length !== this.#list.length) this.#list = kept;
  }

  clear(): void {
    this.#list = [];
  }

  /** The picture on screen at an instant. */
  at(ticks: number): Picture | null {
    const i = this.#first((known) => known.start > ticks);
    const [picture, next] = [this.#list[i - 1], this.#list[i]];
    if (!picture) return null;
    const end = next?.follows && next.start - picture.end < GAP ? Math.max(picture.end, next.start) : picture.end;
    return ticks < end ? { start: picture.start, end } : null;
  }

  /** The picture before or after the one that is on screen at an instant, where it is known. */
  neighbour(ticks: number, by: 1 | -1): Picture | null {
    const i = this.#first((known) => known.start > ticks) - 1;
    if (by === 1) {
      const next = this.#list[i + 1];
      return i >= 0 && next?.follows ? next : null;
    }
    const here = this.#list[i];
    return here?.follows ? (this.#list[i - 1] ?? null) : null;
  }

  /** The first picture at or after an instant. */
  after(ticks: number): Picture | null {
    return this.#list[this.#first((known) => known.start >= ticks)] ?? null;
  }

  /** Index of the first for which `holds`; it holds for all after it. */
  #first(holds: (known: Known) => boolean): number {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const known = this.#list[middle];
      if (known && holds(known)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
