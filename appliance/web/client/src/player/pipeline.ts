/**
 * One `<video>` fed by one SourceBuffer (ui.md §19.5).  Knows media, not sockets: init segments and fragments in, a
 * picture out.  Runs of a stream, and streams of one codec, follow each other in the same buffer on the axis
 * "seconds since the page's epoch" (UTC), so a switch of stream shows no gap.
 */

import { JUMP_ABOVE, liveEdge, trim, type Range } from "../logic/live-edge";
import type { StreamMessage } from "../logic/messages";
import { families, hasSound } from "../logic/messages";
import { readFragment, readInit, type Track } from "../logic/mp4";
import type { MediaSupport } from "./media-source";

export interface PipelineEvents {
  /** The first picture is there. */
  picture(): void;
  /** It plays at the live edge and can take over without a jump. */
  arrived(): void;
  /** It cannot go on and must be replaced; `undecodable` if the browser could not make anything of what it was given. */
  failed(why: string, undecodable: boolean): void;
  /** There is something to do at the next animation frame. */
  busy(): void;
  /** The browser refuses to play before a tap. */
  blocked(blocked: boolean): void;
}

/** What is asked of a pipeline; tests put others in their place. */
interface AnyPipeline {
  readonly element: HTMLVideoElement | HTMLCanvasElement;
  readonly families: string;
  /** `performance.now()` of the last picture shown. */
  readonly lastPictureAt: number | null;
  /** UTC seconds of the picture shown. */
  readonly pictureUtc: number | null;
  readonly pictures: number;
  readonly behind: number;
  pump(): void;
  dispose(): void;
}

/** A stream as the camera sends it, in a `<video>`. */
export interface DirectPipeline extends AnyPipeline {
  readonly kind: "direct";
  readonly element: HTMLVideoElement;
  /** `epoch`: Unix seconds that media time 0 stands for. */
  start(stream: StreamMessage, epoch: number, init: ArrayBuffer): void;
  push(fragment: ArrayBuffer): { video: boolean; key: boolean };
  control(now: number): void;
  setMuted(muted: boolean): void;
}

/** One JPEG after the other, on a canvas. */
export interface PicturePipeline extends AnyPipeline {
  readonly kind: "transcoded";
  readonly element: HTMLCanvasElement;
  /** Seconds from the time in the last picture to its being drawn, by this device's clock. */
  readonly delay: number | null;
  /** The picture shown, as it came. */
  readonly shown: ArrayBuffer | null;
  push(picture: ArrayBuffer): void;
  takeReplaced(): number;
}

export type Pipeline = DirectPipeline | PicturePipeline;

interface Part {
  readonly data: ArrayBuffer;
  /** Set for an init segment. */
  readonly start?: { readonly mime: string; readonly offset: number; readonly tracks: readonly Track[] };
}

/** Queued bytes above which the element is not keeping up at all. */
const MOST_QUEUED = 12 << 20;
/** Bytes handed over in one append. */
const MOST_APPENDED = 2 << 20;
/** So many pictures at the live edge, and it has arrived there. */
const SETTLED = 2;
/** On a machine that is never done appending, this long after the first picture is as good. */
const ARRIVE_MS = 1500;
/** Nothing shown for this long although there is something to show. */
const STUCK_MS = 3000;
const STUCK_AGAIN_MS = 2000;

function ranges(buffered: TimeRanges): Range[] {
  return Array.from({ length: buffered.length }, (_, i) => ({ start: buffered.start(i), end: buffered.end(i) }));
}

export class MsePipeline implements DirectPipeline {
  readonly kind = "direct";
  readonly element: HTMLVideoElement;
  families = "";
  lastPictureAt: number | null = null;
  pictures = 0;
  behind = 0;

  readonly #source: MediaSource;
  readonly #events: PipelineEvents;
  #buffer: SourceBuffer | null = null;
  #mime = "";
  readonly #queue: Part[] = [];
  #queued = 0;
  #epoch = 0;
  #tracks: readonly Track[] = [];
  #offset = 0;
  #keys: number[] = [];
  #edge: number | null = null;
  #discardFrom: number | null = null;
  #mediaTime: number | null = null;
  #frames = 0;
  #settled = 0;
  #firstPictureAt: number | null = null;
  #arrived = false;
  #callback = 0;
  #stuckSince: number | null = null;
  #nudged = false;
  #lastSeekAt = -Infinity;
  #playing = false;
  #disposed = false;

  constructor(support: MediaSupport, events: PipelineEvents, prepared?: HTMLVideoElement) {
    this.#events = events;
    this.element = prepared ?? MsePipeline.makeElement();
    this.#source = support.create();
    if (support.managed) this.element.disableRemotePlayback = true;
    const url = URL.createObjectURL(this.#source);
    this.#source.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(url);
        this.#events.busy();
      },
      { once: true },
    );
    this.element.addEventListener("error", this.#onError);
    this.element.src = url;
    this.#watch();
  }

  /** A silent video element ready to be played inline. */
  static makeElement(): HTMLVideoElement {
    const video = document.createElement("video");
    video.muted = true;
    video.autoplay = true;
    video.playsInline = true;
    video.disablePictureInPicture = true;
    video.tabIndex = -1;
    return video;
  }

  get pictureUtc(): number | null {
    if (this.lastPictureAt === null) return null;
    return this.#epoch + (this.#mediaTime ?? this.element.currentTime);
  }

  start(stream: StreamMessage, epoch: number, init: ArrayBuffer): void {
    this.#epoch = epoch;
    this.families = families(stream.mime);
    const tracks = readInit(init);
    if (!tracks) {
      this.#fail("the stream's header cannot be read");
      return;
    }
    // what is left of the stream before is still good: the new one overlaps it
    this.#enqueue({ data: init, start: { mime: stream.mime, offset: stream.utcZero / 90_000 - epoch, tracks } });
    if (!hasSound(stream.mime)) this.element.muted = true;
  }

  push(fragment: ArrayBuffer): { video: boolean; key: boolean } {
    this.#enqueue({ data: fragment });
    const latest = [...this.#queue].reverse().find((part) => part.start)?.start?.tracks ?? this.#tracks;
    const picture = readFragment(fragment)?.find((f) => latest.some((t) => t.id === f.track && t.video));
    return { video: picture !== undefined, key: picture?.sync ?? false };
  }

  #enqueue(part: Part): void {
    if (this.#disposed) return;
    this.#queue.push(part);
    this.#queued += part.data.byteLength;
    if (this.#queued > MOST_QUEUED) this.#fail("the browser does not keep up");
    else this.#events.busy();
  }

  /** At most one change of the buffer; called once per animation frame. */
  pump(): void {
    if (this.#disposed || this.#source.readyState !== "open" || this.#queue.length + Number(this.#discardFrom !== null) === 0) return;
    const buffer = this.#buffer ?? this.#createBuffer();
    if (!buffer || buffer.updating) return;
    try {
      if (this.#discardFrom !== null) {
        const from = this.#discardFrom;
        this.#discardFrom = null;
        this.#keys = this.#keys.filter((time) => time < from);
        buffer.remove(from, Infinity);
        return;
      }
      const cut = trim(this.element.currentTime, ranges(buffer.buffered), this.#keys);
      if (cut !== null) {
        this.#keys = this.#keys.filter((time) => time >= cut);
        buffer.remove(0, cut);
        return;
      }
      this.#append(buffer);
    } catch (error) {
      this.#fail(String(error));
    }
  }

  #createBuffer(): SourceBuffer | null {
    const mime = this.#queue[0]?.start?.mime;
    if (mime === undefined) {
      this.#fail("media came before its header");
      return null;
    }
    try {
      this.#buffer = this.#source.addSourceBuffer(mime);
    } catch (error) {
      this.#fail(String(error), true);
      return null;
    }
    this.#mime = mime;
    this.#buffer.addEventListener("updateend", this.#onUpdateEnd);
    this.#buffer.addEventListener("error", this.#onError);
    return this.#buffer;
  }

  #append(buffer: SourceBuffer): void {
    const parts: Part[] = [];
    let size = 0;
    for (const part of this.#queue) {
      if (parts.length > 0 && (part.start || size + part.data.byteLength > MOST_APPENDED)) break;
      parts.push(part);
      size += part.data.byteLength;
    }
    const start = parts[0]?.start;
    if (start) {
      if (start.mime !== this.#mime && "changeType" in buffer) buffer.changeType(start.mime);
      buffer.timestampOffset = start.offset;
      this.#mime = start.mime;
      this.#offset = start.offset;
      this.#tracks = start.tracks;
    }
    const chunk = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      chunk.set(new Uint8Array(part.data), at);
      at += part.data.byteLength;
    }
    try {
      buffer.appendBuffer(chunk);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
      const cut = trim(this.element.currentTime, ranges(buffer.buffered), this.#keys, true);
      if (cut === null) throw error;
      this.#keys = this.#keys.filter((time) => time >= cut);
      buffer.remove(0, cut);
      return; // the same parts come again when that is done
    }
    this.#queue.splice(0, parts.length);
    this.#queued -= size;
    for (const part of parts) this.#note(part);
  }

  /** Remember where a fragment lies: the newest picture, and where decoding can start. */
  #note(part: Part): void {
    if (part.start) return;
    for (const fragment of readFragment(part.data) ?? []) {
      const track = this.#tracks.find((t) => t.id === fragment.track);
      if (!track?.video) continue;
      const time = fragment.decodeTime / track.timescale + this.#offset;
      if (fragment.sync) {
        // a run that goes back replaces what was known of later times
        this.#keys = [...this.#keys.filter((known) => known < time), time];
      }
      this.#edge = time + fragment.duration / track.timescale;
    }
  }

  readonly #onUpdateEnd = (): void => {
    if (this.#disposed) return;
    if (!this.#playing) this.control(performance.now());
    if (this.#queue.length > 0 || this.#discardFrom !== null) this.#events.busy();
  };

  readonly #onError = (): void => {
    if (this.#disposed || this.element.getAttribute("src") === null) return;
    this.#fail(this.element.error?.message || "the picture cannot be decoded", true);
  };

  /** Keep at the live edge, playing, and notice when it stands still.  Called a few times a second. */
  control(now: number): void {
    const video = this.element;
    if (this.#disposed || !this.#buffer) return;
    const buffered = ranges(video.buffered);
    const decision = liveEdge({
      currentTime: video.currentTime,
      ranges: buffered,
      edge: this.#edge,
      rate: video.playbackRate,
      sound: !video.muted,
    });
    this.behind = Math.max(0, decision.behind);
    if (decision.discardFrom !== null) {
      this.#discardFrom = decision.discardFrom;
      this.#events.busy();
    }
    if (decision.seek !== null && (!video.seeking || now - this.#lastSeekAt > 1000)) {
      this.#lastSeekAt = now;
      video.currentTime = decision.seek;
    } else if (video.playbackRate !== decision.rate) {
      video.playbackRate = decision.rate;
    }
    if (buffered.length > 0 && (video.paused || !this.#playing)) this.#play();
    this.#countFrames(now);
    this.#checkStuck(now, decision.behind);
  }

  #play(): void {
    this.#playing = true;
    this.element.play().then(
      () => this.#events.blocked(false),
      (error: unknown) => {
        if (this.#disposed || !(error instanceof DOMException) || error.name !== "NotAllowedError") return;
        if (!this.element.muted) {
          this.element.muted = true; // sound needs a tap; the picture goes on
          this.#playing = false;
        } else {
          this.#events.blocked(true);
        }
      },
    );
  }

  #watch(): void {
    if (!("requestVideoFrameCallback" in this.element)) return;
    const shown = (now: number, frame: VideoFrameCallbackMetadata): void => {
      if (this.#disposed) return;
      this.#mediaTime = frame.mediaTime;
      this.#shown(now, Math.max(1, frame.presentedFrames - this.#frames));
      this.#frames = frame.presentedFrames;
      this.#callback = this.element.requestVideoFrameCallback(shown);
    };
    this.#callback = this.element.requestVideoFrameCallback(shown);
  }

  /** Where there is no frame callback, the element's own count tells that pictures are shown. */
  #countFrames(now: number): void {
    if ("requestVideoFrameCallback" in this.element) return;
    const { totalVideoFrames } = (this.element as HTMLVideoElement).getVideoPlaybackQuality();
    if (totalVideoFrames > this.#frames && !(this.element as HTMLVideoElement).seeking) this.#shown(now, totalVideoFrames - this.#frames);
    this.#frames = totalVideoFrames;
  }

  #shown(now: number, count: number): void {
    const first = this.lastPictureAt === null;
    this.lastPictureAt = now;
    this.pictures += count;
    this.#stuckSince = null;
    this.#nudged = false;
    if (first) this.#events.picture();
    if (!this.#arrived) this.#checkArrived(now);
  }

  /** A picture on the way to the live edge is followed by a jump, which would show if this element took over now. */
  #checkArrived(now: number): void {
    this.#firstPictureAt ??= now;
    const near = !this.element.seeking && this.#queue.length === 0 && (this.#edge ?? 0) - this.element.currentTime <= JUMP_ABOVE;
    this.#settled = near ? this.#settled + 1 : 0;
    if (this.#settled < SETTLED && now - this.#firstPictureAt < ARRIVE_MS) return;
    this.#arrived = true;
    this.#events.arrived();
  }

  #checkStuck(now: number, behind: number): void {
    const due = behind > 0.15 && !document.hidden;
    if (!due) {
      this.#stuckSince = null;
      return;
    }
    const since = Math.max(this.lastPictureAt ?? 0, (this.#stuckSince ??= now));
    if (now - since < (this.#nudged ? STUCK_AGAIN_MS : STUCK_MS)) return;
    if (this.#nudged) {
      this.#fail("the picture stands still");
      return;
    }
    this.#nudged = true;
    this.#stuckSince = now;
    if (this.#edge !== null) this.element.currentTime = this.#edge - 0.1;
    this.#playing = false;
  }

  setMuted(muted: boolean): void {
    this.element.muted = muted;
  }

  #fail(why: string, undecodable = false): void {
    if (!this.#disposed) this.#events.failed(why, undecodable);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#queue.length = 0;
    if (this.#callback) this.element.cancelVideoFrameCallback(this.#callback);
    this.#buffer?.removeEventListener("updateend", this.#onUpdateEnd);
    this.#buffer?.removeEventListener("error", this.#onError);
    this.element.removeEventListener("error", this.#onError);
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load(); // frees the decoder at once
    this.element.remove();
  }
}
