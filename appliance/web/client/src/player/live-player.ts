/**
 * One camera, live: its socket, its pipelines and its element.  The element outlives every view: whichever view shows
 * the camera gets it, with the picture in it.
 *
 * Streams of the same codecs go into the same SourceBuffer.  Another codec, sound joining or leaving, or transcoded
 * pictures instead of video, are filled into a second pipeline, which takes over at its first picture, so nothing turns
 * black in between.
 */

import { Meter } from "../logic/meter";
import { families, parseMessage, type LinkState, type NetworkMessage, type StreamMessage } from "../logic/messages";
import type { OwnReason } from "../logic/offer";
import { phaseOf, quietMs, type Phase } from "../logic/phase";
import { setFields, Store } from "../logic/store";
import type { Want } from "../logic/want";
import { Asking } from "./asking";
import { Intake, type IntakeDeps } from "./intake";
import { LiveSocket, refusalOf, type Refusal } from "./live-socket";
import type { DirectPipeline, PipelineEvents } from "./pipeline";
import type { Shown, Stack } from "./stack";

/** What changes seldom: a view renders it. */
export interface PlayerView {
  readonly phase: Phase;
  /** The server's reason for the link's state. */
  readonly reason: string | null;
  /** What this browser would have to play, where that is the reason. */
  readonly codec: string | null;
  readonly stream: StreamMessage | null;
  /** Where the browser is why the picture comes as it does, and the server could not know. */
  readonly own: OwnReason | null;
  /** Sound is heard, not only asked for. */
  readonly sound: boolean;
  /** Several interruptions within a minute: the connection is too slow for this stream. */
  readonly slow: boolean;
}

/** What changes every second: written into the page without rendering. */
export interface Figures {
  /** Bytes per second over the last seconds. */
  readonly rate: number;
  /** Pictures per second as shown. */
  readonly fps: number;
  /** Seconds between the picture shown and the newest one received. */
  readonly behind: number;
  /** Seconds from the time in a transcoded picture to its being shown, by this device's clock; null where unknown. */
  readonly delay: number | null;
  readonly width: number;
  readonly height: number;
  /** UTC milliseconds of the picture shown. */
  readonly pictureUtc: number | null;
  /** Seconds missed lately; 0 when that is some time ago. */
  readonly skipped: number;
  readonly skippedTotal: number;
  readonly since: number;
  readonly nextTryIn: number | null;
  /** As the server sees the network, where it was asked. */
  readonly network?: NetworkMessage | null;
}

export interface PlayerDeps extends IntakeDeps {
  readonly url: string;
  readonly createPipeline: (events: PipelineEvents, prepared?: HTMLVideoElement) => DirectPipeline;
  /** Seconds since 1970 that stand for media time 0 on this page, fixed by the first stream. */
  readonly epoch: (utcZeroSeconds: number) => number;
  readonly refused: (why: Refusal) => void;
  readonly random?: () => number;
}

interface Geometry {
  readonly width: number;
  readonly height: number;
}

const HIDDEN_PAUSE_MS = 1000;
const HIDDEN_CLOSE_MS = 60_000;
/** Silence on an open socket, when nothing said why, after which the connection counts as dead. */
const SILENT_MS = 5000;
const SILENT_EXPLAINED_MS = 60_000;
const SKIP_SHOWN_MS = 10_000;
const SKIPS_SLOW = 3;
const SKIPS_WITHIN_MS = 60_000;
const HIGHEST_FPS = 30;
/** A delay beyond these tells of a clock that is wrong, not of the picture. */
const LIKELY_DELAY_S = 60;

export class LivePlayer {
  readonly element: HTMLDivElement;
  readonly view: Store<PlayerView>;

  readonly #deps: PlayerDeps;
  readonly #socket: LiveSocket;
  readonly #asking = new Asking(
    () => this.#want(),
    (want) => this.#socket.send(want),
  );
  readonly #intake: Intake<DirectPipeline, StreamMessage>;
  readonly #stack: Stack;

  #link: LinkState | null = null;
  #linkReason: string | null = null;
  #linkCodec: string | null = null;
  #refused: "denied" | "removed" | "full" | null = null;
  #downSince: number | null = null;
  #askedAt: number | null = null;
  #lastMessageAt = 0;
  #lastPictureAt: number | null = null;
  #lastPictureUtc: number | null = null;

  #size: Geometry | null = null;
  #visible = false;
  #paused = false;
  #zoom = false;
  #hideTimer: ReturnType<typeof setTimeout> | null = null;
  #closeTimer: ReturnType<typeof setTimeout> | null = null;

  readonly #bytes = new Meter();
  readonly #frames = new Meter();
  #pictures = 0;
  #since = Date.now();
  #skips: { at: number; seconds: number }[] = [];
  #skippedTotal = 0;
  #asksNetwork = false;
  #network: NetworkMessage | null = null;
  #disposed = false;

  constructor(readonly id: string, deps: PlayerDeps) {
    this.#deps = deps;
    this.#intake = new Intake(id, deps, {
      video: (stream, init) => this.#begin(stream, init),
      first: (pipeline) => {
        this.#pictures = pipeline.pictures;
        this.#lastPictureAt = performance.now();
      },
      failed: () => this.#failed(),
      wanted: () => this.#asking.now(),
      changed: () => this.#update(),
    });
    this.#stack = this.#intake.stack;
    this.element = this.#stack.element;
    this.view = new Store<PlayerView>({ phase: "connecting", reason: null, codec: null, stream: null, own: null, sound: false, slow: false });
    this.#socket = new LiveSocket(
      deps.url,
      {
        opened: () => this.#opened(),
        text: (data) => this.#text(data),
        binary: (data) => this.#binary(data),
        closed: (code, hadOpened) => this.#closed(code, hadOpened),
      },
      deps.random,
    );
  }

  // ---- what a view says ----

  /** In pixels to ask for; null while it is not known. */
  setSize(width: number, height: number): void {
    const first = this.#size === null;
    this.#size = { width, height };
    if (first) this.#asking.now();
    else this.#asking.resized();
  }

  setVisible(visible: boolean): void {
    if (visible === this.#visible || this.#disposed) return;
    this.#visible = visible;
    if (visible) {
      this.#clear("#hideTimer");
      this.#clear("#closeTimer");
      this.#askedAt = performance.now();
      if (!this.#socket.open) this.#downSince = performance.now();
      if (this.#refused === null || this.#refused === "full") this.#socket.connect();
      this.#socket.retryNow();
      if (this.#paused) {
        this.#paused = false;
        this.#lastMessageAt = performance.now();
        this.#asking.now();
      }
      this.#update();
      return;
    }
    this.#hideTimer = setTimeout(() => {
      this.#paused = true;
      this.#asking.now();
      this.#update();
    }, HIDDEN_PAUSE_MS);
    this.#closeTimer = setTimeout(() => {
      this.#socket.close();
      this.#downSince = null;
      this.#asking.reset();
    }, HIDDEN_CLOSE_MS);
  }

  setZoom(zoom: boolean): void {
    if (zoom === this.#zoom) return;
    this.#zoom = zoom;
    this.#asking.now();
  }

  /** Sound on or off.  Call it inside the tap or key that asks for it. */
  setAudio(audio: boolean): void {
    if (audio === this.#intake.audio || this.#disposed) return;
    this.#intake.setAudio(audio);
    this.#asking.now();
    this.#update();
  }

  get audio(): boolean {
    return this.#intake.audio;
  }

  get visible(): boolean {
    return this.#visible;
  }

  /** The person tapped: play what the browser would not play by itself. */
  unblock(): void {
    this.#intake.unblock();
    this.#controlBoth(performance.now());
    this.#update();
  }

  /** The network is back. */
  retryNow(): void {
    if (this.#visible) this.#socket.retryNow();
  }

  /** Somebody pressed *Try now*: the connection if it is gone, else the camera. */
  tryNow(): void {
    if (!this.#socket.send({ type: "retry" })) this.retryNow();
  }

  /** Whatever the connection looks like, make another: the machine slept or the network changed under it. */
  reconnect(): void {
    if (!this.#visible || this.#refused !== null) return;
    this.#socket.close();
    this.#asking.reset();
    this.#downSince ??= performance.now();
    this.#network = null;
    this.#socket.connect();
  }

  /** Signed in again, or a right was given back. */
  allow(): void {
    if (this.#disposed) return;
    this.#refused = null;
    if (this.#visible) this.#socket.connect();
    this.#update();
  }

  /** The right was taken: nothing of the picture stays, on the screen or in memory. */
  deny(): void {
    this.#refused = "denied";
    this.#socket.close();
    this.#forgetPictures();
    this.#update();
  }

  /** No new pictures until `allow`, but what is shown stays (the session has ended). */
  suspend(): void {
    this.#socket.close();
    this.#asking.reset();
  }

  // ---- what the host says ----

  pump(): void {
    this.#intake.pump();
  }

  /** A few times a second. */
  control(now: number): void {
    if (!this.#visible) return;
    this.#controlBoth(now);
    this.#intake.control(now);
    const pictures = this.#stack.current?.pictures ?? 0;
    if (pictures > this.#pictures) this.#frames.add(pictures - this.#pictures, now);
    this.#pictures = pictures;
    this.#lastPictureAt = this.#stack.current?.lastPictureAt ?? this.#lastPictureAt;
    this.#lastPictureUtc = this.#stack.current?.pictureUtc ?? this.#lastPictureUtc;
    this.#checkSilence(now);
    this.#asking.reconsider();
    this.#update();
  }

  /** Once a second. */
  sendStats(): void {
    if (!this.#asking.told || this.#paused) return;
    const dropped = this.#stack.current?.kind === "transcoded" ? this.#stack.current.takeReplaced() : 0;
    const stats = { type: "stats", buffer_s: Math.round((this.#stack.current?.behind ?? 0) * 1000) / 1000, dropped };
    this.#socket.send(this.#asksNetwork ? { ...stats, tell: true } : stats);
  }

  /** Bytes a second. */
  rate(now: number): number {
    return this.#bytes.rate(now);
  }

  /** Ask the server once a second how the network is, as long as somebody reads it. */
  askNetwork(ask: boolean): void {
    this.#asksNetwork = ask;
    this.#network = null;
  }

  figures(now: number): Figures {
    const { shown } = this.#stack;
    const delay = this.#stack.current?.kind === "transcoded" ? this.#stack.current.delay : null;
    const recent = this.#skips.filter((s) => now - s.at < SKIP_SHOWN_MS);
    return {
      rate: this.#bytes.rate(now),
      fps: this.#frames.rate(now),
      behind: this.#stack.current?.behind ?? 0,
      delay: delay !== null && delay >= 0 && delay < LIKELY_DELAY_S ? delay : null,
      width: shown?.width ?? this.#intake.stream?.width ?? 0,
      height: shown?.height ?? this.#intake.stream?.height ?? 0,
      pictureUtc: this.#lastPictureUtc === null ? null : this.#lastPictureUtc * 1000,
      skipped: recent.reduce((sum, s) => sum + s.seconds, 0),
      skippedTotal: this.#skippedTotal,
      since: this.#since,
      nextTryIn: this.#socket.nextTryAt === null ? null : Math.max(0, this.#socket.nextTryAt - now) / 1000,
      network: this.#network,
    };
  }

  /** The picture shown, for the overview of the digital zoom; null if there is none. */
  get picture(): Shown | null {
    return this.#stack.shown;
  }

  /** The transcoded picture shown, as it came; null where the camera's own video is shown. */
  get jpeg(): Blob | null {
    return this.#intake.jpeg;
  }

  /** Somebody pressed *Try direct video again*: what the browser did not decode before may go by now. */
  tryDirect(): void {
    this.#intake.forgive();
    this.#asking.now();
    this.#update();
  }

  dispose(): void {
    this.#disposed = true;
    this.#asking.stop();
    this.#clear("#hideTimer");
    this.#clear("#closeTimer");
    this.#socket.close();
    this.#forgetPictures();
    this.element.remove();
  }

  // ---- the socket ----

  #opened(): void {
    const now = performance.now();
    this.#downSince = null;
    this.#asking.reset();
    this.#link = null;
    this.#linkReason = this.#linkCodec = null;
    this.#intake.expectNothing();
    this.#askedAt = now;
    this.#lastMessageAt = now;
    if (this.#refused === "full") this.#refused = null;
    this.#asking.now();
    this.#update();
  }

  #closed(code: number, hadOpened: boolean): void {
    if (this.#disposed) return;
    this.#downSince ??= performance.now();
    this.#asking.reset();
    this.#intake.expectNothing();
    this.#bytes.reset();
    this.#frames.reset();
    const why = refusalOf(code, hadOpened);
    if (why === "denied") this.deny();
    else if (why === "removed") this.#forgetPictures();
    if (why === "removed" || why === "full") this.#refused = why;
    if (why !== null && why !== "full") this.#deps.refused(why);
    this.#update();
  }

  #text(data: string): void {
    this.#lastMessageAt = performance.now();
    const message = parseMessage(data);
    switch (message?.type) {
      case "stream":
        this.#announce(message);
        break;
      case "status":
        this.#link = message.state;
        this.#linkReason = message.reason;
        this.#linkCodec = message.codec;
        break;
      case "dropped":
        this.#dropped(message.seconds);
        break;
      case "network":
        this.#network = message;
        return;
      default:
        return;
    }
    this.#update();
  }

  #announce(stream: StreamMessage): void {
    this.#link = "ok";
    this.#linkReason = this.#linkCodec = null;
    this.#intake.announce(stream);
  }

  #dropped(seconds: number): void {
    const now = performance.now();
    this.#skips = [...this.#skips.filter((s) => now - s.at < SKIPS_WITHIN_MS), { at: now, seconds }];
    this.#skippedTotal += seconds;
  }

  #binary(data: ArrayBuffer): void {
    const now = performance.now();
    this.#lastMessageAt = now;
    this.#bytes.add(data.byteLength, now);
    if (this.#refused === null) this.#intake.binary(data);
  }

  // ---- the pipelines ----

  #begin(stream: StreamMessage, init: ArrayBuffer): void {
    const epoch = this.#deps.epoch(stream.utcZero / 90_000);
    this.#stack.dropSpare();
    const { current } = this.#stack;
    if (current?.kind === "direct" && current.families === families(stream.mime)) {
      current.start(stream, epoch, init);
      return;
    }
    this.#intake.add(stream, this.#deps.createPipeline)?.start(stream, epoch, init);
  }

  #controlBoth(now: number): void {
    for (const pipeline of this.#stack.both()) if (pipeline.kind === "direct") pipeline.control(now);
  }

  #failed(): void {
    if (this.#disposed) return;
    this.#intake.freeze();
    this.#pictures = 0;
    this.#asking.reset();
    this.#socket.restart();
    this.#update();
  }

  #forgetPictures(): void {
    this.#intake.forget();
    this.#lastPictureAt = this.#lastPictureUtc = null;
    this.#pictures = 0;
  }

  /** A link that died without a word, as when a phone changes networks. */
  #checkSilence(now: number): void {
    if (!this.#socket.open || this.#paused || this.#intake.unplayable) return;
    const explained = this.#link === "waiting" || this.#link === "lost" || this.#lastPictureAt === null;
    const silent = SILENT_MS - quietMs(null) + quietMs(this.#pace());
    if (now - this.#lastMessageAt < (explained ? SILENT_EXPLAINED_MS : silent)) return;
    this.#lastMessageAt = now;
    this.#downSince ??= now;
    this.#asking.reset();
    this.#socket.restart();
    this.#deps.refused("silence");
  }

  // ---- want ----

  #want(): Want | null {
    if (!this.#size) return null;
    const { mode, codecs } = this.#intake.offered(performance.now());
    return {
      type: "want",
      ...this.#size,
      fps: HIGHEST_FPS,
      mode,
      zoom: this.#zoom,
      codecs,
      audio: this.#intake.audio,
      paused: this.#paused,
    };
  }

  /** Pictures a second that were announced, where they may be few. */
  #pace(): number | null {
    return this.#intake.stream?.mode === "transcoded" ? this.#intake.stream.fps : null;
  }

  #clear(which: "#hideTimer" | "#closeTimer"): void {
    const clear = (timer: ReturnType<typeof setTimeout> | null): null => {
      if (timer !== null) clearTimeout(timer);
      return null;
    };
    if (which === "#hideTimer") this.#hideTimer = clear(this.#hideTimer);
    if (which === "#closeTimer") this.#closeTimer = clear(this.#closeTimer);
  }

  #update(): void {
    if (this.#disposed) return;
    const now = performance.now();
    const phase = phaseOf({
      now,
      open: this.#socket.open,
      downSince: this.#downSince,
      refused: this.#refused,
      link: this.#link,
      linkReason: this.#linkReason,
      pictureAt: this.#lastPictureAt,
      askedAt: this.#askedAt,
      paused: this.#paused,
      unplayable: this.#intake.unplayable,
      blocked: this.#intake.blocked,
      pace: this.#pace(),
    });
    const next: PlayerView = {
      phase,
      reason: this.#linkReason,
      codec: this.#linkCodec,
      stream: this.#intake.stream,
      own: this.#intake.offered(now).own,
      sound: this.#intake.sounds,
      slow: this.#skips.filter((s) => now - s.at < SKIPS_WITHIN_MS).length >= SKIPS_SLOW,
    };
    setFields(this.view, next);
    this.#stack.dim(phase === "lost" ? "lost" : phase === "waiting" || phase === "offline" ? "waiting" : "");
  }
}
