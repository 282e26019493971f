/** Keys of playback → commands (ui.md §16).  `G` goes to a time here, and is no first key of two. */

import type { PlaybackCommand } from "./contract";

export interface PlaybackKey {
  readonly key: string;
  readonly shift: boolean;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly meta: boolean;
  /** The focus is in a field that takes text. */
  readonly typing: boolean;
}

const NAMED: Readonly<Record<string, PlaybackCommand>> = {
  Escape: "back",
  ArrowLeft: "seconds-back",
  ArrowRight: "seconds-on",
  ArrowUp: "zoom-in",
  ArrowDown: "zoom-out",
  End: "live",
};
const SHIFTED: Readonly<Record<string, PlaybackCommand>> = { ArrowLeft: "previous-event", ArrowRight: "next-event" };

/** Single characters, which a user can switch off (WCAG 2.1.4). */
const CHARACTERS: Readonly<Record<string, PlaybackCommand>> = {
  ",": "picture-back",
  ".": "picture-on",
  j: "reverse",
  k: "stop",
  l: "forward",
  "[": "slower",
  "]": "faster",
  i: "select-from",
  o: "select-to",
  b: "bookmark",
  e: "investigation",
  g: "go-to-time",
  "?": "help",
  "/": "find",
  t: "theme",
  f: "fullscreen",
  s: "snapshot",
  a: "sound",
};

export function playbackCommand(key: PlaybackKey, characters: boolean): PlaybackCommand | null {
  if (key.ctrl || key.alt || key.meta) return null;
  if (key.typing) return key.key === "Escape" ? "back" : null;
  const named = key.shift ? SHIFTED[key.key] : NAMED[key.key];
  if (named !== undefined) return named;
  // the space bar is no character key: it does what it does everywhere that video is played
  if (key.key === " ") return "play-pause";
  if (!characters) return null;
  if (/^[1-9]$/.test(key.key)) return `camera-${Number(key.key)}`;
  return CHARACTERS[key.key.toLowerCase()] ?? null;
}
