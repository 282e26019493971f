/** What the server says about recordings, events and bookmarks: checked before anything relies on it. */

import { isRecord, text } from "../messages";
import type { Bookmark, Marker, Span } from "./contract";
import { normalise } from "./spans";

const MOST = 20_000;

/** RFC 3339 → UTC milliseconds. */
export function instant(value: unknown): number | null {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT/.test(value)) return null;
  const at = Date.parse(value);
  return Number.isFinite(at) ? at : null;
}

export function rfc3339(at: number): string {
  return new Date(Math.round(at)).toISOString();
}

export interface Recorded {
  readonly ranges: Span[];
  readonly first: number | null;
  readonly last: number | null;
}

export function readRecorded(body: unknown): Recorded | null {
  if (!isRecord(body) || !Array.isArray(body["ranges"])) return null;
  const ranges: Span[] = [];
  for (const each of body["ranges"].slice(0, MOST)) {
    if (!isRecord(each)) continue;
    const from = instant(each["from"]);
    const to = instant(each["to"]);
    if (from !== null && to !== null && to > from) ranges.push({ from, to });
  }
  return { ranges: normalise(ranges), first: instant(body["first"]), last: instant(body["last"]) };
}

const ALARM = /^alarm/;

export function readEvents(body: unknown, camera: string): Marker[] | null {
  if (!isRecord(body) || !Array.isArray(body["events"])) return null;
  const out: Marker[] = [];
  for (const each of body["events"].slice(0, MOST)) {
    if (!isRecord(each)) continue;
    const at = instant(each["at"]);
    const id = text(String(each["id"] ?? ""), 64);
    const what = text(each["kind"], 64);
    if (at === null || !id || what === null) continue;
    const until = instant(each["until"]);
    out.push({ kind: ALARM.test(what) ? "alarm" : "event", id, camera, at, until: until !== null && until > at ? until : null, text: text(each["text"], 1024) ?? "", what });
  }
  return out.sort((a, b) => a.at - b.at);
}

export function readBookmark(body: unknown): Bookmark | null {
  if (!isRecord(body)) return null;
  const at = instant(body["at"]);
  const id = text(String(body["id"] ?? ""), 64);
  const camera = text(body["camera"], 64);
  if (at === null || !id || camera === null) return null;
  const until = instant(body["until"]);
  return {
    kind: "bookmark", id, camera, at, until: until !== null && until > at ? until : null, text: text(body["text"], 4096) ?? "", user: text(body["user"], 1024) ?? "",
    mine: body["mine"] === true,
  };
}

export function readBookmarks(body: unknown): Bookmark[] | null {
  if (!isRecord(body) || !Array.isArray(body["bookmarks"])) return null;
  return body["bookmarks"].slice(0, MOST).map(readBookmark).filter((b) => b !== null).sort((a, b) => a.at - b.at);
}

/** Movement that lasts is drawn as such; everything else that happens is a pin. */
export function movementOf(events: readonly Marker[]): { readonly movement: Span[]; readonly rest: Marker[] } {
  const movement: Span[] = [];
  const rest: Marker[] = [];
  for (const event of events) {
    if (event.what === "motion" && event.until !== null) movement.push({ from: event.at, to: event.until });
    else rest.push(event);
  }
  return { movement: normalise(movement), rest };
}
