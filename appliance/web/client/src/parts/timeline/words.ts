/** What happened, in words. */

import type { Translator } from "../../i18n/translator";
import type { Marker } from "../../logic/timeline/contract";

/** The server's words for kinds of events; one that is new is shown as it is. */
export function whatText({ t }: Translator, what: string): string {
  switch (what) {
    case "motion":
      return t("Movement");
    case "manual":
      return t("Recording asked for");
    case "input":
      return t("Input");
    case "tampering":
      return t("Tampering");
    case "line":
      return t("Line crossed");
    case "alarm":
      return t("Alarm");
    case "sound":
      return t("Loud sound");
    default:
      return what;
  }
}

/** `Person`, `Movement`, the text of a bookmark. */
export function markerText(i18n: Translator, marker: Marker): string {
  if (marker.text !== "") return marker.text;
  if (marker.kind === "bookmark") return i18n.t("Bookmark");
  return whatText(i18n, marker.what ?? "alarm");
}

export function kindText({ t }: Translator, marker: Marker): string {
  switch (marker.kind) {
    case "bookmark":
      return t("Bookmark");
    case "alarm":
      return t("Alarm");
    case "event":
      return t("Event");
  }
}
