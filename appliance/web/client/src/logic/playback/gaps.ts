/** Where nothing is recorded: what the server told is ahead, what was jumped over, and where playing came to stand. */

import { Store } from "../store";
import type { Gaps } from "../timeline/contract";
import type { GapMessage } from "./messages";

/** So near to a gap what is shown has come to it. */
const JOIN_MS = 600;

export class RecordingGaps {
  /** What was jumped over last. */
  readonly skipped = new Store<GapMessage | null>(null);
  /** Nothing is recorded where it is: where something is, after and before, in UTC milliseconds. */
  absent: { readonly next: number | null; readonly previous: number | null } | null = null;
  /** It came to the end of what is recorded. */
  ended = false;
  /** The server has sent all that there is. */
  over = false;
  /** Told of, and not reached yet. */
  #ahead: GapMessage[] = [];

  /** Something else was asked for: what was told does not count any more. */
  reset(): void {
    this.absent = null;
    this.ended = this.over = false;
    this.#ahead = [];
  }

  /** What is shown comes to this later. */
  expect(gap: GapMessage): void {
    this.#ahead.push(gap);
  }

  /** It has come to a gap.  Whether it stands there now. */
  enter(gap: GapMessage, how: Gaps): boolean {
    if (gap.to !== null && how === "skip") {
      this.skipped.set(gap);
      return false;
    }
    this.absent = { previous: Math.min(gap.from, gap.to ?? Infinity), next: gap.to === null ? null : Math.max(gap.from, gap.to) };
    return true;
  }

  /**
   * What is shown has come to the end of a piece, at `position`; `more`: there is another one behind it.  Then it is on to
   * that, or a wait for it, unless all came to its end or to the gap that is returned.
   */
  end(position: number, how: Gaps, more: boolean): "on" | "wait" | "ended" | GapMessage {
    if (this.over) {
      this.ended = true;
      return "ended";
    }
    const gap = this.#ahead[0];
    if (gap && position >= gap.from - JOIN_MS) {
      // it is jumped over when there is somewhere to land
      if (gap.to !== null && how === "skip" && !more) return "wait";
      this.#ahead.shift();
      if (this.enter(gap, how)) return gap;
    }
    return more ? "on" : "wait";
  }
}
