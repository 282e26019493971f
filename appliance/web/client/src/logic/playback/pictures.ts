/**
 * Which pictures the buffer holds, and when each is on screen: what a step and an exact instant go by.  In ticks of
 * 1/90 000 s since the Unix epoch.
 */

import type { Range } from "../live-edge";
import { TICKS_PER_MS } from "./messages";

export interface Picture {
  readonly start: number;
  readonly end: number;
}

interface Known extends Picture {
  /** What it came with: a stream that was sent without leaving anything out. */
  readonly feed: number;
  /** The one before it here is the one before it in the recording. */
  follows: boolean;
}

export const TICKS_PER_SECOND = 90_000;
/** A picture stays on screen until the next one, but not over what is a gap in the recording. */
const GAP = 2 * TICKS_PER_SECOND;
/** Rounding of a browser, which counts microseconds. */
const ROUNDING_S = 0.001;

export class Pictures {
  #list: Known[] = [];
  #batch = 0;

  get length(): number {
    return this.#list.length;
  }

  get last(): Picture | null {
    return this.#list.at(-1) ?? null;
  }

  /** The pictures of a fragment, in decoding order; `follows`: the fragment before came right before it. */
  add(pictures: readonly Picture[], follows: boolean): void {
    if (!follows) this.#batch += 1;
    for (const { start, end } of pictures) {
      const i = this.#first((known) => known.start >= start);
      const [before, here] = [this.#list[i - 1], this.#list[i]];
      const again = here?.start === start;
      const joins = (again && here.follows) || before?.feed === this.#batch;
      // of the same stream, what is shown later may have come earlier
      if (!again && here && here.feed !== this.#batch) here.follows = false;
      this.#list.splice(i, Number(again), { start, end, feed: this.#batch, follows: joins });
    }
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

  /**
   * The picture on screen at an instant.  A whole millisecond stands for all of it, as the server reads one: times are told
   * cut to that, and before the first picture of a recording there is none.
   */
  at(ticks: number): Picture | null {
    const i = this.#behind(ticks);
    const [picture, next] = [this.#list[i - 1], this.#list[i]];
    if (!picture) return null;
    const end = next?.follows && next.start - picture.end < GAP ? Math.max(picture.end, next.start) : picture.end;
    return ticks < end ? { start: picture.start, end } : null;
  }

  /** The picture before or after the one that is on screen at an instant, where it is known. */
  neighbour(ticks: number, by: 1 | -1): Picture | null {
    const i = this.#behind(ticks) - 1;
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

  /** Index of the first that begins after an instant. */
  #behind(ticks: number): number {
    const asked = ticks % TICKS_PER_MS === 0 ? ticks + TICKS_PER_MS - 1 : ticks;
    return this.#first((known) => known.start > asked);
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
