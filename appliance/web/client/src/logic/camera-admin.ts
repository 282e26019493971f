/** Cameras as an administrator sees them, and the answer of a test, read with care. */

import { readAdvice, type CameraAdvice } from "./advice";
import { isLeaving } from "./cameras";
import { readMask, type Mask } from "./mask";
import { amount, isRecord, text } from "./messages";
import { readRecording, type Recording } from "./recording";

export interface AdminStream {
  readonly name: string;
  /** Without credentials; what looks like a password in its path is hidden. */
  readonly url: string;
  readonly username: string;
  readonly hasPassword: boolean;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly kbps: number | null;
  readonly gopS: number | null;
  readonly advice: readonly CameraAdvice[];
}

export interface AdminCamera {
  readonly id: string;
  readonly name: string;
  readonly streams: readonly AdminStream[];
  /** What is hidden from users without the right to see it. */
  readonly mask: Mask;
  readonly recording: Recording;
}

export interface TestStep {
  readonly name: string;
  readonly ok: boolean;
  /** The server's own words, English. */
  readonly text: string;
  readonly ms: number;
}

export interface TestStream extends Omit<AdminStream, "username" | "hasPassword"> {
  readonly ok: boolean;
  readonly code: string | null;
  readonly message: string;
  readonly hint: string;
  readonly steps: readonly TestStep[];
  readonly audio: string | null;
  readonly notes: readonly string[];
  /** Of a certificate that was not believed. */
  readonly fingerprint: string | null;
}

export interface TestResult {
  readonly ok: boolean;
  readonly name: string;
  readonly host: string;
  readonly streams: readonly TestStream[];
  /** As an address for an image. */
  readonly picture: string | null;
}

const MOST = 10_000;
const LARGEST_PICTURE = 8 << 20;

function list(value: unknown, most: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

function figures(value: Record<string, unknown>) {
  return {
    name: text(value["name"]) ?? "",
    url: text(value["url"], 4096) ?? "",
    codec: text(value["codec"]),
    width: amount(value["width"]),
    height: amount(value["height"]),
    fps: amount(value["fps"]),
    kbps: amount(value["kbps"]),
    gopS: amount(value["gop_s"]),
    advice: readAdvice(value["advice"]),
  };
}

function readStream(value: unknown): AdminStream | null {
  if (!isRecord(value)) return null;
  return { ...figures(value), username: text(value["username"], 1024) ?? "", hasPassword: value["has_password"] === true };
}

export function readAdminCamera(value: unknown): AdminCamera | null {
  if (!isRecord(value)) return null;
  const id = text(value["id"], 64);
  const name = text(value["name"], 1024);
  const streams = list(value["streams"], 16).map(readStream).filter((s) => s !== null);
  return id === null || name === null || streams.length === 0 ? null : { id, name, streams, mask: readMask(value["mask"]), recording: readRecording(value["recording"]) };
}

export function readAdminCameras(value: unknown): AdminCamera[] | null {
  if (!isRecord(value) || !Array.isArray(value["cameras"])) return null;
  // one that is about to be removed is gone, unless somebody thinks again
  const staying = list(value["cameras"], MOST).filter((c) => !isLeaving(c));
  return staying.map(readAdminCamera).filter((c) => c !== null);
}

function readTestStream(value: unknown): TestStream | null {
  if (!isRecord(value)) return null;
  const steps = list(value["steps"], 64)
    .filter(isRecord)
    .map((step) => ({ name: text(step["name"]) ?? "", ok: step["ok"] === true, text: text(step["text"], 4096) ?? "", ms: amount(step["ms"]) ?? 0 }));
  const audio = isRecord(value["audio"]) ? text(value["audio"]["codec"]) : null;
  const notes = list(value["notes"], 64).filter((n): n is string => typeof n === "string");
  return {
    ...figures(value),
    ok: value["ok"] === true,
    code: text(value["code"]),
    message: text(value["message"], 4096) ?? "",
    hint: text(value["hint"], 4096) ?? "",
    steps,
    audio,
    notes,
    fingerprint: text(value["fingerprint"], 128),
  };
}

export function readTest(value: unknown): TestResult | null {
  if (!isRecord(value)) return null;
  const streams = list(value["streams"], 16).map(readTestStream).filter((s) => s !== null);
  if (streams.length === 0) return null;
  const jpeg = isRecord(value["picture"]) ? text(value["picture"]["jpeg"], LARGEST_PICTURE) : null;
  const safe = jpeg !== null && /^[A-Za-z0-9+/]+=*$/.test(jpeg);
  return {
    ok: value["ok"] === true,
    name: text(value["name"], 1024) ?? "",
    host: text(value["host"], 1024) ?? "",
    streams,
    picture: safe ? `data:image/jpeg;base64,${jpeg}` : null,
  };
}

/** The steps as people see them: what belongs together is one. */
export type Stage = "name" | "connect" | "encrypt" | "speak" | "find" | "start" | "picture";

const STAGES: Readonly<Record<string, Stage>> = {
  name: "name", connect: "connect", TLS: "encrypt", OPTIONS: "speak", DESCRIBE: "find", GET: "find", SETUP: "start", PLAY: "start",
  picture: "picture", measure: "picture", decode: "picture",
};

export interface StageResult {
  readonly stage: Stage;
  readonly ok: boolean;
  readonly ms: number;
}

/** A redirection connects twice: the last word on a stage counts. */
export function stagesOf(steps: readonly TestStep[]): StageResult[] {
  const found = new Map<Stage, StageResult>();
  for (const step of steps) {
    const stage = STAGES[step.name];
    if (stage === undefined) continue;
    found.set(stage, { stage, ok: step.ok, ms: (found.get(stage)?.ms ?? 0) + step.ms });
  }
  return [...found.values()];
}

/** The stage at which it failed; a server that opens nothing failed to connect. */
export function failedStage(steps: readonly TestStep[]): Stage {
  return stagesOf(steps).find((s) => !s.ok)?.stage ?? "connect";
}

/** Milliseconds from pressing to the first picture. */
export function pictureAfterMs(steps: readonly TestStep[]): number {
  return steps.filter((s) => s.name !== "measure" && s.name !== "decode").reduce((sum, s) => sum + s.ms, 0);
}
