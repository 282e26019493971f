/** Which languages there are, which one a browser asks for, and how its catalogue is loaded. */

import { translator, type Catalogue, type Translator } from "./translator";

/** Names are in the language itself, so that they can be read by who needs them. */
export const LANGUAGES: readonly { readonly code: string; readonly name: string }[] = [
  { code: "en", name: "English" },
  { code: "fr", name: "Français" },
  ...(import.meta.env.DEV ? [{ code: "xx", name: "Þšéüðö +30 %" }] : []),
];

/** The first of the browser's languages that we speak, else English. */
export function preferredLanguage(asked: readonly string[]): string {
  for (const tag of asked) {
    const code = tag.toLowerCase().split("-")[0];
    if (LANGUAGES.some((l) => l.code === code && code !== "xx")) return code ?? "en";
  }
  return "en";
}

export const ENGLISH: Translator = translator("en", {});

/** Rejects with the network's error when the catalogue cannot be fetched. */
export async function loadTranslator(language: string): Promise<Translator> {
  if (language === "fr") {
    const { default: catalogue } = (await import("../../../locale/fr/client.po")) as { default: Catalogue };
    return translator("fr", catalogue);
  }
  if (import.meta.env.DEV && language === "xx") {
    const { disguise } = await import("./pseudo");
    return translator("xx", {}, disguise);
  }
  return ENGLISH;
}
