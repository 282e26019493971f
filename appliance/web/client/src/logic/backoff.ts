/** When to try again: 1 2 4 8 15 s ± 20 % (ui.md §14), so that a restarted server is not met by everybody at once. */

const STEPS_S = [1, 2, 4, 8, 15] as const;
const SPREAD = 0.2;

export class Backoff {
  #failures = 0;

  constructor(private readonly random: () => number = Math.random) {}

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const step = STEPS_S[Math.min(this.#failures, STEPS_S.length - 1)] ?? 15;
    this.#failures += 1;
    return Math.round(step * 1000 * (1 + SPREAD * (2 * this.random() - 1)));
  }

  get failures(): number {
    return this.#failures;
  }

  reset(): void {
    this.#failures = 0;
  }
}
