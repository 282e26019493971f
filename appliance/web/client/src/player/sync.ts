/**
 * What is played, of one camera or of several in step (ui.md §7): one clock, which the slowest sets; the live end, where
 * playing becomes live; gaps, which are jumped over where all have one, or played.  Owns no picture and no page.
 */

import { correction, slowest } from "../logic/playback/pace";
import { Store } from "../logic/store";
import type { Gaps, Speed } from "../logic/timeline/contract";
import type { Doing, PlaybackPlayer } from "./playback-player";

/** What of a player this needs. */
export type InStep = Pick<
  PlaybackPlayer,
  | "position"
  | "landed"
  | "absent"
  | "next"
  | "previous"
  | "ended"
  | "stalled"
  | "takesPart"
  | "direct"
  | "factor"
  | "seek"
  | "set"
  | "step"
  | "askStep"
  | "correct"
  | "hold"
  | "rest"
  | "wake"
>;

export interface SyncState {
  readonly playing: boolean;
  readonly speed: Speed;
  readonly gaps: Gaps;
  readonly live: boolean;
}

/** From here to there, in UTC milliseconds, nothing was recorded, and it was jumped over. */
export interface Skip {
  readonly from: number;
  readonly to: number;
}

/** So near to now playing becomes live. */
const LIVE_MS = 2000;
/** What is recorded comes to its end some seconds before now: who has played up to there has caught up too. */
const EDGE_MS = 20_000;
/** A picture that is late by less does not stop the others. */
const STALL_MS = 150;
/** … and one that does not come at all stops them no longer than this. */
const PATIENCE_MS = 5000;
/** Steps that wait while one is fetched. */
const MOST_STEPS = 25;
const HIDDEN_PAUSE_MS = 1000;
const HIDDEN_REST_MS = 60_000;

export class Sync {
  /** UTC milliseconds of what is on screen. */
  readonly position: Store<number>;
  readonly state: Store<SyncState>;
  /** What was jumped over last. */
  readonly skipped = new Store<Skip | null>(null);

  readonly #now: () => number;
  readonly #mayLive: () => boolean;
  #players: ReadonlyMap<string, InStep> = new Map();
  /** The clock's instant at `#clockAt`, which counts where no player has one. */
  #clock: number;
  #clockAt = performance.now();
  #stalledSince: number | null = null;
  #held = false;
  /** Playing goes on when the pointer is lifted. */
  #dragged = false;
  /** Whose step the others follow when it is done. */
  #stepping: InStep | null = null;
  /** Steps that were asked for meanwhile. */
  #steps = 0;
  #hidden: ReturnType<typeof setTimeout>[] = [];
  #sleeping = false;

  /** `now`: UTC milliseconds of the server; `at`: where it begins, null for live. */
  constructor(now: () => number, at: number | null, gaps: Gaps = "skip", mayLive: () => boolean = () => true) {
    this.#now = now;
    this.#mayLive = mayLive;
    this.#clock = at ?? now();
    this.position = new Store(this.#clock);
    this.state = new Store<SyncState>({ playing: true, speed: 1, gaps, live: at === null });
  }

  /** The cameras that are shown, and what plays each; they join where the others are. */
  setPlayers(players: ReadonlyMap<string, InStep>): void {
    const before = this.#players;
    this.#players = players;
    for (const [camera, player] of players) {
      if (before.get(camera) === player) continue;
      if (this.state.get().live) player.rest();
      else player.seek(this.#clock);
    }
    this.#tell();
  }

  // ---- what a person does ----

  seek(utcMs: number, dragging = false): void {
    const now = this.#now();
    if (utcMs >= now - LIVE_MS && this.#mayLive()) {
      if (!dragging) this.goLive();
      else this.#move(now);
      return;
    }
    const state = this.state.get();
    this.#leaveLive();
    this.#stopStepping();
    if (dragging && state.playing && !this.#dragged) this.#dragged = true;
    this.#move(utcMs);
    for (const player of this.#players.values()) player.seek(utcMs);
    if (!dragging) this.#dragged = false;
    this.#tell();
  }

  #stopStepping(): void {
    this.#stepping = null;
    this.#steps = 0;
  }

  play(): void {
    if (this.state.get().live) return;
    this.#stopStepping();
    this.state.update((s) => ({ ...s, playing: true }));
    this.#tell();
  }

  pause(): void {
    const { live } = this.state.get();
    if (live) this.#leaveLive();
    this.state.update((s) => ({ ...s, playing: false }));
    // from live: what is on screen was recorded a moment ago
    if (live) this.seek(this.#now() - 2 * LIVE_MS);
    this.#tell();
    this.#alike();
  }

  setSpeed(speed: Speed): void {
    if (this.state.get().live) {
      if (speed > 0) return;
      this.#leaveLive();
      this.seek(this.#now() - 2 * LIVE_MS);
    }
    this.state.update((s) => ({ ...s, speed, playing: true }));
    this.#tell();
  }

  setGaps(gaps: Gaps): void {
    this.state.update((s) => ({ ...s, gaps }));
    this.#tell();
  }

  /** To the picture before or after of one camera; the others show what they showed then. */
  step(by: 1 | -1, camera: string): void {
    const lead = this.#players.get(camera);
    if (!lead || this.state.get().live) return;
    if (this.state.get().playing) this.pause();
    if (this.#stepping) {
      this.#steps = Math.max(-MOST_STEPS, Math.min(MOST_STEPS, this.#steps + by));
      return;
    }
    this.#step(lead, by);
  }

  #step(lead: InStep, by: 1 | -1): void {
    const at = lead.step(by);
    if (at !== null) {
      this.#follow(lead, at);
      return;
    }
    lead.askStep(by);
    this.#stepping = lead;
  }

  goLive(): void {
    if (!this.#mayLive()) {
      this.seek(this.#now() - 2 * LIVE_MS);
      return;
    }
    this.#dragged = false;
    this.#held = false;
    this.state.update((s) => ({ ...s, live: true, playing: true, speed: 1 }));
    this.#move(this.#now());
    for (const player of this.#players.values()) player.set(this.#doing(false));
  }

  #leaveLive(): void {
    if (!this.state.get().live) return;
    this.state.update((s) => ({ ...s, live: false }));
    for (const player of this.#players.values()) player.wake();
  }

  // ---- as time goes by ----

  /** Something about a player has changed, or an animation frame has come. */
  look(): void {
    const { live, playing, speed } = this.state.get();
    if (live) {
      this.#move(this.#now());
      return;
    }
    if (this.#stepping?.landed) {
      const lead = this.#stepping;
      this.#stepping = null;
      this.#follow(lead, lead.position);
      const by = Math.sign(this.#steps);
      this.#steps -= by;
      if (by !== 0) this.#step(lead, by as 1 | -1);
    }
    if (!playing || this.#dragged || this.#sleeping) {
      this.#clockAt = performance.now();
      return;
    }
    const parts = this.#parts();
    if (parts.length === 0) this.#alone(speed);
    else this.#together(parts, speed);
    this.#rejoin(speed);
    if (!this.state.get().live && speed > 0 && this.#now() - this.#clock < LIVE_MS && this.#mayLive()) this.goLive();
  }

  /** A few times a second: keep in step. */
  tick(): void {
    this.look();
    const { live, playing, speed } = this.state.get();
    if (live || !playing || this.#held || this.#dragged) return;
    const parts = this.#parts();
    if (parts.length < 2) {
      for (const part of parts) part.correct(1);
      return;
    }
    for (const part of parts) {
      if (!part.landed) continue;
      const { factor, seek } = correction((part.position - this.#clock) / 1000, speed, part.factor);
      // key pictures only, as they come: what lies between them is no drift
      if (!part.direct && Math.abs(speed) !== 1) continue;
      if (seek) part.seek(this.#clock);
      else if (part.direct) part.correct(factor);
    }
  }

  /** Nobody looks: after a while nothing plays, and after a longer one nothing is connected. */
  setHidden(hidden: boolean): void {
    for (const timer of this.#hidden) clearTimeout(timer);
    this.#hidden = [];
    if (hidden) {
      this.#hidden = [setTimeout(() => this.#sleep(), HIDDEN_PAUSE_MS), setTimeout(() => this.#rest(), HIDDEN_REST_MS)];
      return;
    }
    if (!this.#sleeping) return;
    this.#sleeping = false;
    if (this.state.get().live) return;
    for (const player of this.#players.values()) player.wake();
    this.#tell();
  }

  dispose(): void {
    for (const timer of this.#hidden) clearTimeout(timer);
  }

  #sleep(): void {
    this.#sleeping = true;
    if (!this.state.get().live) this.#tell();
  }

  #rest(): void {
    for (const player of this.#players.values()) player.rest();
  }

  // ---- the clock ----

  #move(utcMs: number): void {
    this.#clock = utcMs;
    this.#clockAt = performance.now();
    this.position.set(utcMs);
  }

  #parts(): InStep[] {
    return [...this.#players.values()].filter((player) => player.takesPart);
  }

  /** The slowest has the clock; while one cannot go on, all stand. */
  #together(parts: readonly InStep[], speed: number): void {
    const now = performance.now();
    const stalled = parts.some((part) => part.stalled);
    this.#stalledSince = stalled ? (this.#stalledSince ?? now) : null;
    const unready = parts.some((part) => !part.landed);
    const late = this.#stalledSince === null ? 0 : now - this.#stalledSince;
    const patient = late < PATIENCE_MS;
    const held = parts.length > 1 && patient && (unready || late > STALL_MS);
    this.#hold(held);
    const at = slowest(parts.filter((part) => part.landed).map((part) => part.position), speed);
    if (at !== null && !(unready && patient)) this.#move(at);
    else this.#clockAt = now;
  }

  /** None has anything: on to where one has, or the clock runs by itself. */
  #alone(speed: number): void {
    const players = [...this.#players.values()];
    const away = players.some((player) => !player.absent && !player.ended);
    const now = performance.now();
    if (players.length === 0 || away) {
      this.#clockAt = now;
      return;
    }
    const ends = players.map((player) => (speed < 0 ? player.previous : player.next)).filter((at) => at !== null);
    const next = ends.length === 0 ? null : speed < 0 ? Math.max(...ends) : Math.min(...ends);
    if (next === null) {
      if (speed > 0 && this.#now() - this.#clock < EDGE_MS && this.#mayLive()) this.goLive();
      else this.pause();
      return;
    }
    if (this.state.get().gaps === "play") {
      this.#move(this.#clock + (now - this.#clockAt) * speed);
      return;
    }
    const from = this.#clock;
    this.skipped.set({ from, to: next });
    this.#move(next);
    for (const player of players) player.seek(next);
    this.#tell();
  }

  /** Who has something again where the clock has come to. */
  #rejoin(speed: number): void {
    for (const player of this.#players.values()) {
      if (!player.absent) continue;
      const next = speed < 0 ? player.previous : player.next;
      if (next !== null && (speed < 0 ? this.#clock <= next : this.#clock >= next)) player.seek(this.#clock);
    }
  }

  #hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    for (const player of this.#players.values()) player.hold(held);
  }

  // ---- telling ----

  #doing(playing: boolean): Doing {
    const { speed, gaps } = this.state.get();
    // with others, who has a gap waits in it
    return { playing, speed, gaps: this.#players.size > 1 ? "play" : gaps };
  }

  #tell(): void {
    const { playing, live } = this.state.get();
    if (live) return;
    const plays = playing && !this.#dragged && !this.#sleeping;
    this.#held = plays && this.#players.size > 1;
    for (const player of this.#players.values()) {
      player.set(this.#doing(plays));
      player.hold(this.#held);
    }
    this.look();
  }

  /** Paused: all show the same instant. */
  #alike(): void {
    const parts = this.#parts().filter((part) => part.landed);
    const at = slowest(parts.map((part) => part.position), this.state.get().speed);
    if (at === null) return;
    this.#move(at);
    for (const part of parts) if (part.position !== at) part.seek(at);
  }

  #follow(lead: InStep, at: number): void {
    this.#move(at);
    for (const player of this.#players.values()) if (player !== lead) player.seek(at);
  }
}
