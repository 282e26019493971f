/**
 * The server's events, for as long as somebody is signed in.  Reconnects by itself; its life is the page's sign of
 * whether the server can be reached.
 */

import { Backoff } from "../logic/backoff";
import { EventParser, type ServerEvent } from "../logic/sse";

export interface EventStreamEvents {
  /** Connected. */
  up(): void;
  /** Not connected since `performance.now()` said `since`; the next attempt is at `nextTryAt`. */
  down(since: number, nextTryAt: number): void;
  event(event: ServerEvent): void;
  /** The session is no longer good (401); the stream has ended. */
  unauthorized(): void;
}

/** The server sends at least a comment every 15 s. */
const SILENT_MS = 40_000;
const CONNECT_MS = 10_000;

export class EventStream {
  readonly #url: string;
  readonly #events: EventStreamEvents;
  readonly #fetch: typeof fetch;
  readonly #backoff: Backoff;
  #running: AbortController | null = null;
  #wake: (() => void) | null = null;
  #downSince: number | null = null;

  constructor(url: string, events: EventStreamEvents, fetcher: typeof fetch = (...args) => fetch(...args), random?: () => number) {
    this.#url = url;
    this.#events = events;
    this.#fetch = fetcher;
    this.#backoff = new Backoff(random);
  }

  start(): void {
    if (this.#running) return;
    this.#running = new AbortController();
    this.#downSince = null;
    this.#backoff.reset();
    void this.#run(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#wake?.();
  }

  /** Try again now if it is waiting to. */
  retryNow(): void {
    this.#backoff.reset();
    this.#wake?.();
  }

  /** Whatever the connection looks like, make another. */
  restart(): void {
    if (!this.#running) return;
    this.stop();
    this.start();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const authorized = await this.#connection(signal);
      if (signal.aborted) return;
      if (!authorized) {
        this.#running = null;
        this.#events.unauthorized();
        return;
      }
      const wait = this.#backoff.next();
      this.#downSince ??= performance.now();
      this.#events.down(this.#downSince, performance.now() + wait);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
  }

  /** One connection, to its end.  False if the session is no longer good. */
  async #connection(signal: AbortSignal): Promise<boolean> {
    const silence = new AbortController();
    const stop = (): void => silence.abort();
    signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, CONNECT_MS);
    try {
      const response = await this.#fetch(this.#url, {
        headers: { Accept: "text/event-stream" },
        credentials: "same-origin",
        cache: "no-store",
        signal: silence.signal,
      });
      if (response.status === 401) return false;
      if (!response.ok || !response.body) return true;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new EventParser();
      this.#backoff.reset();
      this.#downSince = null;
      this.#events.up();
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(stop, SILENT_MS);
        const { done, value } = await reader.read();
        if (done || signal.aborted) return true;
        for (const event of parser.push(decoder.decode(value, { stream: true }))) this.#events.event(event);
      }
    } catch {
      return true; // a network's error, an end in the middle, silence: all mean another attempt
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      silence.abort();
    }
  }
}
