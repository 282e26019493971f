/**
 * The text messages of the playback WebSocket, server → client (docs/playback-protocol.md), checked before anything
 * relies on them.  Every one carries the newest `id` of the client's that it obeys.
 */

import { amount, readStream, record, text, type StreamMessage } from "../messages";

export interface RecordedStream extends StreamMessage {
  readonly id: number;
}

export type PlayState = "playing" | "paused" | "ended" | "gap";

export interface PositionMessage {
  readonly type: "position";
  readonly id: number;
  readonly utcMs: number;
  readonly state: PlayState;
  readonly speed: number;
}

/** Nothing is recorded from here to there; to null: as far as is known now. */
export interface GapMessage {
  readonly type: "gap";
  readonly id: number;
  readonly from: number;
  readonly to: number | null;
}

export interface RecordingMessage {
  readonly type: "status";
  readonly state: "ok" | "waiting";
  readonly reason: string | null;
  /** Of *no_recording*: where there is some, after and before. */
  readonly next: number | null;
  readonly previous: number | null;
  /** What this browser would have to play, where that is the reason. */
  readonly codec: string | null;
  readonly id: number | null;
}

export type PlaybackMessage = RecordedStream | PositionMessage | GapMessage | RecordingMessage;

const STATES: readonly string[] = ["playing", "paused", "ended", "gap"];

function count(value: unknown): number | null {
  return Number.isSafeInteger(value) ? amount(value) : null;
}

export function parsePlayback(raw: string): PlaybackMessage | null {
  const data = record(raw);
  if (!data) return null;
  const id = count(data["id"]);
  switch (data["type"]) {
    case "stream": {
      const stream = readStream(data);
      return stream && id !== null ? { ...stream, id } : null;
    }
    case "position": {
      const utcMs = amount(data["utc_ms"]);
      const state = data["state"];
      const speed = data["speed"];
      if (id === null || utcMs === null || typeof state !== "string" || !STATES.includes(state)) return null;
      return { type: "position", id, utcMs, state: state as PlayState, speed: typeof speed === "number" ? speed : 1 };
    }
    case "gap": {
      const from = amount(data["from"]);
      if (id === null || from === null) return null;
      return { type: "gap", id, from, to: amount(data["to"]) };
    }
    case "status": {
      const state = data["state"];
      if (state !== "ok" && state !== "waiting") return null;
      const [next, previous] = [amount(data["next"]), amount(data["previous"])];
      return { type: "status", state, reason: text(data["reason"]), next, previous, codec: text(data["codec"]), id };
    }
    default:
      return null;
  }
}

/** As the server reads an instant: never before it, so that the picture that begins at it is the one shown. */
export function instant(ticks: number): string {
  const micros = Math.ceil((ticks * 100) / 9);
  const whole = Math.floor(micros / 1_000_000);
  const rest = String(micros - whole * 1_000_000).padStart(6, "0");
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}

/** 1/90 000 s to a millisecond. */
export const TICKS_PER_MS = 90;

export function ticksOf(utcMs: number): number {
  return Math.round(utcMs * TICKS_PER_MS);
}
