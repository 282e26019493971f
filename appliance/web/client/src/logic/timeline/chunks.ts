/**
 * What the server said, kept by level and chunk: each zoom has a level, each level cuts time into chunks of a few
 * screens.  Nothing is asked for twice; what reaches to now is asked for again while somebody looks at it.
 */

import type { Span } from "./contract";
import { HOUR, MINUTE, SECOND } from "./zone";

export interface Level {
  /** Gaps shorter than this cannot be seen, in ms. */
  readonly resolution: number;
  readonly chunk: number;
}

const PX = 4096;
export const LEVELS: readonly Level[] = [
  { resolution: 0, chunk: HOUR / 2 },
  ...[SECOND, 8 * SECOND, 64 * SECOND, 512 * SECOND, 4096 * SECOND].map((resolution) => ({ resolution, chunk: PX * resolution })),
];

export function levelFor(msPerPx: number): number {
  let level = 0;
  while (level + 1 < LEVELS.length && (LEVELS[level + 1] as Level).resolution <= msPerPx) level++;
  return level;
}

export interface Chunk<T> {
  readonly items: T;
  /** Up to when it is known: its end, or when it was asked. */
  readonly known: number;
  readonly at: number;
}

interface Slot<T> {
  chunk: Chunk<T> | null;
  asking: boolean;
  failures: number;
  failedAt: number;
  /** Something was changed here: what there is is shown until it was asked for again. */
  stale: boolean;
}

/** What ends within the last seconds may still grow. */
const SETTLED_MS = 15 * SECOND;
/** The past changes too: files are deleted, others write bookmarks. */
const OLD_MS = 10 * MINUTE;
const FIRST_RETRY_MS = 4 * SECOND;
const LAST_RETRY_MS = MINUTE;
const MOST_SLOTS = 400;

export interface Wanted {
  readonly level: number;
  readonly first: number;
  readonly last: number;
}

/** Chunks of one camera and one kind of thing. */
export class Chunks<T> {
  readonly #slots = new Map<string, Slot<T>>();
  /** Counts up with everything that came. */
  version = 0;

  range(span: Span, level: number): Wanted {
    const { chunk } = LEVELS[level] as Level;
    return { level, first: Math.floor(span.from / chunk), last: Math.floor((span.to - 1) / chunk) };
  }

  spanOf(level: number, index: number): Span {
    const { chunk } = LEVELS[level] as Level;
    return { from: index * chunk, to: (index + 1) * chunk };
  }

  get(level: number, index: number): Chunk<T> | null {
    return this.#slots.get(`${level} ${index}`)?.chunk ?? null;
  }

  failed(level: number, index: number): boolean {
    const slot = this.#slots.get(`${level} ${index}`);
    return slot !== undefined && slot.failures > 0 && slot.chunk === null;
  }

  /** Those of the wanted that are to be asked for, neighbours together; they count as asked for from now on. */
  due(wanted: Wanted, now: number, refreshMs: number): Wanted[] {
    const out: { level: number; first: number; last: number }[] = [];
    for (let index = wanted.first; index <= wanted.last; index++) {
      if (!this.#isDue(wanted.level, index, now, refreshMs)) continue;
      this.#slot(wanted.level, index).asking = true;
      const before = out.at(-1);
      if (before && before.last === index - 1) before.last = index;
      else out.push({ level: wanted.level, first: index, last: index });
    }
    return out;
  }

  #isDue(level: number, index: number, now: number, refreshMs: number): boolean {
    const { from, to } = this.spanOf(level, index);
    if (from > now) return false; // nothing can have been recorded
    const slot = this.#slots.get(`${level} ${index}`);
    if (!slot) return true;
    if (slot.asking) return false;
    if (slot.failures > 0) return now - slot.failedAt >= Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (slot.failures - 1));
    if (slot.stale || !slot.chunk) return true;
    const growing = slot.chunk.at < to + SETTLED_MS;
    return now - slot.chunk.at >= (growing ? refreshMs : OLD_MS);
  }

  #slot(level: number, index: number): Slot<T> {
    const key = `${level} ${index}`;
    let slot = this.#slots.get(key);
    if (!slot) {
      this.#slots.set(key, (slot = { chunk: null, asking: false, failures: 0, failedAt: 0, stale: false }));
      // the ones first asked for go first
      for (const [old, each] of this.#slots) {
        if (this.#slots.size <= MOST_SLOTS) break;
        if (!each.asking && old !== key) this.#slots.delete(old);
      }
    }
    return slot;
  }

  /** `cut` gives the part of the answer that is in a span. */
  came(wanted: Wanted, now: number, cut: (span: Span) => T): void {
    for (let index = wanted.first; index <= wanted.last; index++) {
      const span = this.spanOf(wanted.level, index);
      const slot = this.#slot(wanted.level, index);
      slot.chunk = { items: cut(span), known: Math.min(span.to, now), at: now };
      slot.asking = slot.stale = false;
      slot.failures = 0;
    }
    this.version++;
  }

  failedToCome(wanted: Wanted, now: number): void {
    for (let index = wanted.first; index <= wanted.last; index++) {
      const slot = this.#slot(wanted.level, index);
      slot.asking = false;
      slot.failures++;
      slot.failedAt = now;
    }
    this.version++;
  }

  /** Given up before it was asked. */
  dropped(wanted: Wanted): void {
    for (let index = wanted.first; index <= wanted.last; index++) this.#slot(wanted.level, index).asking = false;
  }

  /** Something was changed at this time, or nobody knows when. */
  touch(at: number | null): void {
    for (const [key, slot] of this.#slots) {
      const [level = 0, index = 0] = key.split(" ").map(Number);
      const { from, to } = this.spanOf(level, index);
      if (at === null || (from <= at && at < to)) slot.stale = true;
    }
    this.version++;
  }
}
