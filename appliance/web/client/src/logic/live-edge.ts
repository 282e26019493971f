/**
 * Keeps the picture close to the newest one received (ui.md §19.5; field-notes rows 1 and 2).
 *
 * Pure: the state of a media element in, one decision out.  All times are seconds on the element's own axis.
 */

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface EdgeInput {
  readonly currentTime: number;
  readonly ranges: readonly Range[];
  /** End of the newest picture appended; null before the first. */
  readonly edge: number | null;
  readonly rate: number;
  /** Sound is heard: it bears less haste than a picture. */
  readonly sound: boolean;
}

export interface EdgeDecision {
  readonly rate: number;
  /** Where to jump, or null to play on. */
  readonly seek: number | null;
  /** Seconds between the picture shown and the newest one. */
  readonly behind: number;
  /** Drop everything from here on: the stream's clock went back, and what lies ahead will never be played. */
  readonly discardFrom: number | null;
}

/** Above this the element plays faster … */
export const HURRY_ABOVE = 0.8;
/** … and below this at its own speed again. */
export const CALM_BELOW = 0.4;
export const HURRY_RATE = 1.05;
/** … and the faster the further behind, so that a second is made up in a few, not in twenty. */
const HASTE = 0.2;
const MOST_RATE = 1.25;
const MOST_RATE_SOUND = 1.1;
/** Nearer than this, the smallest delay of the network would show: it plays slower … */
export const EASE_BELOW = 0.12;
/** … until there is this much in hand again. */
export const EASED_ABOVE = 0.25;
export const EASE_RATE = 0.95;
/** Above this it jumps … */
export const JUMP_ABOVE = 2;
/** … to this far before the newest picture. */
export const JUMP_TO = 0.3;
/** Two ranges this close are played through; Chromium and Safari bridge it by themselves. */
const SEAMLESS = 0.05;

/** How near to the newest it stays: see the constants above, which are those of video. */
export interface EdgeBounds {
  readonly hurryAbove: number;
  readonly calmBelow: number;
  readonly easeBelow: number;
  readonly easedAbove: number;
  readonly jumpAbove: number;
  readonly jumpTo: number;
  /** It jumps ahead to where so much lies ready, and waits for that. */
  readonly least: number;
}

const VIDEO: EdgeBounds = {
  hurryAbove: HURRY_ABOVE,
  calmBelow: CALM_BELOW,
  easeBelow: EASE_BELOW,
  easedAbove: EASED_ABOVE,
  jumpAbove: JUMP_ABOVE,
  jumpTo: JUMP_TO,
  least: 0,
};

/** For sound that is to be so many seconds behind the newest piece. */
export function soundBounds(target: number, least = 0): EdgeBounds {
  return { hurryAbove: target + 0.15, calmBelow: target + 0.03, easeBelow: target - 0.08, easedAbove: target - 0.02, jumpAbove: target + 0.6, jumpTo: target, least };
}

export function liveEdge(input: EdgeInput, bounds = VIDEO): EdgeDecision {
  const { currentTime, ranges, edge } = input;
  const still = { rate: 1, seek: null, behind: 0, discardFrom: null };
  if (edge === null || ranges.length === 0) return still;

  // the range that holds the newest picture: not the last one when the stream's clock went back
  let newest: Range | undefined;
  for (const range of ranges) if (range.start <= edge) newest = range;
  if (newest === undefined) return still;
  const end = Math.min(newest.end, edge);
  const behind = end - currentTime;
  const target = Math.max(newest.start + 0.001, end - bounds.jumpTo);

  const before = currentTime < newest.start;
  if (before && end - newest.start < bounds.least) return { rate: 1, seek: null, behind, discardFrom: null };
  if (behind < -1) return { rate: 1, seek: target, behind, discardFrom: end + 0.5 };
  if (behind > bounds.jumpAbove) return { rate: 1, seek: target, behind, discardFrom: null };

  const inside = ranges.some((r) => r.start - SEAMLESS <= currentTime && currentTime < r.end - SEAMLESS);
  if (before && !inside) return { rate: 1, seek: target, behind, discardFrom: null };

  const hurrying = input.rate > 1;
  const hurry = behind > bounds.hurryAbove || (hurrying && behind > bounds.calmBelow);
  const easing = input.rate < 1;
  const ease = behind < bounds.easeBelow || (easing && behind < bounds.easedAbove);
  if (!hurry) return { rate: ease ? EASE_RATE : 1, seek: null, behind, discardFrom: null };
  const wanted = HURRY_RATE + HASTE * Math.max(0, behind - bounds.hurryAbove);
  // in steps: every change costs the element something
  const rate = Math.min(input.sound ? MOST_RATE_SOUND : MOST_RATE, Math.round(wanted * 20) / 20);
  return { rate, seek: null, behind, discardFrom: null };
}

/** How much is kept behind the picture shown, and when it is worth removing. */
const KEEP = 2;
const WORTH = 4;

/**
 * What may be removed from the buffer: everything before a picture that decoding can start at, at least `keep` seconds
 * behind the one shown.  Cutting elsewhere would take the pictures that depend on what was cut with it.
 */
export function trim(currentTime: number, ranges: readonly Range[], keyTimes: readonly number[], hard = false, keep = KEEP): number | null {
  const first = ranges[0];
  if (!first) return null;
  const limit = currentTime - (hard ? 0 : keep);
  let cut: number | null = null;
  for (const time of keyTimes) if (time <= limit) cut = time;
  if (cut === null || cut - first.start < (hard ? 0.01 : WORTH - KEEP)) return null;
  return cut;
}
