/** The list of cameras as the server tells it: checked, kept in the server's order, changed by its events. */

import { readAdvice, type CameraAdvice } from "./advice";
import { amount, isRecord, text } from "./messages";
import type { Zone } from "./timeline/zone";

export type CameraHealth = "unknown" | "ok" | "waiting" | "lost";

/** What becomes of a camera's recording: `on` also says that pictures are kept this moment. */
export type RecordingState = "off" | "on" | "waiting" | "failed";

export interface CameraStream {
  readonly id: string;
  readonly name: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  /** kbit/s as measured by the server. */
  readonly kbps: number | null;
  /** For administrators only. */
  readonly advice: readonly CameraAdvice[];
}

export interface Camera {
  readonly id: string;
  readonly name: string;
  readonly site: string;
  readonly health: CameraHealth;
  readonly reason: string | null;
  readonly since: string | null;
  readonly streams: readonly CameraStream[];
  readonly rights: readonly string[];
  readonly audio: boolean;
  /** There are recordings of it, or there are to be. */
  readonly recorded: boolean;
  readonly recording: RecordingState;
  /** Why it is not recorded though it should be. */
  readonly recordingReason: string | null;
}

const HEALTH: readonly string[] = ["unknown", "ok", "waiting", "lost"];
const RECORDING: readonly string[] = ["off", "on", "waiting", "failed"];
const MOST_CAMERAS = 10_000;

function health(value: unknown): CameraHealth {
  return typeof value === "string" && HEALTH.includes(value) ? (value as CameraHealth) : "unknown";
}

function recordingState(value: unknown): RecordingState {
  return typeof value === "string" && RECORDING.includes(value) ? (value as RecordingState) : "off";
}

function readStream(value: unknown): CameraStream | null {
  if (!isRecord(value)) return null;
  const name = text(value["name"]);
  if (name === null) return null;
  return {
    id: text(value["id"]) ?? name,
    name,
    codec: text(value["codec"]),
    width: amount(value["width"]),
    height: amount(value["height"]),
    fps: amount(value["fps"]),
    kbps: amount(value["kbps"]),
    advice: readAdvice(value["advice"]),
  };
}

/** Whether it is to be removed in a moment: then it is gone for everybody, until somebody thinks again. */
export function isLeaving(value: unknown): boolean {
  return isRecord(value) && text(value["remove_at"]) !== null;
}

/** A camera, or null if what came is not one. */
export function readCamera(value: unknown): Camera | null {
  if (!isRecord(value)) return null;
  const id = text(value["id"], 64);
  const name = text(value["name"], 1024);
  if (id === null || id === "" || name === null) return null;
  const state = isRecord(value["state"]) ? value["state"] : {};
  const streams = Array.isArray(value["streams"]) ? value["streams"].slice(0, 16) : [];
  const rights = Array.isArray(value["rights"]) ? value["rights"].slice(0, 32) : [];
  return {
    id,
    name,
    site: text(value["site"], 1024) ?? "",
    health: health(state["state"]),
    reason: text(state["reason"]),
    since: text(state["since"]),
    streams: streams.map(readStream).filter((s) => s !== null),
    rights: rights.filter((r): r is string => typeof r === "string"),
    audio: value["audio"] === true,
    recorded: value["recorded"] === true,
    recording: recordingState(value["recording"]),
    recordingReason: text(value["recording_reason"]),
  };
}

export function readCameras(value: unknown): Camera[] | null {
  if (!isRecord(value) || !Array.isArray(value["cameras"])) return null;
  const seen = new Set<string>();
  const cameras: Camera[] = [];
  for (const item of value["cameras"].slice(0, MOST_CAMERAS)) {
    const camera = isLeaving(item) ? null : readCamera(item);
    if (camera && !seen.has(camera.id)) {
      seen.add(camera.id);
      cameras.push(camera);
    }
  }
  return cameras;
}

export function mayWatch(camera: Camera): boolean {
  return camera.rights.includes("live");
}

export function mayPlayBack(camera: Camera): boolean {
  return camera.rights.includes("playback");
}

/** To what it sends. */
export function mayListen(camera: Camera): boolean {
  return camera.audio && mayHearRecorded(camera);
}

/** What was recorded may have sound, whatever is known of what the camera sends now: it may be gone. */
export function mayHearRecorded(camera: Camera): boolean {
  return camera.rights.includes("audio");
}

/** The stream that shows most. */
export function bestStream(camera: Camera): CameraStream | null {
  const size = (s: CameraStream): number => (s.width ?? 0) * (s.height ?? 0);
  return camera.streams.reduce<CameraStream | null>((best, s) => (best && size(best) >= size(s) ? best : s), null);
}

/** The list after one event; the same list (identical) if it changes nothing. */
export function applyEvent(cameras: readonly Camera[], event: string, data: unknown): readonly Camera[] {
  switch (event) {
    case "camera_added":
    case "camera_changed": {
      if (isLeaving(data)) return applyEvent(cameras, "camera_removed", data);
      const camera = readCamera(data);
      if (!camera) return cameras;
      const at = cameras.findIndex((c) => c.id === camera.id);
      if (at < 0) return cameras.length >= MOST_CAMERAS ? cameras : [...cameras, camera];
      return cameras.map((c, i) => (i === at ? camera : c));
    }
    case "camera_removed": {
      const id = isRecord(data) ? text(data["id"]) : null;
      const rest = cameras.filter((c) => c.id !== id);
      return rest.length === cameras.length ? cameras : rest;
    }
    case "camera_state": {
      if (!isRecord(data)) return cameras;
      const id = text(data["id"]);
      const at = cameras.findIndex((c) => c.id === id);
      if (at < 0) return cameras;
      return cameras.map((c, i) =>
        i === at ? { ...c, health: health(data["state"]), reason: text(data["reason"]), since: text(data["since"]) } : c,
      );
    }
    case "camera_recording": {
      if (!isRecord(data)) return cameras;
      const id = text(data["id"]);
      if (!cameras.some((c) => c.id === id)) return cameras;
      const now = { recorded: data["recorded"] === true, recording: recordingState(data["recording"]), recordingReason: text(data["recording_reason"]) };
      return cameras.map((c) => (c.id === id ? { ...c, ...now } : c));
    }
    default:
      return cameras;
  }
}

function plain(value: string, language: string): string {
  return value.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase(language);
}

/** Cameras whose name or site has every word of the query, whatever the accents and capitals; best first. */
export function findCameras(cameras: readonly Camera[], query: string, language: string): Camera[] {
  const words = plain(query, language).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...cameras];
  const ranked: { camera: Camera; rank: number }[] = [];
  for (const camera of cameras) {
    const name = plain(camera.name, language);
    const all = `${name} ${plain(camera.site, language)}`;
    if (!words.every((w) => all.includes(w))) continue;
    const first = words[0] ?? "";
    ranked.push({ camera, rank: name.startsWith(first) ? 0 : name.includes(first) ? 1 : 2 });
  }
  return ranked.sort((a, b) => a.rank - b.rank).map((r) => r.camera);
}

/** `Front gate`, 14:03:27 → `Front_gate_2026-03-12_14-03-27.jpg`: safe on every file system (ui.md §6). */
export function snapshotName(name: string, at: number, zone: Zone): string {
  const safe = name.replace(/[^\p{L}\p{N}.-]+/gu, "_").replace(/^[._]+|[._]+$/g, "").slice(0, 80) || "camera";
  const two = (n: number): string => String(n).padStart(2, "0");
  const { year, month, day, hour, minute, second } = zone.local(at);
  return `${safe}_${year}-${two(month)}-${two(day)}_${two(hour)}-${two(minute)}-${two(second)}.jpg`;
}
