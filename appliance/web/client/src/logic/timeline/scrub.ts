/**
 * Pictures above the pointer: one request at a time, the newest wanted wins, the last two hundred are kept.  What is
 * shown belongs to the time asked for or is nothing.
 */

import type { ScrubPictureData, ScrubSource } from "./contract";

const KEPT = 200;
const TIMEOUT_MS = 8000;
/** After a failure, before the next request. */
const REST_MS = 1000;

/** What was found at a time: an address to show, or that there is nothing. */
export interface Found {
  readonly url: string | null;
  readonly at: number | null;
}

interface Wanted {
  readonly key: string;
  readonly camera: string;
  readonly at: number;
}

export interface Urls {
  create(picture: Blob): string;
  revoke(url: string): void;
}

/** Times that are shown by the same picture: a pixel or two, and never less than half a second. */
export function bucket(at: number, msPerPx: number): number {
  const each = Math.max(500, 2 ** Math.round(Math.log2(Math.max(1, msPerPx * 3))));
  return Math.round(at / each) * each;
}

export class ScrubPictures {
  readonly #kept = new Map<string, Found>();
  #wanted: Wanted | null = null;
  #asking: AbortController | null = null;
  #restUntil = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly source: ScrubSource,
    /** Something was found. */
    private readonly changed: () => void,
    private readonly urls: Urls = { create: (p) => URL.createObjectURL(p), revoke: (u) => URL.revokeObjectURL(u) },
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** What is known of this time; null while it is asked for. */
  want(camera: string, at: number): Found | null {
    const key = `${camera} ${at}`;
    const known = this.#kept.get(key);
    if (known) {
      // the one used last goes last
      this.#kept.delete(key);
      this.#kept.set(key, known);
      this.#wanted = null;
      return known;
    }
    this.#wanted = { key, camera, at };
    this.#next();
    return null;
  }

  /** Nobody looks any more. */
  leave(): void {
    this.#wanted = null;
  }

  #next(): void {
    const wanted = this.#wanted;
    if (!wanted || this.#asking) return;
    const rest = this.#restUntil - this.now();
    if (rest > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#next();
      }, rest);
      return;
    }
    const asking = (this.#asking = new AbortController());
    this.#wanted = null;
    const timer = setTimeout(() => asking.abort(), TIMEOUT_MS);
    this.source
      .fetch(wanted.camera, wanted.at, asking.signal)
      .then(
        (data) => this.#keep(wanted.key, data),
        (error: unknown) => {
          // there is no picture, and it is known; anything else may be different next time
          if (error instanceof NoPicture) this.#keep(wanted.key, null);
          else this.#restUntil = this.now() + REST_MS;
        },
      )
      .finally(() => {
        clearTimeout(timer);
        if (this.#asking !== asking) return;
        this.#asking = null;
        this.#next();
      });
  }

  #keep(key: string, data: ScrubPictureData | null): void {
    if (this.#asking === null) return; // thrown away meanwhile
    this.#kept.set(key, data ? { url: this.urls.create(data.picture), at: data.at } : { url: null, at: null });
    for (const [old, { url }] of this.#kept) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(old);
      if (url !== null) this.urls.revoke(url);
    }
    this.changed();
  }

  end(): void {
    const asking = this.#asking;
    this.#asking = null;
    this.#wanted = null;
    asking?.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { url } of this.#kept.values()) if (url !== null) this.urls.revoke(url);
    this.#kept.clear();
  }
}

/** Nothing was recorded there. */
export class NoPicture extends Error {
  override name = "NoPicture";
}
