/**
 * What a tile says about its picture (ui.md §5), decided in one place from what is known.  Pure; times are milliseconds
 * on one clock.
 */

import type { LinkState } from "./messages";

export type Phase =
  | "connecting"
  | "live"
  | "waiting"
  | "lost"
  | "offline"
  | "denied"
  | "removed"
  | "full"
  | "unsupported"
  | "blocked"
  | "paused";

export interface Facts {
  readonly now: number;
  /** The socket is open. */
  readonly open: boolean;
  /** When the socket was last lost (or first tried); null while it is open. */
  readonly downSince: number | null;
  readonly refused: "denied" | "removed" | "full" | null;
  readonly link: LinkState | null;
  readonly linkReason: string | null;
  /** When a picture was last shown; null before the first. */
  readonly pictureAt: number | null;
  /** When pictures were last asked for: at the socket's opening, or after a pause. */
  readonly askedAt: number | null;
  readonly paused: boolean;
  /** The browser cannot play what the server announced. */
  readonly unplayable: boolean;
  /** The browser wants a tap before it plays. */
  readonly blocked: boolean;
  /** Pictures a second that were announced, where they may be few; else null. */
  readonly pace: number | null;
}

/** Reasons of the server's that end in nothing to see until the camera or the browser is another. */
const UNSUPPORTED: readonly (string | null)[] = ["unsupported_codec", "codec", "level"];

/** Nobody is told of an interruption shorter than this. */
export const QUIET_MS = 2000;
/** A first picture may take this long before it is called late: a cold camera, and its next key frame. */
export const FIRST_MS = 8000;

/** … nor where so much lies between two pictures anyway. */
const LONGEST_QUIET_MS = 30_000;

export function quietMs(pace: number | null): number {
  return pace === null || pace <= 0 ? QUIET_MS : Math.min(LONGEST_QUIET_MS, Math.max(QUIET_MS, 2500 / pace));
}

export function phaseOf(f: Facts): Phase {
  if (f.refused !== null) return f.refused;
  if (f.unplayable || UNSUPPORTED.includes(f.linkReason)) return "unsupported";
  if (f.paused) return f.pictureAt === null ? "connecting" : "paused";
  const down = !f.open && f.downSince !== null && f.now - f.downSince > QUIET_MS;
  if (down) return "offline";
  const without = f.now - Math.max(f.pictureAt ?? 0, f.askedAt ?? 0);
  // a connection that is being replaced; it may have been dead for a while before that
  if (!f.open) return f.pictureAt === null ? "connecting" : without > quietMs(f.pace) ? "offline" : "live";
  if (f.link === "lost") return "lost";
  if (f.blocked) return "blocked";
  if (f.pictureAt === null) {
    if (f.linkReason === "connecting") return "connecting"; // the server says when that fails
    return (f.link === "waiting" && f.linkReason === "long_gop") || without > FIRST_MS ? "waiting" : "connecting";
  }
  return without > quietMs(f.pace) ? "waiting" : "live";
}
