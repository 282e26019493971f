/** How the server is (`/api/v1/status`), as far as the page shows it; read with care. */

import { amount, isRecord, text } from "./messages";

export interface Attention {
  readonly code: string;
  /** The server's own words, English. */
  readonly message: string;
  readonly hint: string;
  readonly urgent: boolean;
  /** What the message names: which user, which date. */
  readonly details: Readonly<Record<string, string | number>>;
}

export interface Capacity {
  /** Milliseconds since 1970. */
  readonly measuredAt: number | null;
  readonly wasBusy: boolean;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** So many more, by the load as it is; null while it is not known. */
  readonly moreDirect: number | null;
  readonly moreTranscoded: number | null;
}

export interface ServerStatus {
  readonly runningSince: number | null;
  /** Share of all cores, 0 to 1. */
  readonly cpu: number | null;
  /** Bytes a second. */
  readonly sent: number | null;
  readonly users: number;
  readonly viewers: number;
  /** Null: not measured yet. */
  readonly capacity: Capacity | null;
  readonly attention: readonly Attention[];
}

const MOST = 100;
const MOST_DETAILS = 16;

function time(value: unknown): number | null {
  const at = Date.parse(text(value, 64) ?? "");
  return Number.isFinite(at) ? at : null;
}

function readDetails(value: unknown): Attention["details"] {
  const details: Record<string, string | number> = {};
  for (const [name, each] of Object.entries(isRecord(value) ? value : {}).slice(0, MOST_DETAILS)) {
    const known = typeof each === "number" ? amount(each) : text(each, 500);
    if (known !== null) details[name] = known;
  }
  return details;
}

function readCapacity(value: unknown): Capacity | null {
  if (!isRecord(value)) return null;
  const [width, height, fps] = [amount(value["width"]), amount(value["height"]), amount(value["fps"])];
  if (width === null || height === null || fps === null) return null;
  return {
    measuredAt: time(value["measured_at"]),
    wasBusy: value["was_busy"] === true,
    codec: text(value["codec"]) ?? "",
    width,
    height,
    fps,
    moreDirect: amount(value["more_direct"]),
    moreTranscoded: amount(value["more_transcoded"]),
  };
}

export function readStatus(value: unknown): ServerStatus | null {
  if (!isRecord(value)) return null;
  const attention = Array.isArray(value["attention"]) ? value["attention"].slice(0, MOST) : [];
  return {
    runningSince: time(value["running_since"]),
    cpu: amount(value["cpu"]),
    sent: amount(value["sent"]),
    users: amount(value["users"]) ?? 0,
    viewers: amount(value["viewers"]) ?? 0,
    capacity: readCapacity(value["capacity"]),
    attention: attention.filter(isRecord).map((item) => ({
      code: text(item["code"]) ?? "",
      message: text(item["message"], 2000) ?? "",
      hint: text(item["hint"], 2000) ?? "",
      urgent: item["severity"] === "urgent",
      details: readDetails(item["details"]),
    })),
  };
}
