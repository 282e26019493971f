/** Where an instant stands: time ↔ pixels, zoom about a point, and the way a flick goes on. */

import type { Span } from "./contract";
import { DAY, SECOND } from "./zone";

export const LEAST_SHOWN = SECOND;
export const MOST_SHOWN = 366 * DAY;

/** `from` stands at pixel `left`; the axis is `width` pixels wide. */
export interface Axis {
  readonly from: number;
  readonly msPerPx: number;
  readonly left: number;
  readonly width: number;
}

export function xOf(axis: Axis, at: number): number {
  return axis.left + (at - axis.from) / axis.msPerPx;
}

export function timeOf(axis: Axis, x: number): number {
  return axis.from + (x - axis.left) * axis.msPerPx;
}

export function spanOf(axis: Axis): Span {
  return { from: axis.from, to: axis.from + axis.width * axis.msPerPx };
}

export function limitShown(shown: number): number {
  return Math.min(MOST_SHOWN, Math.max(LEAST_SHOWN, shown));
}

/** Shows so much time, with what stands at `x` staying there. */
export function zoomTo(axis: Axis, x: number, shown: number): Axis {
  const msPerPx = limitShown(shown) / axis.width;
  return { ...axis, msPerPx, from: timeOf(axis, x) - (x - axis.left) * msPerPx };
}

/** `factor` > 1 shows less time. */
export function zoomAbout(axis: Axis, x: number, factor: number): Axis {
  return zoomTo(axis, x, (axis.msPerPx * axis.width) / factor);
}

export function panBy(axis: Axis, dx: number): Axis {
  return { ...axis, from: axis.from - dx * axis.msPerPx };
}

export function centred(axis: Axis, at: number): Axis {
  return { ...axis, from: at - (axis.width * axis.msPerPx) / 2 };
}

/** Of what is to come there is nothing to see but that it is to come. */
const AHEAD = 0.2;

/** Never so far that little of `bounds` can be seen: its beginning comes no further than the middle, its end not as far. */
export function within(axis: Axis, bounds: Span): Axis {
  const shown = axis.width * axis.msPerPx;
  const from = Math.min(Math.max(axis.from, bounds.from - shown / 2), bounds.to - (1 - AHEAD) * shown);
  return from === axis.from ? axis : { ...axis, from };
}

/** Where the axis stands while playing: it turns the page before the playhead leaves it. */
export function follow(axis: Axis, at: number, before: number): Axis {
  const was = (xOf(axis, before) - axis.left) / axis.width;
  const is = (xOf(axis, at) - axis.left) / axis.width;
  // somebody who looks elsewhere is left there
  if (was < 0 || was > 1) return axis;
  if (is > 0.92 && is > was) return { ...axis, from: at - 0.12 * axis.width * axis.msPerPx };
  if (is < 0.08 && is < was) return { ...axis, from: at - 0.88 * axis.width * axis.msPerPx };
  return axis;
}

const REMEMBERED_MS = 100;
const HELD_STILL_MS = 60;
const DECAY_MS = 325;
const SLOWEST = 0.02;
const FASTEST = 6;

/** A flick: pixels go on after the finger has gone, slower and slower. */
export class Inertia {
  #samples: { at: number; x: number }[] = [];
  #speed = 0;

  get moving(): boolean {
    return this.#speed !== 0;
  }

  grab(x: number, now: number): void {
    this.#speed = 0;
    this.#samples = [{ at: now, x }];
  }

  move(x: number, now: number): void {
    this.#samples.push({ at: now, x });
    this.#samples = this.#samples.filter((s) => now - s.at <= REMEMBERED_MS);
  }

  /** Whether it goes on. */
  release(now: number): boolean {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    this.#samples = [];
    if (!first || !last || last.at <= first.at || now - last.at > HELD_STILL_MS) return false;
    const speed = (last.x - first.x) / (last.at - first.at);
    if (Math.abs(speed) < SLOWEST * 5) return false;
    this.#speed = Math.max(-FASTEST, Math.min(FASTEST, speed));
    return true;
  }

  stop(): void {
    this.#speed = 0;
  }

  /** How far it went in so much time; the exact integral, so that frames that are late change nothing. */
  step(ms: number): number {
    const before = this.#speed;
    const after = before * Math.exp(-ms / DECAY_MS);
    this.#speed = Math.abs(after) < SLOWEST ? 0 : after;
    return DECAY_MS * (before - after);
  }
}
