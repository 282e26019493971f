/**
 * The sound that goes with transcoded pictures: an `<audio>` fed by a SourceBuffer of its own, near to the newest piece
 * that came.  How near depends on the pictures: they are shown when it has come to them (`jpeg-pipeline`), so it keeps as
 * far back as they are late; recorded sound comes some time before they do.  Knows media, not sockets.
 */

import { liveEdge, soundBounds, trim } from "../logic/live-edge";
import type { SoundOfPictures } from "../logic/messages";
import { MediaBuffer, rangesOf } from "./media-buffer";
import type { MediaSupport } from "./media-source";

export interface SoundEvents {
  /** There is something to do at the next animation frame. */
  busy(): void;
  /** It cannot go on. */
  failed(why: string): void;
  /** It is heard now, or no longer. */
  changed(): void;
}

/** What pictures are shown in time with. */
export interface Lead {
  /** UTC seconds of what is heard; null while nothing is. */
  readonly utc: number | null;
  /** A picture has come, of this time. */
  came(utc: number): void;
}

/** What is asked of it; tests put others in its place. */
export interface AnySound extends Lead {
  readonly element: HTMLAudioElement;
  /** Heard, not only there. */
  readonly heard: boolean;
  /** False where it has to be made anew for this. */
  start(sound: SoundOfPictures, init: ArrayBuffer): boolean;
  push(fragment: ArrayBuffer): void;
  pump(): void;
  control(now: number): void;
  dispose(): void;
}

/** How far it is behind the newest piece. */
export interface SoundWay {
  /** At most, in seconds. */
  readonly furthest: number;
  /** It comes before the pictures that it belongs to: it begins with the first of them, and not near to the newest piece. */
  readonly ahead: boolean;
}

export const LIVE: SoundWay = { furthest: 0.5, ahead: false };
export const RECORDED: SoundWay = { furthest: 1.2, ahead: true };

/** Behind the newest piece it is at least so many seconds … */
const NEAREST_S = 0.25;
/** … and so much more than the pictures are later than it: they have to be decoded. */
const DECODE_S = 0.1;
/** What pictures are late by is forgotten by this share with each that is earlier. */
const FORGET = 0.02;
/** A clock that stands for so long leads nobody.  Some browsers move theirs a few times a second only. */
const STANDS_MS = 500;
/** With less than this to come it has run dry, and with a little more where the browser says so: Chromium does with a tenth. */
const DRY_S = 0.06;
const SAID_DRY_S = 0.15;
/** Each time it is to have so much more in hand; it does not happen more often than … */
const DRY_MORE_S = 0.05;
const DRY_MS = 1000;
/** … and it may begin so much before it has all that it is to have. */
const SLACK_S = 0.02;
const EPOCH_MARGIN_S = 60;

export class SoundBeside implements AnySound {
  readonly element: HTMLAudioElement;

  readonly #media: MediaBuffer;
  readonly #events: SoundEvents;
  readonly #way: SoundWay;
  /** Unix seconds that media time 0 stands for. */
  #epoch: number | null = null;
  /** Seconds that pictures come later than the sound that belongs to them. */
  #late = 0;
  /** The newest picture that came: its time in UTC seconds, and when, by `performance.now()`. */
  #picture: { readonly utc: number; readonly at: number } | null = null;
  #filling = true;
  #refused = false;
  #asking = false;
  #heard = false;
  #time = -1;
  #movedAt = -Infinity;
  #lastSeekAt = -Infinity;
  #driedAt = -Infinity;
  #disposed = false;

  constructor(support: MediaSupport, events: SoundEvents, prepared?: HTMLAudioElement, way: SoundWay = LIVE) {
    this.#events = events;
    this.#way = way;
    this.element = prepared ?? SoundBeside.makeElement();
    this.element.muted = false;
    this.#media = new MediaBuffer(support, this.element, {
      busy: () => events.busy(),
      failed: (why) => events.failed(why),
      updated: () => {
        const now = performance.now();
        this.control(now);
        this.#refill(now);
        this.#media.pump();
      },
      cut: (hard) => trim(this.element.currentTime, rangesOf(this.element.buffered), this.#media.keys, hard),
    });
  }

  static makeElement(): HTMLAudioElement {
    const audio = document.createElement("audio");
    audio.tabIndex = -1;
    return audio;
  }

  get heard(): boolean {
    return this.#heard;
  }

  get utc(): number | null {
    const { element } = this;
    if (this.#epoch === null || this.#filling || element.paused || element.seeking || element.readyState < 3) return null;
    const now = performance.now();
    const position = this.#position(now);
    return now - this.#movedAt > STANDS_MS ? null : this.#epoch + position;
  }

  /** Where it is, also while the browser does not say it anew. */
  #position(now: number): number {
    const { currentTime, playbackRate, paused, seeking, readyState } = this.element;
    if (currentTime !== this.#time) {
      this.#time = currentTime;
      this.#movedAt = now;
    }
    if (paused || seeking || readyState < 3) return currentTime;
    return currentTime + (Math.min(STANDS_MS, now - this.#movedAt) / 1000) * playbackRate;
  }

  came(utc: number): void {
    this.#picture = { utc, at: performance.now() };
    if (this.#epoch === null || this.#media.edge === null) return;
    const late = Math.max(0, this.#epoch + this.#media.edge - utc);
    this.#late = Math.max(late, this.#late + FORGET * (late - this.#late));
  }

  /** Before it begins: how much earlier than the pictures it comes, which go on since the newest of them. */
  #measure(now: number): void {
    if (!this.#way.ahead || !this.#filling || !this.#picture || this.#epoch === null || this.#media.edge === null) return;
    const picture = this.#picture.utc + (now - this.#picture.at) / 1000;
    this.#late = Math.max(this.#late, this.#epoch + this.#media.edge - picture);
  }

  /** Seconds behind the newest piece. */
  get #target(): number {
    return Math.min(this.#way.furthest, Math.max(NEAREST_S, this.#late + DECODE_S));
  }

  start(sound: SoundOfPictures, init: ArrayBuffer): boolean {
    const zero = sound.utcZero / 90_000;
    this.#epoch ??= zero - EPOCH_MARGIN_S;
    if (zero < this.#epoch) return false;
    this.#media.start(sound.mime, zero - this.#epoch, init);
    return true;
  }

  push(fragment: ArrayBuffer): void {
    this.#media.push(fragment);
    this.#media.pump(); // it does not wait for an animation frame, which nobody hears
  }

  pump(): void {
    this.#media.pump();
  }

  /** Keep at the live edge.  Called a few times a second, and when something was appended. */
  control(now: number): void {
    const { element } = this;
    if (this.#disposed || this.#refused || !this.#media.filled) return;
    if (this.#way.ahead && !this.#picture) return;
    this.#measure(now);
    const target = this.#target;
    const decision = liveEdge(
      { currentTime: this.#position(now), ranges: rangesOf(element.buffered), edge: this.#media.edge, rate: element.playbackRate, sound: true },
      soundBounds(target, this.#way.ahead && !this.#filling ? target - SLACK_S : 0),
    );
    if (decision.discardFrom !== null) this.#media.discardFrom(decision.discardFrom);
    if (decision.seek !== null && (!element.seeking || now - this.#lastSeekAt > 1000)) {
      this.#lastSeekAt = now;
      element.currentTime = decision.seek;
    } else if (element.playbackRate !== decision.rate) {
      element.playbackRate = decision.rate;
    }
    if (this.#filling) {
      if (decision.seek === null && decision.behind >= target - SLACK_S) this.#play();
    } else if (element.paused) {
      this.#play(); // its element was moved
    }
    this.#tell();
  }

  /**
   * Sound came late, and there is hardly any in hand: it goes back a little, once, rather than to break off again and
   * again.  Not by a pause: some browsers want another tap for what was paused.
   */
  #refill(now: number): void {
    const { element } = this;
    const range = rangesOf(element.buffered).at(-1);
    if (this.#filling || this.#disposed || element.seeking || !range || now - this.#driedAt < DRY_MS) return;
    const left = range.end - this.#position(now);
    if (left < 0 || left >= (element.readyState < 3 ? SAID_DRY_S : DRY_S)) return;
    this.#driedAt = this.#lastSeekAt = now;
    this.#late = Math.min(this.#way.furthest, Math.max(this.#late, NEAREST_S - DECODE_S) + DRY_MORE_S);
    element.currentTime = Math.max(range.start + 0.001, range.end - this.#target);
  }

  #play(): void {
    this.#filling = false;
    if (this.#asking) return;
    this.#asking = true;
    this.element.play().then(
      () => {
        this.#asking = false;
        this.#tell();
      },
      (error: unknown) => {
        this.#asking = false; // where it was paused meanwhile it is played again
        if (this.#disposed || !(error instanceof DOMException) || error.name !== "NotAllowedError") return;
        if (!this.element.paused) return;
        this.#refused = true; // it needs a tap, and the pictures go on
        this.#filling = true;
        this.#tell();
      },
    );
  }

  #tell(): void {
    const heard = !this.#disposed && !this.#filling && !this.element.paused;
    if (heard === this.#heard) return;
    this.#heard = heard;
    this.#events.changed();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#heard = false;
    this.#filling = true;
    this.#media.dispose();
  }
}
