/**
 * One `<video>` with what was recorded.  Media time is UTC in seconds since 1970, so an instant is a `currentTime`, and
 * what is on screen there is known from the fragments.  A bounded piece around the picture shown is kept, whatever was
 * jumped over in between.
 */

import { trim, type Range } from "../logic/live-edge";
import { families, hasSound } from "../logic/messages";
import type { RecordedStream } from "../logic/playback/messages";
import { Pictures, TICKS_PER_SECOND, type Picture } from "../logic/playback/pictures";
import { MediaBuffer, rangesOf } from "./media-buffer";
import type { MediaSupport } from "./media-source";
import { MsePipeline, type AnyPipeline, type PipelineEvents } from "./pipeline";

export interface RecordedEvents extends PipelineEvents {
  /** The picture of the instant that was asked for is on screen. */
  shown(): void;
  /** More of the recording is there. */
  more(): void;
}

/** What is asked of it; tests put others in its place. */
export interface DirectRecording extends AnyPipeline {
  readonly kind: "direct";
  readonly element: HTMLVideoElement;
  /** Seconds of recording that lie ready after the picture shown. */
  readonly ahead: number;
  /** UTC seconds. */
  readonly position: number;
  /** It should go on, and cannot. */
  readonly stalled: boolean;
  begin(stream: RecordedStream, init: ArrayBuffer): void;
  push(fragment: ArrayBuffer): void;
  /** What was sent and is not there yet will not be wanted. */
  abandon(): void;
  /** Whether the picture at an instant is there. */
  has(ticks: number): boolean;
  /** Show exactly the picture at an instant, at once or when it has come. */
  show(ticks: number): void;
  /** What is played from there on follows without asking for it. */
  continues(ticks: number): boolean;
  play(rate: number): void;
  pause(): void;
  neighbour(ticks: number, by: 1 | -1): Picture | null;
  /** What can be played through from here is at its end. */
  readonly atEnd: boolean;
  /** The first picture after that end. */
  beyond(): Picture | null;
  /** Since when it tries to show what it has, by `performance.now()`; null while it does not. */
  readonly tryingSince: number | null;
  setMuted(muted: boolean): void;
}

/** Kept behind the picture shown, so that steps and short ways back ask nobody. */
const KEEP_S = 15;
/** What lies further ahead in another piece goes. */
const FAR_S = 30;
/** The end of a piece is reached a little before it. */
const END_S = 0.06;
/** … and by a decoder that keeps pictures back, by so much before it. */
const TAIL_S = 0.5;
const ROUNDING_S = 0.002;
/** It plays, and has shown the same picture for so long. */
const STANDS_MS = 400;
/** From the edges of a picture, so that a browser's rounding finds the same one. */
const INSIDE = TICKS_PER_SECOND / 2000;
const SILENT_RATES = { slowest: 0.5, fastest: 2 };

export class RecordedPipeline implements DirectRecording {
  readonly kind = "direct";
  readonly element: HTMLVideoElement;
  families = "";
  lastPictureAt: number | null = null;
  pictures = 0;
  readonly #events: RecordedEvents;
  readonly #media: MediaBuffer;
  readonly #known = new Pictures();
  /** The instant asked for: until it is there, and until it is on screen. */
  #wanted: number | null = null;
  #seeking: number | null = null;
  #since = 0;
  #rate: number | null = null;
  #moved = { to: 0, at: 0 };
  #muted = true;
  #callback = 0;
  #frames = 0;
  #disposed = false;

  constructor(support: MediaSupport, events: RecordedEvents, prepared?: HTMLVideoElement) {
    this.#events = events;
    this.element = prepared ?? MsePipeline.makeElement();
    this.element.autoplay = false;
    this.#media = new MediaBuffer(support, this.element, {
      busy: () => events.busy(),
      failed: (why, undecodable) => events.failed(why, undecodable),
      updated: () => this.#updated(),
      cut: (hard) => trim(Math.min(this.#here, this.element.currentTime), this.#ranges, this.#media.keys, hard, KEEP_S),
      surplus: () => this.#surplus(),
      pictures: (pictures, begins) => this.#known.add(pictures.map(inTicks), !begins),
    });
    this.element.addEventListener("seeked", this.#onSeeked);
    this.element.addEventListener("loadedmetadata", this.#onMetadata);
    this.#watch();
  }

  get #ranges(): Range[] {
    return rangesOf(this.element.buffered);
  }

  /** Where what is kept lies around. */
  get #here(): number {
    return this.#wanted === null ? this.element.currentTime : this.#wanted / TICKS_PER_SECOND;
  }

  get pictureUtc(): number | null {
    return this.lastPictureAt === null ? null : this.element.currentTime;
  }

  get position(): number {
    const asked = this.#wanted ?? this.#seeking;
    return asked === null ? this.element.currentTime : asked / TICKS_PER_SECOND;
  }

  get ahead(): number {
    const { position } = this;
    const range = this.#ranges.find((r) => r.start - END_S <= position && position < r.end);
    return range ? range.end - position : 0;
  }

  get behind(): number {
    return this.ahead;
  }

  get stalled(): boolean {
    if (this.#wanted !== null) return true;
    return this.#rate !== null && (this.element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA || this.#stands);
  }

  /** It plays, and does not get on.  Whoever asks often enough finds out. */
  get #stands(): boolean {
    const { currentTime } = this.element;
    const now = performance.now();
    if (currentTime !== this.#moved.to || this.#rate === null || this.element.paused) this.#moved = { to: currentTime, at: now };
    return now - this.#moved.at > STANDS_MS;
  }

  begin(stream: RecordedStream, init: ArrayBuffer): void {
    this.families = families(stream.mime);
    this.#media.start(stream.mime, stream.utcZero / TICKS_PER_SECOND, init);
    if (!hasSound(stream.mime)) this.element.muted = true;
  }

  push(fragment: ArrayBuffer): void {
    this.#media.push(fragment);
  }

  abandon(): void {
    this.#media.drop();
  }

  pump(): void {
    this.#media.pump();
  }

  has(ticks: number): boolean {
    return this.#found(ticks) !== null;
  }

  #found(ticks: number): Picture | null {
    // before that an instant is where to begin, not a place to go to, and nobody says when it is there
    if (this.element.readyState < HTMLMediaElement.HAVE_METADATA) return null;
    const picture = this.#known.at(ticks);
    const start = (picture?.start ?? 0) / TICKS_PER_SECOND;
    return picture && this.#ranges.some((r) => r.start - END_S <= start && start < r.end) ? picture : null;
  }

  show(ticks: number): void {
    const picture = this.#found(ticks);
    if (!picture) {
      this.#wanted = ticks;
      return;
    }
    this.#wanted = null;
    this.#seeking = ticks;
    this.#since = performance.now();
    const middle = (picture.start + picture.end) / 2;
    const inside = Math.min(Math.max(ticks, Math.min(picture.start + INSIDE, middle)), Math.max(picture.end - INSIDE, middle));
    this.element.currentTime = inside / TICKS_PER_SECOND;
  }

  continues(ticks: number): boolean {
    const [time, edge] = [ticks / TICKS_PER_SECOND, this.#media.edge];
    if (edge === null || !this.#known.at(ticks)) return false;
    return this.#ranges.some((r) => r.start - END_S <= time && time < r.end && edge <= r.end + END_S && edge > r.start);
  }

  play(rate: number): void {
    const { element } = this;
    this.#rate = rate;
    element.muted = this.#muted || rate < SILENT_RATES.slowest || rate > SILENT_RATES.fastest;
    if (element.playbackRate !== rate) element.playbackRate = rate;
    if (!element.paused) return;
    element.play().then(
      () => this.#events.blocked(false),
      (error: unknown) => {
        if (this.#disposed || !(error instanceof DOMException) || error.name !== "NotAllowedError") return;
        if (element.muted) this.#events.blocked(true);
        else {
          this.#muted = element.muted = true; // sound needs a tap; the picture goes on
          if (this.#rate !== null) this.play(this.#rate);
        }
      },
    );
  }

  pause(): void {
    this.#rate = null;
    if (!this.element.paused) this.element.pause();
  }

  neighbour(ticks: number, by: 1 | -1): Picture | null {
    return this.#known.neighbour(ticks, by);
  }

  get atEnd(): boolean {
    if (this.#wanted !== null || this.element.seeking) return false;
    const range = this.#range;
    if (!range) return true;
    const left = range.end - this.element.currentTime;
    // some decoders keep the last pictures to themselves until others follow
    return left <= END_S || (left < TAIL_S && this.#stands);
  }

  beyond(): Picture | null {
    const end = this.#range?.end ?? this.element.currentTime;
    return this.#known.after(Math.round((end + ROUNDING_S) * TICKS_PER_SECOND));
  }

  get tryingSince(): number | null {
    return this.#seeking === null ? null : this.#since;
  }

  get #range(): Range | undefined {
    const time = this.element.currentTime;
    return this.#ranges.find((r) => r.start - END_S <= time && time < r.end);
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    if (this.#rate === null) this.element.muted = muted;
    else this.play(this.#rate);
  }

  /** A piece that was left for another, and is not near what is shown. */
  #surplus(): Range | null {
    const [here, edge] = [this.#here, this.#media.edge ?? -1];
    const { currentTime } = this.element;
    const needed = (r: Range): boolean =>
      [here, currentTime].some((time) => r.start - FAR_S < time && time < r.end + KEEP_S) || (r.start < edge && edge <= r.end + END_S);
    return this.#ranges.find((r) => !needed(r)) ?? null;
  }

  #updated(): void {
    this.#known.keep(this.#ranges);
    if (this.#wanted !== null) this.show(this.#wanted);
    this.#events.more();
  }

  readonly #onMetadata = (): void => {
    if (!this.#disposed && this.#wanted !== null) this.show(this.#wanted);
  };

  readonly #onSeeked = (): void => {
    if (this.#disposed || this.#seeking === null || this.element.seeking) return;
    this.#seeking = null;
    this.#shown(performance.now(), 0);
    this.#events.arrived();
    this.#events.shown();
  };

  #watch(): void {
    if (!("requestVideoFrameCallback" in this.element)) return;
    const shown = (now: number, frame: VideoFrameCallbackMetadata): void => {
      if (this.#disposed) return;
      this.#shown(now, Math.max(1, frame.presentedFrames - this.#frames));
      this.#frames = frame.presentedFrames;
      this.#callback = this.element.requestVideoFrameCallback(shown);
    };
    this.#callback = this.element.requestVideoFrameCallback(shown);
  }

  #shown(now: number, count: number): void {
    const first = this.lastPictureAt === null;
    this.lastPictureAt = now;
    this.pictures += count;
    if (first) this.#events.picture();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#callback) this.element.cancelVideoFrameCallback(this.#callback);
    this.element.removeEventListener("seeked", this.#onSeeked);
    this.element.removeEventListener("loadedmetadata", this.#onMetadata);
    this.#media.dispose();
  }
}

function inTicks(range: Range): Picture {
  return { start: Math.round(range.start * TICKS_PER_SECOND), end: Math.round(range.end * TICKS_PER_SECOND) };
}
