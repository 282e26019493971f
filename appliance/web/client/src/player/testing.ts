/** Stand-ins for the browser's WebSocket and for pipelines. */

import { families, type SoundOfPictures, type StreamMessage } from "../logic/messages";
import { JPEG } from "../logic/messages";
import type { RecordedStream } from "../logic/playback/messages";
import type { DirectRecording, RecordedEvents } from "./recorded-pipeline";
import type { DirectPipeline, PicturePipeline, PipelineEvents } from "./pipeline";
import type { AnySound, Lead, SoundEvents } from "./sound-beside";

export class FakeWebSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  static all: FakeWebSocket[] = [];
  static get last(): FakeWebSocket {
    const socket = FakeWebSocket.all.at(-1);
    if (!socket) throw new Error("no socket was made");
    return socket;
  }

  readyState: number = FakeWebSocket.CONNECTING;
  binaryType = "";
  readonly sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeWebSocket.all.push(this);
  }

  send(data: string): void {
    if (this.readyState !== FakeWebSocket.OPEN) throw new Error("not open");
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = FakeWebSocket.CLOSED;
  }

  // ---- the server's side ----
  accept(): void {
    this.readyState = FakeWebSocket.OPEN;
    this.onopen?.();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  give(data: ArrayBuffer): void {
    this.onmessage?.({ data });
  }

  end(code: number): void {
    this.readyState = FakeWebSocket.CLOSED;
    this.onclose?.({ code });
  }
}

export class FakePipeline implements DirectPipeline {
  static all: FakePipeline[] = [];
  readonly kind = "direct";
  readonly element: HTMLVideoElement;
  families = "";
  lastPictureAt: number | null = null;
  pictureUtc: number | null = null;
  pictures = 0;
  behind = 0.3;
  muted = true;
  disposed = false;
  readonly started: StreamMessage[] = [];
  fragments = 0;

  constructor(readonly events: PipelineEvents, prepared?: HTMLVideoElement) {
    this.element = prepared ?? document.createElement("video");
    FakePipeline.all.push(this);
  }

  start(stream: StreamMessage): void {
    this.families = families(stream.mime);
    this.started.push(stream);
  }
  push(): { video: boolean; key: boolean } {
    this.fragments += 1;
    return { video: true, key: false };
  }
  pump(): void {}
  control(): void {}
  setMuted(muted: boolean): void {
    this.muted = muted;
  }
  dispose(): void {
    this.disposed = true;
    this.element.remove();
  }
  /** A picture comes to the screen. */
  show(): void {
    const first = this.lastPictureAt === null;
    this.lastPictureAt = performance.now();
    this.pictureUtc = 1_800_000_000;
    this.pictures += 1;
    if (first) this.events.picture();
    if (first) this.events.arrived();
  }
}

export class FakePictures implements PicturePipeline {
  static all: FakePictures[] = [];
  readonly kind = "transcoded";
  readonly element = document.createElement("canvas");
  readonly families = JPEG;
  readonly behind = 0;
  lastPictureAt: number | null = null;
  pictureUtc: number | null = null;
  delay: number | null = null;
  shown: ArrayBuffer | null = null;
  pictures = 0;
  replaced = 0;
  disposed = false;
  readonly pushed: ArrayBuffer[] = [];
  flushed = 0;
  lead: Lead | null = null;

  constructor(readonly events: PipelineEvents) {
    FakePictures.all.push(this);
  }

  push(picture: ArrayBuffer): void {
    this.pushed.push(picture);
  }
  pump(): void {}
  follow(lead: Lead): void {
    this.lead = lead;
  }
  flush(): void {
    this.flushed += 1;
  }
  takeReplaced(): number {
    const { replaced } = this;
    this.replaced = 0;
    return replaced;
  }
  dispose(): void {
    this.disposed = true;
    this.element.remove();
  }
  /** The newest picture pushed comes to the screen. */
  show(): void {
    const first = this.lastPictureAt === null;
    this.lastPictureAt = performance.now();
    this.pictureUtc = 1_800_000_000;
    this.delay = 0.2;
    this.shown = this.pushed.at(-1) ?? null;
    this.pictures += 1;
    this.element.width = 640;
    this.element.height = 360;
    if (first) this.events.picture();
    if (first) this.events.arrived();
  }
}

export class FakeSound implements AnySound {
  static all: FakeSound[] = [];
  readonly element: HTMLAudioElement;
  heard = false;
  utc: number | null = null;
  takes = true;
  disposed = false;
  readonly started: SoundOfPictures[] = [];
  readonly lates: number[] = [];
  fragments = 0;

  constructor(readonly events: SoundEvents, prepared?: HTMLAudioElement) {
    this.element = prepared ?? document.createElement("audio");
    FakeSound.all.push(this);
  }

  start(sound: SoundOfPictures): boolean {
    if (!this.takes) return false;
    this.started.push(sound);
    return true;
  }
  push(): void {
    this.fragments += 1;
  }
  came(utc: number): void {
    this.lates.push(utc);
  }
  pump(): void {}
  control(): void {}
  dispose(): void {
    this.disposed = true;
    this.heard = false;
    this.element.remove();
  }
  /** It begins to be heard. */
  play(): void {
    this.heard = true;
    this.events.changed();
  }
}

function box(type: string): ArrayBuffer {
  const bytes = new Uint8Array(8);
  bytes[3] = 8;
  bytes.set([...type].map((c) => c.charCodeAt(0)), 4);
  return bytes.buffer;
}

export const INIT = box("ftyp");
export const FRAGMENT = box("moof");

/** A picture as the server sends it; `utcMs`: its time. */
export function picture(utcMs = 1_800_000_000_000, more: readonly number[] = []): ArrayBuffer {
  const bytes = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd8, 0xff, 0xe0, ...more]);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(utcMs));
  return bytes.buffer;
}

export function transcoded(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: "stream", mode: "transcoded", stream: "main", width: 640, height: 360, fps: 12, reason: "codec", ...more };
}

export function stream(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "stream", mode: "direct", mime: 'video/mp4; codecs="avc1.64001f"', stream: "main", width: 1280, height: 720, fps: 25,
    reason: null, utc_zero: 1_700_000_000 * 90_000, ...more,
  };
}

/** What plays a recording, without media: what it holds is said by the test. */
export class FakeRecording implements DirectRecording {
  static all: FakeRecording[] = [];
  readonly kind = "direct";
  readonly element: HTMLVideoElement;
  families = "";
  lastPictureAt: number | null = null;
  pictureUtc: number | null = null;
  pictures = 0;
  behind = 0;
  ahead = 4;
  position = 0;
  stalled = false;
  atEnd = false;
  tryingSince: number | null = null;
  muted = true;
  disposed = false;
  rate: number | null = null;
  fragments = 0;
  abandoned = 0;
  readonly begun: RecordedStream[] = [];
  /** UTC seconds of what is there. */
  holds: readonly [number, number] = [0, 0];
  feeds = true;
  wanted: number | null = null;
  next: { start: number; end: number } | null = null;

  constructor(readonly events: RecordedEvents, prepared?: HTMLVideoElement) {
    this.element = prepared ?? document.createElement("video");
    Object.defineProperty(this.element, "videoWidth", { value: 640 });
    Object.defineProperty(this.element, "videoHeight", { value: 360 });
    FakeRecording.all.push(this);
  }

  begin(stream: RecordedStream): void {
    this.families = families(stream.mime);
    this.begun.push(stream);
  }
  push(): void {
    this.fragments += 1;
  }
  abandon(): void {
    this.abandoned += 1;
  }
  pump(): void {}
  has(ticks: number): boolean {
    const [from, to] = this.holds;
    return from <= ticks / 90_000 && ticks / 90_000 < to;
  }
  show(ticks: number): void {
    this.wanted = ticks;
  }
  continues(): boolean {
    return this.feeds;
  }
  play(rate: number): void {
    this.rate = rate;
  }
  pause(): void {
    this.rate = null;
  }
  neighbour(ticks: number, by: 1 | -1): { start: number; end: number } | null {
    const start = (Math.floor(ticks / 3600) + by) * 3600;
    return this.holds[0] <= start / 90_000 && start / 90_000 < this.holds[1] ? { start, end: start + 3600 } : null;
  }
  beyond(): { start: number; end: number } | null {
    return this.next;
  }
  setMuted(muted: boolean): void {
    this.muted = muted;
  }
  dispose(): void {
    this.disposed = true;
    this.element.remove();
  }
  /** What was asked for comes to the screen. */
  land(): void {
    if (this.wanted === null) throw new Error("nothing was asked for");
    this.position = this.wanted / 90_000;
    this.lastPictureAt = performance.now();
    this.events.picture();
    this.events.arrived();
    this.events.shown();
  }
}
