/**
 * Owns every live player of the page (ui.md §19.1), and serves those that others made.  Views lend it an element to fill; it observes their sizes and
 * visibility, runs the one animation-frame loop and the one timer, and notices when the machine slept.
 */

import { playableCodecs } from "../logic/codecs";
import { quantise } from "../logic/want";
import { LivePlayer } from "./live-player";
import type { Refusal } from "./live-socket";
import { WorkerDecoder } from "./jpeg-decoder";
import { JpegPipeline } from "./jpeg-pipeline";
import { mediaSupport, type MediaSupport } from "./media-source";
import { MsePipeline, type PipelineEvents } from "./pipeline";
import { LIVE, RECORDED, SoundBeside, type SoundEvents } from "./sound-beside";

export interface HostEvents {
  refused(camera: string, why: Refusal): void;
}

const TICK_MS = 250;
/** A tick that comes this late means that the machine slept. */
const SLEPT_MS = 5000;
/** Players without a view that are kept, for their last picture and a fast return. */
const MOST_IDLE = 32;
const EPOCH_MARGIN_S = 60;

/** What the host does for a player, whoever made it. */
export interface Hosted {
  readonly element: HTMLElement;
  readonly visible: boolean;
  pump(): void;
  control(now: number): void;
  sendStats(): void;
  setVisible(visible: boolean): void;
  setSize(width: number, height: number): void;
  retryNow(): void;
  reconnect(): void;
  suspend(): void;
  allow(): void;
  deny(): void;
  /** Bytes a second. */
  rate(now: number): number;
}

/** What every player of a camera needs of the page. */
export interface Ground {
  readonly url: string;
  readonly codecs: readonly string[];
  readonly direct: boolean;
  readonly supported: (mime: string) => boolean;
  readonly createPictures: (events: PipelineEvents) => JpegPipeline;
  readonly prepareVideo: () => HTMLVideoElement;
  /** Left out where the browser has no way to play it. */
  readonly createSound?: (events: SoundEvents, prepared?: HTMLAudioElement) => SoundBeside;
  readonly prepareSound?: () => HTMLAudioElement;
  readonly requestPump: () => void;
  readonly refused: (why: Refusal) => void;
}

interface Slot {
  readonly player: Hosted;
  readonly element: HTMLElement;
  intersecting: boolean;
}

export class PlayerHost {
  readonly support: MediaSupport;
  /** False where neither video nor pictures can be shown. */
  readonly able: boolean;
  readonly #events: HostEvents;
  readonly #base: string;
  readonly #codecs: readonly string[];
  readonly #decoder = new WorkerDecoder(() => new Worker(new URL("./jpeg-worker.ts", import.meta.url), { type: "module" }));
  readonly #players = new Map<string, LivePlayer>();
  /** Made by others. */
  readonly #guests = new Set<Hosted>();
  readonly #slots = new Map<HTMLElement, Slot>();
  readonly #ticks = new Set<() => void>();
  readonly #sizes: ResizeObserver;
  readonly #views: IntersectionObserver;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #listening = new AbortController();
  #epoch: number | null = null;
  #frame: number | null = null;
  #lastTick = Date.now();
  #tickCount = 0;
  #sound: string | null = null;

  /** `base` is the address of the API with a WebSocket's scheme, as `wss://host/api/v1`. */
  constructor(base: string, events: HostEvents) {
    this.#base = base;
    this.#events = events;
    this.support = mediaSupport(globalThis);
    this.able = this.support.available || "createImageBitmap" in globalThis;
    this.#codecs = playableCodecs((mime) => this.support.supported(mime));
    this.#sizes = new ResizeObserver((entries) => this.#resized(entries));
    // tiles of a scrolling grid start a little before they are seen
    const margins = { rootMargin: "100px", scrollMargin: "100px" };
    this.#views = new IntersectionObserver((entries) => this.#intersected(entries), margins);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    const { signal } = this.#listening;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
    window.addEventListener("online", () => this.reconnectAll(), { signal });
    window.addEventListener("pageshow", (e) => e.persisted && this.reconnectAll(), { signal });
  }

  /** The player of a camera, made on first use. */
  player(camera: string): LivePlayer {
    const known = this.#players.get(camera);
    if (known) return known;
    const player = new LivePlayer(camera, {
      ...this.ground(camera, "live"),
      createPipeline: (events, prepared) => new MsePipeline(this.support, events, prepared),
      epoch: (utcZero) => (this.#epoch ??= utcZero - EPOCH_MARGIN_S),
    });
    this.#players.set(camera, player);
    return player;
  }

  /** What a player of `what` of a camera is made with. */
  ground(camera: string, what: "live" | "playback"): Ground {
    const way = what === "live" ? LIVE : RECORDED;
    const sound = {
      createSound: (events: SoundEvents, prepared?: HTMLAudioElement) => new SoundBeside(this.support, events, prepared, way),
      prepareSound: () => SoundBeside.makeElement(),
    };
    return {
      ...(this.support.available ? sound : {}),
      url: `${this.#base}/cameras/${encodeURIComponent(camera)}/${what}`,
      codecs: this.#codecs,
      direct: this.support.available,
      supported: (mime) => this.support.supported(mime),
      createPictures: (events) => new JpegPipeline(this.#decoder, events),
      prepareVideo: () => MsePipeline.makeElement(),
      requestPump: () => this.#requestPump(),
      refused: (why) => this.#events.refused(camera, why),
    };
  }

  /** Serve a player that somebody else made, until what is returned is called. */
  receive(guest: Hosted): () => void {
    this.#guests.add(guest);
    return () => {
      this.#guests.delete(guest);
    };
  }

  #all(): Hosted[] {
    return [...this.#players.values(), ...this.#guests];
  }

  /** Show a camera in `element`; returns what ends it.  The last view to ask has the picture. */
  attach(camera: string, element: HTMLElement): () => void {
    return this.lend(this.player(camera), element);
  }

  /** Show a player in `element`: it is told the size, and whether it is seen. */
  lend(player: Hosted, element: HTMLElement): () => void {
    for (const [other, slot] of this.#slots) if (slot.player === player) this.#detach(other);
    // taken for visible until the observer says otherwise: the first picture waits for nothing
    const slot: Slot = { player, element, intersecting: true };
    this.#slots.set(element, slot);
    move(player.element, element);
    this.#sizes.observe(element);
    this.#views.observe(element);
    this.#show(slot);
    return () => {
      if (this.#slots.get(element) === slot) this.#detach(element);
    };
  }

  #detach(element: HTMLElement): void {
    const slot = this.#slots.get(element);
    if (!slot) return;
    this.#slots.delete(element);
    this.#sizes.unobserve(element);
    this.#views.unobserve(element);
    const { player } = slot;
    player.setVisible(false);
    // another view may take it within the same task: only then does the browser not pause it
    if (player.element.parentElement === element) player.element.remove();
    this.#limitIdle();
  }

  /** Sound of one camera, or of none.  Call it inside the tap or key that asks for it. */
  setSound(camera: string | null): void {
    if (this.#sound !== null && this.#sound !== camera) this.#players.get(this.#sound)?.setAudio(false);
    this.#sound = camera;
    if (camera !== null) this.player(camera).setAudio(true);
  }

  get sound(): string | null {
    return this.#sound;
  }

  /** Call `listener` once a second, for figures. */
  onSecond(listener: () => void): () => void {
    this.#ticks.add(listener);
    return () => {
      this.#ticks.delete(listener);
    };
  }

  /** Bytes per second over all cameras. */
  rate(): number {
    const now = performance.now();
    let sum = 0;
    for (const player of this.#all()) if (player.visible) sum += player.rate(now);
    return sum;
  }

  /** Forget the cameras that are no longer there, and take the picture from those that may not be watched. */
  retain(watchable: ReadonlySet<string>, known: ReadonlySet<string>): void {
    for (const [camera, player] of this.#players) {
      if (!known.has(camera)) this.#remove(camera);
      else if (!watchable.has(camera)) player.deny();
      else if (player.view.get().phase === "denied") player.allow();
    }
  }

  retryNow(): void {
    for (const player of this.#all()) player.retryNow();
  }

  reconnectAll(): void {
    for (const player of this.#all()) player.reconnect();
  }

  /** The session has ended: pictures stay, nothing more comes. */
  suspend(): void {
    for (const player of this.#all()) player.suspend();
  }

  resume(): void {
    for (const player of this.#all()) player.allow();
  }

  /** Signed out: nothing stays. */
  clear(): void {
    for (const camera of [...this.#players.keys()]) this.#remove(camera);
    for (const guest of this.#guests) guest.deny();
    this.#sound = null;
  }

  dispose(): void {
    this.clear();
    this.#decoder.dispose();
    this.#listening.abort();
    clearInterval(this.#timer);
    this.#sizes.disconnect();
    this.#views.disconnect();
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
  }

  #remove(camera: string): void {
    const player = this.#players.get(camera);
    for (const [element, slot] of this.#slots) if (slot.player === player) this.#detach(element);
    player?.dispose();
    this.#players.delete(camera);
    if (this.#sound === camera) this.#sound = null;
  }

  #limitIdle(): void {
    const shown = new Set([...this.#slots.values()].map((slot) => slot.player));
    const idle = [...this.#players].filter(([, player]) => !shown.has(player));
    for (const [camera] of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) this.#remove(camera);
  }

  #show(slot: Slot): void {
    const { player } = slot;
    player.setVisible(slot.intersecting && !document.hidden);
    // the player used last is the last to be forgotten
    if (!(player instanceof LivePlayer) || !this.#players.delete(player.id)) return;
    this.#players.set(player.id, player);
  }

  #resized(entries: ResizeObserverEntry[]): void {
    for (const entry of entries) {
      const slot = this.#slots.get(entry.target as HTMLElement);
      const { width, height } = entry.contentRect;
      if (!slot || width < 1 || height < 1) continue;
      const density = window.devicePixelRatio;
      slot.player.setSize(quantise(width, density), quantise(height, density));
    }
  }

  #intersected(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const slot = this.#slots.get(entry.target as HTMLElement);
      if (!slot) continue;
      slot.intersecting = entry.isIntersecting;
      this.#show(slot);
    }
  }

  #visibilityChanged(): void {
    this.#lastTick = Date.now(); // hidden pages tick slowly: that was no sleep
    for (const slot of this.#slots.values()) this.#show(slot);
    if (!document.hidden) this.#requestPump();
  }

  #requestPump(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      for (const player of this.#all()) player.pump();
    });
  }

  #tick(): void {
    const now = performance.now();
    // by the wall clock: the other one may stand still while the machine sleeps
    const slept = Date.now() - this.#lastTick > SLEPT_MS;
    this.#lastTick = Date.now();
    if (document.hidden) return;
    if (slept) this.reconnectAll();
    for (const player of this.#all()) player.control(now);
    this.#tickCount += 1;
    if (this.#tickCount % 4 !== 0) return;
    for (const player of this.#all()) player.sendStats();
    for (const listener of this.#ticks) listener();
  }
}

/** Move an element without the browser taking it for removed, where it can be told so. */
function move(element: HTMLElement, target: HTMLElement): void {
  const mover = target as HTMLElement & { moveBefore?: (node: Node, child: Node | null) => void };
  if (mover.moveBefore && element.isConnected && target.isConnected) {
    mover.moveBefore(element, null);
    return;
  }
  target.append(element);
}
