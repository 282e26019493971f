/** How several cameras keep in step (ui.md §7): the slowest sets the pace, the others follow it. */

/** Seconds apart above which the speed is changed … */
export const DRIFT_S = 0.04;
/** … by this much, until so little is left … */
export const CORRECTION = 0.05;
const CORRECTED_S = 0.01;
/** … and above which it is a seek. */
export const JUMP_S = 0.5;

/** The position that sets the pace. */
export function slowest(positions: readonly number[], speed: number): number | null {
  if (positions.length === 0) return null;
  return speed < 0 ? Math.max(...positions) : Math.min(...positions);
}

export interface Correction {
  /** To multiply the speed with. */
  readonly factor: number;
  readonly seek: boolean;
}

/**
 * What one that is `ahead` of the pace by so many seconds of recording has to do; `speed`: of the playback, which
 * stretches them; `before`: its factor until now.
 */
export function correction(ahead: number, speed: number, before: number): Correction {
  // early or late by so many seconds of the person's
  const early = ahead / speed;
  if (Math.abs(early) > JUMP_S) return { factor: 1, seek: true };
  const correcting = before !== 1 && Math.sign(early) === Math.sign(1 - before);
  if (Math.abs(early) <= (correcting ? CORRECTED_S : DRIFT_S)) return { factor: 1, seek: false };
  return { factor: early > 0 ? 1 - CORRECTION : 1 + CORRECTION, seek: false };
}
