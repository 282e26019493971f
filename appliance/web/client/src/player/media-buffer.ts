/**
 * Feeds one media element through one SourceBuffer: a queue of init segments and fragments, at most one change of the
 * buffer an animation frame (ui.md §19.5).  Knows where the newest picture ends and where decoding can start; which
 * part of it all is worth keeping is its owner's to say.
 */

import type { Range } from "../logic/live-edge";
import { readFragment, readInit, type Sample, type Track } from "../logic/mp4";
import type { MediaSupport } from "./media-source";

export interface BufferOwner {
  /** There is something to do at the next animation frame. */
  busy(): void;
  /** It cannot go on; `undecodable` if the browser could not make anything of what it was given. */
  failed(why: string, undecodable: boolean): void;
  /** The buffer has changed. */
  updated(): void;
  /** What lies before this is not needed any more, or null; `hard`: the browser has no room left. */
  cut(hard: boolean): number | null;
  /** More that is not needed, or null. */
  surplus?(): Range | null;
  /** A fragment was handed over: its pictures, in seconds of the element; `begins`: it is the first after a header. */
  pictures?(pictures: readonly Range[], begins: boolean): void;
}

interface Part {
  readonly data: ArrayBuffer;
  /** Set for an init segment. */
  readonly start?: { readonly mime: string; readonly offset: number; readonly tracks: readonly Track[] };
}

/** Queued bytes above which the element is not keeping up at all. */
const MOST_QUEUED = 12 << 20;
/** Bytes handed over in one append. */
const MOST_APPENDED = 2 << 20;

export function rangesOf(buffered: TimeRanges): Range[] {
  return Array.from({ length: buffered.length }, (_, i) => ({ start: buffered.start(i), end: buffered.end(i) }));
}

export class MediaBuffer {
  readonly #element: HTMLMediaElement;
  readonly #source: MediaSource;
  readonly #owner: BufferOwner;
  #buffer: SourceBuffer | null = null;
  #mime = "";
  readonly #queue: Part[] = [];
  #queued = 0;
  #tracks: readonly Track[] = [];
  #offset = 0;
  #begins = false;
  #keys: number[] = [];
  #edge: number | null = null;
  #discardFrom: number | null = null;
  #disposed = false;

  constructor(support: MediaSupport, element: HTMLMediaElement, owner: BufferOwner) {
    this.#element = element;
    this.#owner = owner;
    this.#source = support.create();
    if (support.managed) element.disableRemotePlayback = true;
    const url = URL.createObjectURL(this.#source);
    this.#source.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(url);
        owner.busy();
      },
      { once: true },
    );
    element.addEventListener("error", this.#onError);
    element.src = url;
  }

  /** Something was appended, or will be at once. */
  get filled(): boolean {
    return this.#buffer !== null;
  }

  /** Nothing waits to be appended. */
  get settled(): boolean {
    return this.#queue.length === 0;
  }

  /** End of the newest picture handed over; where there is sound alone, of that. */
  get edge(): number | null {
    return this.#edge;
  }

  /** Where decoding can start, in order. */
  get keys(): readonly number[] {
    return this.#keys;
  }

  /** `offset`: seconds of the element that media time 0 stands for.  False if the header cannot be read. */
  start(mime: string, offset: number, init: ArrayBuffer): boolean {
    const tracks = readInit(init);
    if (!tracks) {
      this.#fail("the stream's header cannot be read");
      return false;
    }
    this.#enqueue({ data: init, start: { mime, offset, tracks } });
    return true;
  }

  push(fragment: ArrayBuffer): { video: boolean; key: boolean } {
    this.#enqueue({ data: fragment });
    const latest = [...this.#queue].reverse().find((part) => part.start)?.start?.tracks ?? this.#tracks;
    const picture = readFragment(fragment)?.find((f) => latest.some((t) => t.id === f.track && t.video));
    return { video: picture !== undefined, key: picture?.sync ?? false };
  }

  /** What waits to be appended is not wanted any more: another stream follows. */
  drop(): void {
    this.#queue.length = 0;
    this.#queued = 0;
  }

  discardFrom(time: number): void {
    this.#discardFrom = time;
    this.#owner.busy();
  }

  #enqueue(part: Part): void {
    if (this.#disposed) return;
    this.#queue.push(part);
    this.#queued += part.data.byteLength;
    if (this.#queued > MOST_QUEUED) this.#fail("the browser does not keep up");
    else this.#owner.busy();
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
      const cut = this.#owner.cut(false);
      if (cut !== null) {
        this.#remove(buffer, 0, cut);
        return;
      }
      const surplus = this.#owner.surplus?.() ?? null;
      if (surplus) {
        this.#remove(buffer, surplus.start, surplus.end);
        return;
      }
      this.#append(buffer);
    } catch (error) {
      this.#fail(String(error));
    }
  }

  #remove(buffer: SourceBuffer, from: number, to: number): void {
    this.#keys = this.#keys.filter((time) => time < from || time >= to);
    buffer.remove(from, to);
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
      this.#begins = true;
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
      const cut = this.#owner.cut(true);
      if (cut === null) throw error;
      this.#remove(buffer, 0, cut);
      return; // the same parts come again when that is done
    }
    this.#queue.splice(0, parts.length);
    this.#queued -= size;
    for (const part of parts) this.#note(part);
  }

  /** Remember where a fragment lies: the newest picture, and where decoding can start. */
  #note(part: Part): void {
    if (part.start) return;
    const { pictures } = this.#owner;
    const found: Range[] = [];
    const each = (id: number, sample: Sample): void => {
      const track = this.#tracks.find((t) => t.id === id);
      if (!track?.video) return;
      const time = sample.at / track.timescale + this.#offset;
      found.push({ start: time, end: time + sample.duration / track.timescale });
    };
    const soundAlone = !this.#tracks.some((t) => t.video);
    for (const fragment of readFragment(part.data, pictures ? each : undefined) ?? []) {
      const track = this.#tracks.find((t) => t.id === fragment.track);
      if (!track || !(track.video || soundAlone)) continue;
      const time = fragment.decodeTime / track.timescale + this.#offset;
      if (fragment.sync) {
        // a run that goes back replaces what was known of later times
        this.#keys = [...this.#keys.filter((known) => known < time), time];
      }
      this.#edge = time + fragment.duration / track.timescale;
    }
    if (found.length === 0) return;
    pictures?.call(this.#owner, found, this.#begins);
    this.#begins = false;
  }

  readonly #onUpdateEnd = (): void => {
    // an animation frame may have come before this: what it began ends with an event of its own
    if (this.#disposed || this.#buffer?.updating) return;
    this.#owner.updated();
    if (this.#queue.length > 0 || this.#discardFrom !== null) this.#owner.busy();
  };

  readonly #onError = (): void => {
    if (this.#disposed || this.#element.getAttribute("src") === null) return;
    this.#fail(this.#element.error?.message || "the picture cannot be decoded", true);
  };

  #fail(why: string, undecodable = false): void {
    if (!this.#disposed) this.#owner.failed(why, undecodable);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#queue.length = 0;
    this.#buffer?.removeEventListener("updateend", this.#onUpdateEnd);
    this.#buffer?.removeEventListener("error", this.#onError);
    this.#element.removeEventListener("error", this.#onError);
    this.#element.pause();
    this.#element.removeAttribute("src");
    this.#element.load(); // frees the decoder at once
    this.#element.remove();
  }
}
