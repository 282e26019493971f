/** What a person chose on this device. */

import { preferredLanguage } from "../i18n/languages";
import type { Choice } from "../logic/grid";
import { Store } from "../logic/store";

export type Theme = "dark" | "light" | "system";

export interface Prefs {
  readonly theme: Theme;
  readonly language: string;
  readonly choice: Choice;
  /** Columns chosen by pinching, upright and on the side. */
  readonly portraitColumns: number | null;
  readonly landscapeColumns: number | null;
  readonly details: boolean;
  readonly characterKeys: boolean;
  /** Time without recording is jumped over, or passes at its own length. */
  readonly gaps: "skip" | "play";
}

const KEY = "fanal";
const THEMES: readonly unknown[] = ["dark", "light", "system"];
const CHOICES: readonly unknown[] = ["auto", 1, 4, 9, 16];

function columns(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 4 ? value : null;
}

export function readPrefs(stored: string | null, languages: readonly string[], known: readonly string[]): Prefs {
  let data: Record<string, unknown> = {};
  try {
    data = (JSON.parse(stored ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    // written by something else: as if nothing had been chosen
  }
  const language = data["language"];
  return {
    theme: THEMES.includes(data["theme"]) ? (data["theme"] as Theme) : "dark",
    language: typeof language === "string" && known.includes(language) ? language : preferredLanguage(languages),
    choice: CHOICES.includes(data["choice"]) ? (data["choice"] as Choice) : "auto",
    portraitColumns: columns(data["portraitColumns"]),
    landscapeColumns: columns(data["landscapeColumns"]),
    details: data["details"] === true,
    characterKeys: data["characterKeys"] !== false,
    gaps: data["gaps"] === "play" ? "play" : "skip",
  };
}

export function prefsStore(storage: Storage | null, languages: readonly string[], known: readonly string[]): Store<Prefs> {
  let stored: string | null = null;
  try {
    stored = storage?.getItem(KEY) ?? null;
  } catch {
    // storage is refused: choices last as long as the page
  }
  const store = new Store(readPrefs(stored, languages, known));
  store.subscribe(() => {
    try {
      storage?.setItem(KEY, JSON.stringify(store.get()));
    } catch {
      // as above
    }
  });
  return store;
}

export function darkOrLight(theme: Theme, systemIsLight: boolean): "dark" | "light" {
  return theme === "system" ? (systemIsLight ? "light" : "dark") : theme;
}
