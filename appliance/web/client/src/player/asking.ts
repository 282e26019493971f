/**
 * Tells the server what a viewer wants: at once where that matters, a new size when it has come to rest (ui.md §19.3),
 * nothing where nothing changed.
 */

import { wantChange, type Want } from "../logic/want";

const SIZE_REST_MS = 150;

export class Asking {
  readonly #want: () => Want | null;
  readonly #send: (want: Want) => boolean;
  #sent: Want | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `want`: what is wanted now, null while that is not known; `send`: whether it could be sent. */
  constructor(want: () => Want | null, send: (want: Want) => boolean) {
    this.#want = want;
    this.#send = send;
  }

  /** The server knows what is wanted. */
  get told(): boolean {
    return this.#sent !== null;
  }

  /** Another connection: the server knows nothing. */
  reset(): void {
    this.#sent = null;
  }

  /** Something changed: say it at once. */
  now(): void {
    this.stop();
    const want = this.#want();
    if (!want || wantChange(this.#sent, want) === "none") return;
    if (this.#send(want)) this.#sent = want;
  }

  /** The size may have changed. */
  resized(): void {
    this.stop();
    const want = this.#want();
    if (want && this.#sent && wantChange(this.#sent, want) !== "none") this.#timer = setTimeout(() => this.now(), SIZE_REST_MS);
  }

  /** Something other than the size may have changed by itself. */
  reconsider(): void {
    const want = this.#want();
    if (want && this.#sent && wantChange(this.#sent, want) === "now") this.now();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
