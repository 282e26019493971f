/**
 * The live WebSocket of one camera: connects, says what it wants first, reconnects by itself with the waits of
 * `logic/backoff`, and hands on what comes.  What the messages mean is the player's business.
 */

import { Backoff } from "../logic/backoff";

export interface LiveSocketEvents {
  /** Connected: the `want` must be the first message. */
  opened(): void;
  text(data: string): void;
  binary(data: ArrayBuffer): void;
  /** Lost, or never got: `code` is the close code, 1006 for a connection that was refused. */
  closed(code: number, hadOpened: boolean): void;
}

/** The session ended, the camera may not be seen or is gone, the socket cannot tell why, or it fell silent. */
export type Refusal = "session" | "denied" | "removed" | "handshake" | "silence";

/** Close codes after which there is no sense in trying again by ourselves (design.md §9). */
const FINAL: Readonly<Record<number, Refusal>> = { 4401: "session", 4403: "denied", 4404: "removed" };
/** A connection that takes longer is given up. */
const CONNECT_MS = 10_000;
/** A cap is not lifted within a second. */
const CAPPED = 4429;
const CAPPED_MS = 15_000;
/** Lasted this long: the next failure is a new one. */
const HEALTHY_MS = 10_000;

/** What it says that a connection was closed; null: nothing, it was lost. */
export function refusalOf(code: number, hadOpened: boolean): Refusal | "full" | null {
  if (code === CAPPED) return "full";
  return FINAL[code] ?? (hadOpened ? null : "handshake");
}

export class LiveSocket {
  readonly #url: string;
  readonly #events: LiveSocketEvents;
  readonly #backoff: Backoff;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #wanted = false;
  #openedAt: number | null = null;
  /** `performance.now()` of the next attempt, or null. */
  nextTryAt: number | null = null;

  constructor(url: string, events: LiveSocketEvents, random: () => number = Math.random) {
    this.#url = url;
    this.#events = events;
    this.#backoff = new Backoff(random);
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  connect(): void {
    this.#wanted = true;
    if (!this.#socket && this.#timer === null) this.#attempt();
  }

  /** Try again now if it is waiting to. */
  retryNow(): void {
    if (!this.#wanted || this.#socket) return;
    this.#backoff.reset();
    this.#clearTimer();
    this.#attempt();
  }

  /** Throw the connection away and make another: at once, or after the usual wait if that was done a moment ago. */
  restart(): void {
    if (!this.#wanted) return;
    if (this.#openedAt !== null && performance.now() - this.#openedAt > HEALTHY_MS) this.#backoff.reset();
    this.#clearTimer();
    this.#drop();
    const first = this.#backoff.failures === 0;
    const wait = this.#backoff.next();
    if (first) this.#attempt();
    else this.#wait(wait);
  }

  send(message: object): boolean {
    if (!this.open || !this.#socket) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    this.#wanted = false;
    this.#clearTimer();
    this.#drop();
    this.#backoff.reset();
  }

  #attempt(): void {
    this.#clearTimer();
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.#url);
    } catch {
      this.#wait(this.#backoff.next());
      this.#events.closed(1006, false);
      return;
    }
    this.#socket = socket;
    this.#openedAt = null;
    socket.binaryType = "arraybuffer";
    const timeout = setTimeout(() => this.#ended(socket, 1006), CONNECT_MS);
    socket.onopen = () => {
      clearTimeout(timeout);
      this.#openedAt = performance.now();
      this.#events.opened();
    };
    socket.onmessage = (event: MessageEvent) => {
      if (typeof event.data === "string") this.#events.text(event.data);
      else if (event.data instanceof ArrayBuffer) this.#events.binary(event.data);
    };
    socket.onclose = (event: CloseEvent) => {
      clearTimeout(timeout);
      this.#ended(socket, event.code);
    };
  }

  #ended(socket: WebSocket, code: number): void {
    if (this.#socket !== socket) return;
    const opened = this.#openedAt;
    this.#drop();
    if (opened !== null && performance.now() - opened > HEALTHY_MS) this.#backoff.reset();
    if (code in FINAL) this.#wanted = false;
    else if (this.#wanted) this.#wait(code === CAPPED ? CAPPED_MS : this.#backoff.next());
    this.#events.closed(code, opened !== null);
  }

  #wait(milliseconds: number): void {
    this.nextTryAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.nextTryAt = null;
      this.#attempt();
    }, milliseconds);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#openedAt = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.nextTryAt = null;
  }
}
