/**
 * The text messages of the live WebSocket, server → client (design.md §9), checked before anything relies on them.
 * What is not understood is `null` and ignored: a newer server may say more than this page knows.
 */

/** The sound that goes beside transcoded pictures. */
export interface SoundOfPictures {
  readonly mime: string;
  /** As of a stream. */
  readonly utcZero: number;
}

export interface StreamMessage {
  readonly type: "stream";
  readonly mode: "direct" | "transcoded";
  /** As for `MediaSource.isTypeSupported`; of transcoded streams, of each picture. */
  readonly mime: string;
  readonly stream: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number | null;
  /** Why it is not the direct best stream; null if it is. */
  readonly reason: string | null;
  /** Why it is transcoded at all, where `reason` says why there is less of it. */
  readonly cause?: string | null;
  /** Of the server's levels, the one whose limit makes the picture smaller or slower. */
  readonly level?: number | null;
  /** Of JPEG. */
  readonly quality?: number | null;
  /** What the camera sends, where JPEG is made of it: "h265". */
  readonly codec?: string | null;
  /** Beside JPEG; null where there is none. */
  readonly sound?: SoundOfPictures | null;
  /** 90 kHz ticks since the Unix epoch of decode time 0; 0 for transcoded streams, whose pictures bring their time. */
  readonly utcZero: number;
}

export type LinkState = "ok" | "waiting" | "lost";

export interface StatusMessage {
  readonly type: "status";
  readonly state: LinkState;
  readonly reason: string | null;
  /** What this browser would have to play, where that is the reason. */
  readonly codec: string | null;
}

export interface DroppedMessage {
  readonly type: "dropped";
  readonly seconds: number;
}

/** How the network to this browser is, as the server sees it; told to who asks.  Null: not known. */
export interface NetworkMessage {
  readonly type: "network";
  readonly arrivesKbps: number | null;
  readonly carriesKbps: number | null;
  readonly roundTripMs: number | null;
  /** The share that had to be sent again. */
  readonly resent: number | null;
  /** 0: nothing is taken away for the network's sake. */
  readonly step: number;
  readonly steps: number;
  readonly level: number | null;
}

export type ServerMessage = StreamMessage | StatusMessage | DroppedMessage | NetworkMessage;

/** What a transcoded stream is made of. */
export const JPEG = "image/jpeg";
const TEXT_LIMIT = 65536;
const STATES: readonly string[] = ["ok", "waiting", "lost"];

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function text(value: unknown, most = 256): string | null {
  return typeof value === "string" && value.length <= most ? value : null;
}

/** A finite number that is not negative, else null. */
export function amount(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}

function readSound(value: unknown): SoundOfPictures | null {
  if (!isRecord(value)) return null;
  const mime = text(value["mime"]);
  const utcZero = amount(value["utc_zero"]);
  return mime === null || utcZero === null ? null : { mime, utcZero };
}

export function readStream(data: Record<string, unknown>): StreamMessage | null {
  const mode = data["mode"];
  const pictures = mode === "transcoded";
  const mime = pictures ? JPEG : text(data["mime"]);
  const name = text(data["stream"]);
  const utcZero = pictures ? 0 : amount(data["utc_zero"]);
  if ((mode !== "direct" && mode !== "transcoded") || mime === null || name === null || utcZero === null) return null;
  return {
    type: "stream",
    mode,
    mime,
    stream: name,
    width: amount(data["width"]) ?? 0,
    height: amount(data["height"]) ?? 0,
    fps: amount(data["fps"]),
    reason: text(data["reason"]),
    ...(pictures ? { cause: text(data["cause"]), level: amount(data["level"]), quality: amount(data["quality"]), codec: text(data["codec"], 16), sound: readSound(data["sound"]) } : {}),
    utcZero,
  };
}

/** The object that a text message holds, or null. */
export function record(raw: string): Record<string, unknown> | null {
  if (raw.length > TEXT_LIMIT) return null;
  try {
    const data: unknown = JSON.parse(raw);
    return isRecord(data) ? data : null;
  } catch {
    return null;
  }
}

export function parseMessage(raw: string): ServerMessage | null {
  const data = record(raw);
  if (!data) return null;
  switch (data["type"]) {
    case "stream":
      return readStream(data);
    case "status": {
      const state = data["state"];
      if (typeof state !== "string" || !STATES.includes(state)) return null;
      return { type: "status", state: state as LinkState, reason: text(data["reason"]), codec: text(data["codec"]) };
    }
    case "dropped": {
      const seconds = amount(data["seconds"]);
      return seconds === null ? null : { type: "dropped", seconds };
    }
    case "network":
      return {
        type: "network",
        arrivesKbps: amount(data["arrives_kbps"]),
        carriesKbps: amount(data["carries_kbps"]),
        roundTripMs: amount(data["round_trip_ms"]),
        resent: amount(data["resent"]),
        step: amount(data["step"]) ?? 0,
        steps: amount(data["steps"]) ?? 1,
        level: amount(data["level"]),
      };
    default:
      return null;
  }
}

/** The codec families of a MIME type, in order: what must stay the same for a buffer to be used on. */
export function families(mime: string): string {
  const list = /codecs="?([^"]*)"?/.exec(mime)?.[1] ?? "";
  return list
    .split(",")
    .map((codec) => codec.trim().split(".")[0] ?? "")
    .join("+");
}

export function hasSound(mime: string): boolean {
  return /mp4a|opus|flac|ac-3/i.test(mime);
}
