/** Keys → commands (ui.md §16).  A chord is a first key that waits for a second (`G` then `L`). */

export type Command =
  | "help"
  | "find"
  | "back"
  | "theme"
  | "go-live"
  | "go-playback"
  | "go-settings"
  | "left"
  | "right"
  | "up"
  | "down"
  | "open"
  | "fullscreen"
  | "details"
  | "snapshot"
  | "sound"
  | "why"
  | "page-up"
  | "page-down"
  | "zoom-in"
  | "zoom-out"
  | `camera-${number}`;

export interface Key {
  readonly key: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly meta: boolean;
  /** The focus is in a field that takes text. */
  readonly typing: boolean;
}

const NAMED: Readonly<Record<string, Command>> = {
  Escape: "back",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Enter: "open",
  PageUp: "page-up",
  PageDown: "page-down",
};

/** Single characters, which a user can switch off (WCAG 2.1.4). */
const CHARACTERS: Readonly<Record<string, Command>> = {
  "?": "help",
  "/": "find",
  t: "theme",
  f: "fullscreen",
  d: "details",
  s: "snapshot",
  a: "sound",
  w: "why",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
};

/** What follows a G. */
const CHORDS: Readonly<Record<string, Command>> = { l: "go-live", p: "go-playback", s: "go-settings" };

const CHORD_MS = 1500;

export class Keys {
  #chordAt: number | null = null;

  command(key: Key, now: number, characters: boolean): Command | null {
    if (key.ctrl || key.alt || key.meta) return null;
    const named = NAMED[key.key];
    if (named !== undefined) {
      this.#chordAt = null;
      return key.typing && named !== "back" ? null : named;
    }
    if (key.typing || !characters) return null;
    const lower = key.key.toLowerCase();
    if (this.#chordAt !== null && now - this.#chordAt < CHORD_MS) {
      this.#chordAt = null;
      return CHORDS[lower] ?? null;
    }
    this.#chordAt = null;
    if (lower === "g") {
      this.#chordAt = now;
      return null;
    }
    if (/^[1-9]$/.test(key.key)) return `camera-${Number(key.key)}`;
    return CHARACTERS[lower] ?? null;
  }
}
