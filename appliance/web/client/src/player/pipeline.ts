/**
 * One `<video>` fed by one SourceBuffer (ui.md §19.5).  Knows media, not sockets: init segments and fragments in, a
 * picture out.  Runs of a stream, and streams of one codec, follow each other in the same buffer on the axis
 * "seconds since the page's epoch" (UTC), so a switch of stream shows no gap.
 */

import { JUMP_ABOVE, liveEdge, trim } from "../logic/live-edge";
import type { StreamMessage } from "../logic/messages";
import { families, hasSound } from "../logic/messages";
import { MediaBuffer, rangesOf } from "./media-buffer";
import type { MediaSupport } from "./media-source";
import type { Lead } from "./sound-beside";

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
export interface AnyPipeline {
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
  /** Show each when the sound has come to it. */
  follow(lead: Lead): void;
  /** What has come and is not shown yet will not be. */
  flush(): void;
  takeReplaced(): number;
}

export type Pipeline = DirectPipeline | PicturePipeline;

/** So many pictures at the live edge, and it has arrived there. */
const SETTLED = 2;
/** On a machine that is never done appending, this long after the first picture is as good. */
const ARRIVE_MS = 1500;
/** Nothing shown for this long although there is something to show. */
const STUCK_MS = 3000;
const STUCK_AGAIN_MS = 2000;

export class MsePipeline implements DirectPipeline {
  readonly kind = "direct";
  readonly element: HTMLVideoElement;
  families = "";
  lastPictureAt: number | null = null;
  pictures = 0;
  behind = 0;

  readonly #media: MediaBuffer;
  readonly #events: PipelineEvents;
  #epoch = 0;
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
    this.#media = new MediaBuffer(support, this.element, {
      busy: () => events.busy(),
      failed: (why, undecodable) => events.failed(why, undecodable),
      updated: () => {
        if (!this.#playing) this.control(performance.now());
      },
      cut: (hard) => trim(this.element.currentTime, rangesOf(this.element.buffered), this.#media.keys, hard),
    });
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
    // what is left of the stream before is still good: the new one overlaps it
    if (!this.#media.start(stream.mime, stream.utcZero / 90_000 - epoch, init)) return;
    if (!hasSound(stream.mime)) this.element.muted = true;
  }

  push(fragment: ArrayBuffer): { video: boolean; key: boolean } {
    return this.#media.push(fragment);
  }

  pump(): void {
    this.#media.pump();
  }

  /** Keep at the live edge, playing, and notice when it stands still.  Called a few times a second. */
  control(now: number): void {
    const video = this.element;
    if (this.#disposed || !this.#media.filled) return;
    const buffered = rangesOf(video.buffered);
    const decision = liveEdge({
      currentTime: video.currentTime,
      ranges: buffered,
      edge: this.#media.edge,
      rate: video.playbackRate,
      sound: !video.muted,
    });
    this.behind = Math.max(0, decision.behind);
    if (decision.discardFrom !== null) this.#media.discardFrom(decision.discardFrom);
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
    const near = !this.element.seeking && this.#media.settled && (this.#media.edge ?? 0) - this.element.currentTime <= JUMP_ABOVE;
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
    if (this.#media.edge !== null) this.element.currentTime = this.#media.edge - 0.1;
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
    if (this.#callback) this.element.cancelVideoFrameCallback(this.#callback);
    this.#media.dispose();
  }
}
