/** What a view of a recorded camera shows beside its picture, and in which of its states the camera is. */

import type { OwnReason } from "../logic/offer";
import type { RecordedStream } from "../logic/playback/messages";

export type PlaybackPhase = "connecting" | "shown" | "loading" | "none" | "offline" | "full" | "denied" | "removed" | "unsupported" | "blocked";

/** What changes seldom: a view renders it. */
export interface PlaybackView {
  readonly phase: PlaybackPhase;
  readonly stream: RecordedStream | null;
  /** Where nothing is recorded: where something is, after and before, in UTC milliseconds. */
  readonly next: number | null;
  readonly previous: number | null;
  readonly reason: string | null;
  /** Where the browser is why the picture comes as it does, and the server could not know. */
  readonly own: OwnReason | null;
  readonly sound: boolean;
}

/** What its phase depends on; times by `performance.now()`. */
export interface PlaybackSituation {
  readonly now: number;
  readonly refused: "denied" | "removed" | "full" | null;
  readonly unplayable: boolean;
  /** The server's, where something is in the way. */
  readonly reason: string | null;
  /** Since when there is no connection; null where there is one. */
  readonly downSince: number | null;
  readonly absent: boolean;
  readonly blocked: boolean;
  readonly pictured: boolean;
  /** Since when a picture is on its way. */
  readonly askedAt: number | null;
}

export const NO_VIEW: PlaybackView = { phase: "connecting", stream: null, next: null, previous: null, reason: null, own: null, sound: false };

/** After so long it is said that a picture is being fetched … */
const LATE_MS = 500;
/** … and that there is no connection. */
const QUIET_MS = 2000;
const UNSUPPORTED: readonly (string | null)[] = ["unsupported_codec", "codec", "level"];

export function playbackPhase(it: PlaybackSituation): PlaybackPhase {
  if (it.refused !== null) return it.refused;
  if (it.unplayable || UNSUPPORTED.includes(it.reason)) return "unsupported";
  if (it.downSince !== null && it.now - it.downSince > QUIET_MS) return "offline";
  if (it.absent) return "none";
  if (it.blocked) return "blocked";
  if (!it.pictured) return "connecting";
  return it.askedAt !== null && it.now - it.askedAt > LATE_MS ? "loading" : "shown";
}
