/**
 * What a viewer asks of the server: the `want` message of the live WebSocket (design.md §9), and when it is worth
 * sending again (ui.md §19.3).
 */

export interface Want {
  readonly type: "want";
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly mode: "auto" | "transcoded";
  readonly zoom: boolean;
  readonly codecs: readonly string[];
  readonly audio: boolean;
  /** Of recordings: sound is taken between transcoded pictures too. */
  readonly beside?: boolean;
  readonly paused: boolean;
}

/** The largest screen there is sense in asking for; a bound against absurd layouts. */
const MOST = 8192;
const STEP = 16;
/** A size must change by more than this to be told. */
const NOTICEABLE = 0.12;

/** CSS pixels to the pixels asked for: times the screen's density (at most 2), rounded up to 16. */
export function quantise(cssPixels: number, density: number): number {
  const pixels = Math.max(0, cssPixels) * Math.min(2, Math.max(1, density));
  return Math.min(MOST, Math.max(STEP, Math.ceil(pixels / STEP) * STEP));
}

function differs(before: number, after: number): boolean {
  return Math.abs(after - before) / before > NOTICEABLE;
}

export type Change = "none" | "size" | "now";

/** Whether `next` must be sent after `sent`: at once, after the size has come to rest, or not at all. */
export function wantChange(sent: Want | null, next: Want): Change {
  if (sent === null) return "now";
  if (
    sent.audio !== next.audio ||
    sent.paused !== next.paused ||
    sent.zoom !== next.zoom ||
    sent.fps !== next.fps ||
    sent.mode !== next.mode ||
    sent.codecs.join() !== next.codecs.join()
  ) {
    return "now";
  }
  return differs(sent.width, next.width) || differs(sent.height, next.height) ? "size" : "none";
}
