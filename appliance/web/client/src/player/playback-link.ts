/**
 * The connection of a recorded camera: there while somebody sees it, told what is wanted, made again where it was lost,
 * and not where it was refused.
 */

import { Meter } from "../logic/meter";
import type { Want } from "../logic/want";
import { Asking } from "./asking";
import { LiveSocket, refusalOf, type Refusal } from "./live-socket";

export interface PlaybackLinkEvents {
  /** The server knows what is wanted, and nothing else yet. */
  begins(): void;
  /** What was asked for over the connection does not come: it was lost, or is another one. */
  ended(): void;
  text(data: string): void;
  binary(data: ArrayBuffer): void;
  /** What is shown stays where it is until there is a connection again. */
  keep(): void;
  /** Nothing of the picture may stay. */
  forget(): void;
  refused(why: Refusal): void;
  changed(): void;
}

export class PlaybackLink {
  readonly #events: PlaybackLinkEvents;
  readonly #socket: LiveSocket;
  readonly #asking: Asking;
  readonly #bytes = new Meter();
  #seen = false;
  /** On purpose. */
  #resting = true;
  #refused: "denied" | "removed" | "full" | null = null;
  #downSince: number | null = null;
  #disposed = false;

  /** `want`: what is wanted now; null while that is not known. */
  constructor(url: string, want: () => Want | null, events: PlaybackLinkEvents, random?: () => number) {
    this.#events = events;
    this.#asking = new Asking(want, (wanted) => this.#socket.send(wanted));
    this.#socket = new LiveSocket(
      url,
      {
        opened: () => this.#opened(),
        text: (data) => events.text(data),
        binary: (data) => {
          this.#bytes.add(data.byteLength, performance.now());
          if (this.#refused === null) events.binary(data);
        },
        closed: (code, hadOpened) => this.#closed(code, hadOpened),
      },
      random,
    );
  }

  get open(): boolean {
    return this.#socket.open;
  }

  /** Somebody sees it, and it does not rest. */
  get visible(): boolean {
    return this.#seen && !this.#resting;
  }

  /** The server can be asked for something. */
  get ready(): boolean {
    return this.told && this.#refused === null;
  }

  /** The server knows what is wanted, and this does not rest. */
  get told(): boolean {
    return this.#asking.told && !this.#resting;
  }

  get refused(): "denied" | "removed" | "full" | null {
    return this.#refused;
  }

  /** Since when there is no connection, by `performance.now()`; null where there is one. */
  get downSince(): number | null {
    return this.#socket.open ? null : this.#downSince;
  }

  /** Bytes a second. */
  rate(now: number): number {
    return this.#bytes.rate(now);
  }

  send(message: Record<string, unknown>): void {
    this.#socket.send(message);
  }

  // ---- what is wanted ----

  /** Say it at once if it has changed. */
  want(): void {
    this.#asking.now();
  }

  resized(): void {
    this.#asking.resized();
  }

  reconsider(): void {
    this.#asking.reconsider();
  }

  /** The first messages of a connection, once it is known what is wanted. */
  begin(): void {
    if (this.#asking.told) return;
    this.#asking.now();
    if (this.#asking.told) this.#events.begins();
  }

  // ---- when it is there ----

  setSeen(seen: boolean): void {
    if (seen === this.#seen || this.#disposed) return;
    this.#seen = seen;
    if (seen) this.wake();
  }

  /** Connect. */
  wake(): void {
    if (!this.#seen || this.#disposed || (this.#refused !== null && this.#refused !== "full")) return;
    this.#resting = false;
    if (!this.#socket.open) this.#downSince ??= performance.now();
    this.#socket.connect();
    this.#socket.retryNow();
    this.#events.changed();
  }

  /** Nothing is needed of it until it is woken. */
  rest(): void {
    this.#resting = true;
    this.#socket.close();
    this.#asking.reset();
    this.#downSince = null;
  }

  retryNow(): void {
    if (this.visible) this.#socket.retryNow();
  }

  /** Whatever the connection looks like, make another. */
  reconnect(): void {
    if (!this.visible || this.#refused !== null) return;
    this.suspend();
    this.#downSince ??= performance.now();
    this.#socket.connect();
  }

  /** Throw the connection away and make another, which begins anew. */
  restart(): void {
    this.#asking.reset();
    this.#socket.restart();
  }

  /** No connection until `allow`; what is shown stays. */
  suspend(): void {
    this.#events.keep();
    this.#socket.close();
    this.#asking.reset();
  }

  allow(): void {
    if (this.#disposed) return;
    this.#refused = null;
    if (this.visible) this.#socket.connect();
    this.#events.changed();
  }

  /** The right was taken. */
  deny(): void {
    this.#refused = "denied";
    this.#socket.close();
    this.#events.forget();
    this.#events.changed();
  }

  dispose(): void {
    this.#disposed = true;
    this.#asking.stop();
    this.#socket.close();
  }

  #opened(): void {
    this.#downSince = null;
    this.#asking.reset();
    this.#events.ended();
    if (this.#refused === "full") this.#refused = null;
    this.begin();
    this.#events.changed();
  }

  #closed(code: number, hadOpened: boolean): void {
    if (this.#disposed) return;
    this.#events.keep();
    this.#downSince ??= performance.now();
    this.#asking.reset();
    this.#events.ended();
    this.#bytes.reset();
    const why = refusalOf(code, hadOpened);
    if (why === "denied") this.deny();
    else if (why === "removed") this.#events.forget();
    if (why === "removed" || why === "full") this.#refused = why;
    if (why !== null && why !== "full") this.#events.refused(why);
    this.#events.changed();
  }
}
