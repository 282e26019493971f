/** Counts things per second over a sliding window, in buckets, so that a long stream costs no more than a short one. */

const BUCKET_MS = 250;

export class Meter {
  readonly #buckets: { at: number; amount: number }[] = [];
  #started: number | null = null;

  constructor(private readonly windowMs = 3000) {}

  add(amount: number, now: number): void {
    this.#started ??= now;
    const at = Math.floor(now / BUCKET_MS) * BUCKET_MS;
    const last = this.#buckets.at(-1);
    if (last && last.at >= at) last.amount += amount;
    else this.#buckets.push({ at, amount });
    this.#expire(now);
  }

  /** Per second over the window (or since the first count, if that was less long ago). */
  rate(now: number): number {
    this.#expire(now);
    if (this.#started === null) return 0;
    const span = Math.min(this.windowMs, Math.max(BUCKET_MS * 2, now - this.#started));
    return (this.#buckets.reduce((sum, b) => sum + b.amount, 0) * 1000) / span;
  }

  reset(): void {
    this.#buckets.length = 0;
    this.#started = null;
  }

  #expire(now: number): void {
    while (this.#buckets[0] && this.#buckets[0].at < now - this.windowMs) this.#buckets.shift();
  }
}
