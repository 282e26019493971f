/** Speeds of playing: `[` and `]` change how fast, `J K L` in which direction (ui.md §7, §16). */

import type { Speed } from "./contract";

export const SPEEDS: readonly Speed[] = [-32, -16, -8, -4, -2, -1, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
export const REVERSE: readonly Speed[] = SPEEDS.filter((s) => s < 0);
export const FORWARD: readonly Speed[] = SPEEDS.filter((s) => s > 0);

/** Only key frames are shown: in between there is no time to decode, or nothing would be seen. */
export function keyFramesOnly(speed: Speed): boolean {
  return speed > 4 || speed < -1;
}

function beside(speed: Speed, by: 1 | -1): Speed {
  const list = speed < 0 ? [...REVERSE].reverse() : FORWARD;
  return list[list.indexOf(speed) + by] ?? speed;
}

export function faster(speed: Speed): Speed {
  return beside(speed, 1);
}

export function slower(speed: Speed): Speed {
  return beside(speed, -1);
}

/** `L`: forward; pressed while playing forward, faster. */
export function forward(speed: Speed, playing: boolean): Speed {
  return speed > 0 && playing ? faster(speed) : 1;
}

/** `J`: in reverse; pressed while playing in reverse, faster. */
export function reverse(speed: Speed, playing: boolean): Speed {
  return speed < 0 && playing ? faster(speed) : -1;
}

const FRACTIONS: Readonly<Record<string, string>> = { "0.125": "⅛", "0.25": "¼", "0.5": "½" };

/** `1×`, `½×`, `−2×` */
export function speedText(speed: Speed): string {
  return `${FRACTIONS[String(speed)] ?? String(speed).replace("-", "\u2212")}×`;
}
