/**
 * The sound that goes with transcoded pictures: an `<audio>` fed by a SourceBuffer of its own, near to the newest piece
 * that came.  How near depends on the pictures: they are shown when it has come to them (`jpeg-pipeline`), so it keeps as
 * far back as they are late.  Knows media, not sockets.
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

/** Behind the newest piece it is at least, and at most, so many seconds … */
const NEAREST_S = 0.25;
const FURTHEST_S = 0.5;
/** … and so much more than the pictures are later than it: they have to be decoded. */
const DECODE_S = 0.1;
/** What pictures are late by is forgotten by this share with each that is earlier. */
const FORGET = 0.02;
/** A clock that stands for so long leads nobody. */
const STANDS_MS = 300;
/** With less than this to come it has run dry, where the browser says so: Chromium does with a tenth. */
const DRY_S = 0.15;
/** … and it may begin so much before it has all that it is to have. */
const SLACK_S = 0.02;
const EPOCH_MARGIN_S = 60;

export class SoundBeside implements AnySound {
  readonly element: HTMLAudioElement;

  readonly #media: MediaBuffer;
  readonly #events: SoundEvents;
  /** Unix seconds that media time 0 stands for. */
  #epoch: number | null = null;
  /** Seconds that pictures come later than the sound that belongs to them. */
  #late = 0;
  #filling = true;
  #refused = false;
  #heard = false;
  #time = -1;
  #movedAt = -Infinity;
  #lastSeekAt = -Infinity;
  #disposed = false;

  constructor(support: MediaSupport, events: SoundEvents, prepared?: HTMLAudioElement) {
    this.#events = events;
    this.element = prepared ?? SoundBeside.makeElement();
    this.element.muted = false;
    this.#media = new MediaBuffer(support, this.element, {
      busy: () => events.busy(),
      failed: (why) => events.failed(why),
      updated: () => this.control(performance.now()),
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
    if (element.currentTime !== this.#time) {
      this.#time = element.currentTime;
      this.#movedAt = now;
    }
    return now - this.#movedAt > STANDS_MS ? null : this.#epoch + this.#time;
  }

  came(utc: number): void {
    if (this.#epoch === null || this.#media.edge === null) return;
    const late = Math.max(0, this.#epoch + this.#media.edge - utc);
    this.#late = Math.max(late, this.#late + FORGET * (late - this.#late));
  }

  /** Seconds behind the newest piece. */
  get #target(): number {
    return Math.min(FURTHEST_S, Math.max(NEAREST_S, this.#late + DECODE_S));
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
  }

  pump(): void {
    this.#media.pump();
  }

  /** Keep at the live edge.  Called a few times a second, and when something was appended. */
  control(now: number): void {
    const { element } = this;
    if (this.#disposed || this.#refused || !this.#media.filled) return;
    const target = this.#target;
    const decision = liveEdge(
      { currentTime: element.currentTime, ranges: rangesOf(element.buffered), edge: this.#media.edge, rate: element.playbackRate, sound: true },
      soundBounds(target),
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
    } else if (element.readyState < 3 && decision.behind < DRY_S) {
      this.#filling = true; // a little in hand is better than a word of each sentence
      element.pause();
    } else if (element.paused) {
      this.#play(); // its element was moved
    }
    this.#tell();
  }

  #play(): void {
    this.#filling = false;
    this.element.play().then(
      () => this.#tell(),
      (error: unknown) => {
        if (this.#disposed || !(error instanceof DOMException) || error.name !== "NotAllowedError") return;
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
