/** What the playback page plays with: a player for each camera shown, and what keeps them in step. */

import { PlaybackPlayer } from "./playback-player";
import type { PlayerHost } from "./player-host";
import { RecordedPipeline } from "./recorded-pipeline";
import { Sync } from "./sync";

const TICK_MS = 250;

interface Seat {
  readonly player: PlaybackPlayer;
  readonly leave: () => void;
}

export class Playing {
  readonly sync: Sync;
  readonly #host: PlayerHost;
  readonly #seats = new Map<string, Seat>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #listening = new AbortController();
  #frame: number | null = null;
  #looking = false;

  /** `now`: UTC milliseconds of the server; `at`: where it begins, null for live; `mayLive`: whether there is any. */
  constructor(host: PlayerHost, now: () => number, at: number | null, gaps: "skip" | "play", mayLive: () => boolean) {
    this.#host = host;
    this.sync = new Sync(now, at, gaps, mayLive);
    this.#timer = setInterval(() => this.sync.tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => this.sync.setHidden(document.hidden), { signal: this.#listening.signal });
    this.sync.state.subscribe(() => this.#animate());
    this.#animate();
  }

  /** The player of a camera, made on first use. */
  player(camera: string): PlaybackPlayer {
    const known = this.#seats.get(camera);
    if (known) return known.player;
    const player = new PlaybackPlayer(camera, this.sync.position.get(), {
      ...this.#host.ground(camera, "playback"),
      createRecording: (events, prepared) => new RecordedPipeline(this.#host.support, events, prepared),
      moved: () => this.#look(),
    });
    const end = player.skipped.subscribe(() => {
      const gap = player.skipped.get();
      if (gap?.to != null) this.sync.skipped.set({ from: Math.min(gap.from, gap.to), to: Math.max(gap.from, gap.to) });
    });
    const leave = this.#host.receive(player);
    this.#seats.set(camera, {
      player,
      leave: () => {
        end();
        leave();
        player.dispose();
      },
    });
    return player;
  }

  setCameras(cameras: readonly string[]): void {
    const players = new Map(cameras.map((camera) => [camera, this.player(camera)]));
    this.sync.setPlayers(players);
    for (const [camera, seat] of this.#seats) {
      if (players.has(camera)) continue;
      seat.leave();
      this.#seats.delete(camera);
    }
  }

  /** Not within what a player is in the middle of. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      this.sync.look();
    });
  }

  /** The clock goes with the pictures while they do. */
  #animate(): void {
    const { playing, live } = this.sync.state.get();
    if (!playing || live || this.#frame !== null) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = null;
      this.sync.look();
      this.#animate();
    });
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#listening.abort();
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = -1; // nothing begins again
    this.sync.dispose();
    for (const seat of this.#seats.values()) seat.leave();
    this.#seats.clear();
  }
}
