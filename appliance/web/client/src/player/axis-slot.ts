/**
 * One camera's place, where what is live and what was recorded are one picture: whichever is wanted comes from behind
 * when it has a picture, and the other goes then, so nothing turns black in between.
 */

import type { LivePlayer } from "./live-player";
import type { PlaybackPlayer } from "./playback-player";
import type { PlayerHost } from "./player-host";

export class AxisSlot {
  readonly #host: Pick<PlayerHost, "attach" | "lend">;
  readonly #live: LivePlayer | null;
  readonly #recorded: PlaybackPlayer;
  readonly #element: HTMLElement;
  #endLive: (() => void) | null = null;
  #endRecorded: (() => void) | null = null;
  #unwatch: (() => void) | null = null;

  /** `live`: null where that may not be watched. */
  constructor(host: Pick<PlayerHost, "attach" | "lend">, live: LivePlayer | null, recorded: PlaybackPlayer, element: HTMLElement) {
    this.#host = host;
    this.#live = live;
    this.#recorded = recorded;
    this.#element = element;
  }

  set(live: boolean): void {
    this.#unwatch?.();
    this.#unwatch = null;
    if (live) this.#showLive();
    else this.#showRecorded();
  }

  #showLive(): void {
    const live = this.#live;
    if (!live) return;
    if (this.#endRecorded) front(this.#recorded.element, live.element);
    this.#endLive ??= this.#host.attach(live.id, this.#element);
    this.#when([live.view], () => live.view.get().phase !== "connecting" && live.view.get().phase !== "paused", () => {
      front(live.element, this.#recorded.element);
      this.#endRecorded?.();
      this.#endRecorded = null;
      this.#recorded.rest();
    });
  }

  #showRecorded(): void {
    const recorded = this.#recorded;
    if (this.#endLive && this.#live) front(this.#live.element, recorded.element);
    if (!this.#endRecorded) {
      this.#endRecorded = this.#host.lend(recorded, this.#element);
    }
    recorded.wake();
    const there = (): boolean => recorded.landed || !["connecting", "loading", "shown"].includes(recorded.view.get().phase);
    this.#when([recorded.view, recorded.landings], there, () => {
      if (this.#live) front(recorded.element, this.#live.element);
      this.#endLive?.();
      this.#endLive = null;
    });
  }

  /** As soon as `holds`; it is looked at whenever one of these says something new. */
  #when(watched: readonly { subscribe(listener: () => void): () => void }[], holds: () => boolean, then: () => void): void {
    if (holds()) {
      then();
      return;
    }
    const look = (): void => {
      if (!holds()) return;
      this.#unwatch?.();
      this.#unwatch = null;
      then();
    };
    const ends = watched.map((each) => each.subscribe(look));
    this.#unwatch = () => ends.forEach((end) => end());
  }

  dispose(): void {
    this.#unwatch?.();
    this.#endLive?.();
    this.#endRecorded?.();
  }
}

function front(element: HTMLElement, behind: HTMLElement): void {
  element.dataset["front"] = "";
  delete behind.dataset["front"];
}
