/** What the server advises to change in a camera, by what it sends (DIR-3).  The rule is the server's. */

import { amount, isRecord } from "./messages";

export interface CameraAdvice {
  readonly about: "gop" | "rate";
  /** Seconds from one key frame to the next, or pictures per second. */
  readonly measured: number;
  /** The next key frame has not come yet. */
  readonly atLeast: boolean;
}

export function readAdvice(value: unknown): CameraAdvice[] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, 8)
    .filter(isRecord)
    .flatMap((one) => {
      const { about } = one;
      const measured = amount(one["measured"]);
      return (about === "gop" || about === "rate") && measured !== null ? [{ about, measured, atLeast: one["at_least"] === true }] : [];
    });
}
