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
  /** Where each is shown, one over the other. */
  readonly #places: { readonly live: HTMLElement; readonly recorded: HTMLElement };
  #endLive: (() => void) | null = null;
  #endRecorded: (() => void) | null = null;
  #unwatch: (() => void) | null = null;

  /** `live`: null where that may not be watched. */
  constructor(host: Pick<PlayerHost, "attach" | "lend">, live: LivePlayer | null, recorded: PlaybackPlayer, element: HTMLElement) {
    this.#host = host;
    this.#live = live;
    this.#recorded = recorded;
    this.#places = { live: place(element), recorded: place(element) };
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
    if (this.#endRecorded) this.#front("recorded");
    this.#endLive ??= this.#host.attach(live.id, this.#places.live);
    this.#when([live.view], () => live.view.get().phase !== "connecting" && live.view.get().phase !== "paused", () => {
      this.#front("live");
      this.#endRecorded?.();
      this.#endRecorded = null;
      this.#recorded.rest();
    });
  }

  #showRecorded(): void {
    const recorded = this.#recorded;
    if (this.#endLive) this.#front("live");
    this.#endRecorded ??= this.#host.lend(recorded, this.#places.recorded);
    recorded.wake();
    const there = (): boolean => recorded.landed || !["connecting", "loading", "shown"].includes(recorded.view.get().phase);
    this.#when([recorded.view, recorded.landings], there, () => {
      this.#front("recorded");
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
    for (const each of Object.values(this.#places)) each.remove();
  }

  #front(which: "live" | "recorded"): void {
    this.#places.live.toggleAttribute("data-front", which === "live");
    this.#places.recorded.toggleAttribute("data-front", which === "recorded");
  }
}

function place(parent: HTMLElement): HTMLElement {
  const element = document.createElement("div");
  element.className = "place";
  parent.append(element);
  return element;
}
