/**
 * One camera, as it was recorded: where it is, what it shows, and what it does there.  It is told where to be and whether
 * to play; what several cameras have in common (the clock, the gaps that all have) is `sync.ts`'s.
 *
 * Of what is asked of the server one thing is on its way at a time; the newest place wanted meanwhile is asked for when
 * its picture has come.
 */

import { RecordingGaps } from "../logic/playback/gaps";
import { instant, parsePlayback, ticksOf, TICKS_PER_MS, type GapMessage, type PlaybackMessage, type RecordedStream } from "../logic/playback/messages";
import { TICKS_PER_SECOND } from "../logic/playback/pictures";
import { setFields, Store } from "../logic/store";
import type { Want } from "../logic/want";
import { Commands } from "./commands";
import type { Refusal } from "./live-socket";
import { PlaybackLink } from "./playback-link";
import { NO_VIEW, playbackPhase, type PlaybackPhase, type PlaybackView } from "./playback-view";
import { RecordedScreen, type Place, type RecordedScreenDeps } from "./recorded-screen";
import type { Shown } from "./stack";

export interface PlaybackDeps extends RecordedScreenDeps {
  readonly url: string;
  readonly refused: (why: Refusal) => void;
  /** Something about where it is has changed. */
  readonly moved: () => void;
  readonly random?: () => number;
}

/** What it is to do. */
export interface Doing {
  readonly playing: boolean;
  readonly speed: number;
  readonly gaps: "skip" | "play";
}

const HIGHEST_FPS = 30;
/** Faster, or backwards, comes as pictures. */
const FASTEST_DIRECT = 4;
/** A video that does not show within this long what it has is given up for a picture. */
const TRYING_MS = 800;

function byPictures(speed: number): boolean {
  return speed < 0 || speed > FASTEST_DIRECT;
}

export class PlaybackPlayer {
  readonly element: HTMLDivElement;
  readonly view = new Store(NO_VIEW);

  /** Counts the pictures that were asked for and came. */
  readonly landings = new Store(0);
  /** What was jumped over last. */
  readonly skipped: Store<GapMessage | null>;

  readonly #deps: PlaybackDeps;
  readonly #link: PlaybackLink;
  readonly #commands = new Commands((command) => this.#link.send(command));
  readonly #screen: RecordedScreen;
  readonly #gaps = new RecordingGaps();

  #doing: Doing = { playing: false, speed: 1, gaps: "skip" };
  /** How far the speed is from the one that was asked for, to get in step. */
  #factor = 1;
  /** Stands still for the others' sake. */
  #held = false;
  /** UTC ticks: what is to be on screen, until it is; then, while nothing moves, what is. */
  #at: number;
  #landed = false;
  /** What a browser's decoder keeps to itself comes as a picture. */
  #still = false;
  /** The server was asked for the picture before or after, and says which that is. */
  #stepping = false;
  #reason: string | null = null;

  #size: { readonly width: number; readonly height: number } | null = null;
  #disposed = false;

  /** `atMs`: UTC milliseconds of what is shown first. */
  constructor(readonly id: string, atMs: number, deps: PlaybackDeps) {
    this.#deps = deps;
    this.#at = ticksOf(atMs);
    const place = (): Place => ({
      target: this.#commands.flight?.at ?? this.#at,
      landed: this.#landed,
      playing: this.#doing.playing,
      stepping: this.#stepping,
    });
    this.#screen = new RecordedScreen(id, deps, place, {
      shown: () => this.#landedAt(),
      more: () => deps.moved(),
      keep: () => this.#keepPosition(),
      failed: () => this.#failed(),
      wanted: () => this.#link.want(),
      changed: () => this.#update(),
    });
    this.skipped = this.#gaps.skipped;
    this.element = this.#screen.stack.element;
    this.#link = new PlaybackLink(
      deps.url,
      () => this.#want(),
      {
        begins: () => this.#ask(),
        ended: () => this.#commands.land(),
        text: (data) => this.#text(data),
        binary: (data) => this.#binary(data),
        keep: () => this.#keepPosition(),
        forget: () => this.#forget(),
        refused: (why) => deps.refused(why),
        changed: () => this.#update(),
      },
      deps.random,
    );
  }

  // ---- where it is ----

  /** UTC milliseconds of what is shown, or is to be as soon as it has come. */
  get position(): number {
    const { current } = this.#screen;
    if (!this.#landed || !this.#doing.playing || !current) return this.#at / TICKS_PER_MS;
    if (current.kind === "direct") return current.position * 1000;
    return (current.pictureUtc ?? this.#at / TICKS_PER_SECOND) * 1000;
  }

  /** The picture that was asked for is on screen. */
  get landed(): boolean {
    return this.#landed;
  }

  /** Nothing is recorded where it is. */
  get absent(): boolean {
    return this.#gaps.absent !== null;
  }

  /** Where nothing is recorded: where something is again, in UTC milliseconds, as far as known. */
  get next(): number | null {
    return this.#gaps.absent?.next ?? null;
  }

  get previous(): number | null {
    return this.#gaps.absent?.previous ?? null;
  }

  /** It came to the end of what is recorded. */
  get ended(): boolean {
    return this.#gaps.ended;
  }

  /** It is to play, and does not get on. */
  get stalled(): boolean {
    if (!this.#doing.playing || this.absent || this.#gaps.ended || this.#link.refused !== null || this.#screen.intake.unplayable) return false;
    if (!this.#landed) return true;
    return this.#screen.video !== null && this.#screen.video.stalled && !this.#held;
  }

  /** It takes part in what others have to wait for. */
  get takesPart(): boolean {
    return this.#link.visible && !this.absent && !this.#gaps.ended && this.#link.refused === null && !this.#screen.intake.unplayable && this.#link.open;
  }

  /** What it shows is paced here, not by the server. */
  get direct(): boolean {
    return this.#screen.video !== null;
  }

  // ---- what it is told ----

  /** Show what was on screen at an instant, and go on from there if it plays. */
  seek(utcMs: number): void {
    this.#at = ticksOf(utcMs);
    this.#landed = false;
    this.#screen.intake.silence();
    this.#gaps.absent = null;
    this.#gaps.ended = false;
    this.#moving();
    this.#go();
  }

  /** Begin, go on or stop; at another speed. */
  set(doing: Doing): void {
    const before = this.#doing;
    if (before.playing === doing.playing && before.speed === doing.speed && before.gaps === doing.gaps) return;
    if (before.playing) this.#at = ticksOf(this.position);
    this.#doing = doing;
    this.#factor = 1;
    this.#held = false;
    if (doing.playing) this.#moving();
    const { current } = this.#screen;
    if (!doing.playing) {
      this.#screen.intake.silence();
      if (current?.kind === "direct") {
        current.pause();
        if (this.#landed) this.#screen.show(current, this.#at);
      } else if (current && this.#landed && before.playing) this.#at = ticksOf((current.pictureUtc ?? 0) * 1000);
      if (!this.#link.told) return;
      // pictures stop where the server is; what is on screen is asked for once more if it was another one
      if (current?.kind === "transcoded" && this.#landed) {
        this.#commands.give({ type: "pause" });
        this.#landed = false;
        this.#ask();
      } else this.#commands.give({ type: "pause" });
      return;
    }
    if (current?.kind === "direct" && this.#landed && !byPictures(doing.speed)) this.#run();
    this.#ask();
  }

  /** Whether it could be done without asking anybody; `done` is called when the picture is there. */
  step(by: 1 | -1): number | null {
    const { current } = this.#screen;
    const picture = current?.kind === "direct" && !this.#stepping && current.has(this.#at) ? current.neighbour(this.#at, by) : null;
    if (!picture || current?.kind !== "direct") return null;
    this.#at = picture.start;
    this.#landed = false;
    this.#screen.show(current, picture.start);
    return picture.start / TICKS_PER_MS;
  }

  /** Have the server step; where it went is known when the picture is there. */
  askStep(by: 1 | -1): void {
    this.#landed = false;
    // the server does not know which picture a video shows
    if (this.direct) this.#commands.give({ type: "seek", at: instant(this.#at) });
    this.#begin(this.#commands.give({ type: "step", by }), this.#at);
    this.#stepping = true;
  }

  /** Play so much faster or slower than asked for, to get in step. */
  correct(factor: number): void {
    if (factor === this.#factor) return;
    this.#factor = factor;
    if (!this.#held) this.#run();
  }

  get factor(): number {
    return this.#factor;
  }

  /** Stand still until the others are there. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    const { current } = this.#screen;
    if (current?.kind !== "direct") return;
    if (held) current.pause();
    else this.#run();
  }

  setSize(width: number, height: number): void {
    const first = this.#size === null;
    this.#size = { width, height };
    if (first) this.#link.begin();
    else this.#link.resized();
  }

  /** Somebody sees it, and not what is live in its place. */
  setVisible(visible: boolean): void {
    this.#link.setSeen(visible);
  }

  /** Connect, if it does not rest on purpose. */
  wake(): void {
    this.#link.wake();
  }

  /** What is live is shown: nothing more is needed of this. */
  rest(): void {
    this.#doing = { ...this.#doing, playing: false };
    this.#screen.video?.pause();
    this.#screen.intake.silence();
    this.#commands.land();
    this.#link.rest();
  }

  /** Call it inside the tap or key that asks for it. */
  setAudio(audio: boolean): void {
    if (audio === this.#screen.intake.audio || this.#disposed) return;
    this.#screen.intake.setAudio(audio);
    this.#link.want();
    this.#update();
  }

  unblock(): void {
    this.#screen.intake.unblock();
    this.#run();
    this.#update();
  }

  retryNow(): void {
    this.#link.retryNow();
  }

  tryNow(): void {
    this.retryNow();
  }

  reconnect(): void {
    this.#link.reconnect();
  }

  allow(): void {
    this.#link.allow();
  }

  /** The right was taken: nothing of the picture stays, on the screen or in memory. */
  deny(): void {
    this.#link.deny();
  }

  suspend(): void {
    this.#link.suspend();
  }

  dispose(): void {
    this.#disposed = true;
    this.#link.dispose();
    this.#forget();
    this.element.remove();
  }

  // ---- what the host says ----

  pump(): void {
    this.#screen.intake.pump();
    this.#checkDrawn();
  }

  control(now: number): void {
    if (!this.#link.visible) return;
    if (this.#commands.late(now)) this.#flightIsLate(now);
    this.#checkEnd();
    this.#checkTrying(now);
    this.#screen.intake.control(now);
    this.#link.reconsider();
    this.#update();
  }

  sendStats(): void {
    const current = this.#screen.stack.newest;
    if (!this.#link.told || !current) return;
    const dropped = current.kind === "transcoded" ? current.takeReplaced() : 0;
    const ahead = current.kind === "direct" ? current.ahead : 0;
    this.#link.send({ type: "stats", buffer_s: Math.round(ahead * 1000) / 1000, dropped });
  }

  /** Bytes a second. */
  rate(now: number): number {
    return this.#link.rate(now);
  }

  get visible(): boolean {
    return this.#link.visible;
  }

  get picture(): Shown | null {
    return this.#screen.stack.shown;
  }

  /** The transcoded picture shown, as it came. */
  get jpeg(): Blob | null {
    return this.#screen.intake.jpeg;
  }

  // ---- asking ----

  /** A command that media answers. */
  #begin(id: number, at: number): void {
    this.#commands.await(id, at);
    this.#screen.abandon();
    this.#gaps.reset();
    this.#stepping = false;
  }

  /** Ask for what is to be shown, with what is to be done there. */
  #ask(): void {
    if (!this.#link.ready) return;
    const { playing, speed, gaps } = this.#doing;
    const at = instant(this.#at);
    const id = playing ? this.#commands.give({ type: "play", at, speed, gaps }) : this.#commands.give({ type: "seek", at });
    this.#begin(id, this.#at);
  }

  /** Get to where it is to be: by what is there, else by asking. */
  #go(): void {
    const { current } = this.#screen;
    const usable = current?.kind === "direct" && !byPictures(this.#doing.playing ? this.#doing.speed : 1);
    if (usable && current.has(this.#at)) {
      this.#screen.show(current, this.#at);
      // what is shown needs nobody; playing on from there may
      if (!this.#doing.playing) this.#commands.land();
      else if (!current.continues(this.#at) && !this.#commands.flight) this.#ask();
      return;
    }
    if (!this.#commands.flight) this.#ask();
  }

  #landedAt(): void {
    this.#landed = true;
    const flight = this.#commands.land();
    if (flight && flight.at !== this.#at && !this.#screen.isShowing(this.#at)) {
      // somebody wants to be elsewhere by now
      this.#landed = false;
      this.#go();
      return;
    }
    this.#run();
    this.#deps.moved();
    this.#update();
    this.landings.update((n) => n + 1);
  }

  #flightIsLate(now: number): void {
    if (this.#commands.flight?.at !== this.#at) {
      this.#commands.land();
      this.#go();
    } else if (this.#commands.lost(now)) {
      // what is on its way is waited for, on a slow network too; what was not answered at all is asked for again
      this.#ask();
    }
  }

  /** Have the element do what is to be done. */
  #run(): void {
    const { current } = this.#screen;
    if (current?.kind !== "direct" || !this.#landed) return;
    if (this.#doing.playing && !this.#held && !this.absent && !byPictures(this.#doing.speed)) current.play(this.#doing.speed * this.#factor);
    else current.pause();
  }

  // ---- what the server says ----

  #keepPosition(): void {
    if (!this.#doing.playing || !this.#landed) return;
    this.#at = ticksOf(this.position);
    this.#landed = false;
  }

  #text(data: string): void {
    const message = parsePlayback(data);
    if (message && this.#commands.counts(message.id)) this.#hear(message);
  }

  #hear(message: PlaybackMessage): void {
    switch (message.type) {
      case "stream":
        this.#announce(message);
        break;
      case "position":
        this.#told(message.state, message.utcMs);
        break;
      case "gap":
        this.#gapTold(message);
        break;
      case "status":
        this.#reason = message.reason;
        if (message.reason === "no_recording") {
          this.#gaps.absent = message;
          this.#commands.land();
          this.#deps.moved();
        }
    }
    this.#update();
  }

  #told(state: string, utcMs: number): void {
    if (state === "ended") {
      // direct: there may be something left to be shown
      const { current } = this.#screen;
      this.#gaps.over = true;
      this.#gaps.ended = current?.kind !== "direct" || (this.#landed && current.atEnd);
      if (this.#gaps.ended) this.#commands.land();
      this.#deps.moved();
    }
    const { newest } = this.#screen.stack;
    if (!this.#stepping || state !== "paused") return;
    // this comes before what is to be shown, or after it
    this.#stepped(utcMs);
    if (this.#commands.answered && newest?.kind === "direct") this.#screen.show(newest, this.#at);
  }

  /** The server went a picture on or back: that is where this is now. */
  #stepped(utcMs: number): void {
    this.#stepping = false;
    this.#at = ticksOf(utcMs);
    this.#commands.redirect(this.#at);
  }

  #announce(stream: RecordedStream): void {
    this.#commands.answer();
    this.#reason = null;
    this.#gaps.absent = null;
    this.#screen.announce(stream);
  }

  #binary(data: ArrayBuffer): void {
    if (this.#commands.answered) this.#screen.intake.binary(data);
  }

  // ---- the screen ----

  /** The first picture after a command is the one that was asked for. */
  #checkDrawn(): void {
    const drawn = this.#commands.answered ? this.#screen.takeDrawn() : null;
    if (!drawn) return;
    if (!drawn.first) {
      this.#deps.moved();
      return;
    }
    if (this.#stepping) this.#stepped(drawn.utc * 1000);
    this.#landedAt();
  }

  #failed(): void {
    if (this.#disposed) return;
    this.#keepPosition();
    this.#landed = false;
    this.#screen.intake.freeze();
    this.#commands.refuse();
    this.#link.restart();
    this.#update();
  }

  #forget(): void {
    this.#screen.intake.forget();
    this.#commands.land();
    this.#commands.refuse();
    this.#landed = false;
  }

  // ---- gaps ----

  #gapTold(gap: GapMessage): void {
    if (this.#commands.answered && this.#screen.intake.stream?.mode === "direct") {
      this.#gaps.expect(gap); // what is shown comes to it later
    } else if (this.#gaps.enter(gap, this.#doing.gaps)) {
      this.#commands.land(); // no picture comes of what was asked for
      this.#standAt(gap);
    } else if (!this.#commands.answered && gap.to !== null) {
      this.#at = ticksOf(gap.to); // what was asked for lies in it, and it begins behind it
      this.#commands.redirect(this.#at);
    }
  }

  #standAt(gap: GapMessage): void {
    this.#at = ticksOf(gap.from);
    this.#deps.moved();
  }

  /** What is shown has come to the end of a piece: on to the next one. */
  #checkEnd(): void {
    const { current } = this.#screen;
    if (current?.kind !== "direct" || !this.#landed || !this.#doing.playing || this.#held || this.absent) return;
    if (!current.atEnd) return;
    const next = current.beyond();
    const then = this.#gaps.end(current.position * 1000, this.#doing.gaps, next !== null);
    if (then === "ended") this.#deps.moved();
    else if (typeof then === "object") {
      this.#standAt(then);
      current.pause();
    } else if (then === "on" && next) {
      this.#at = next.start;
      this.#landed = false;
      this.#screen.show(current, next.start);
    }
  }

  /** A decoder that wants more before it shows what it has does not get it where the recording ends. */
  #checkTrying(now: number): void {
    const { current } = this.#screen;
    const since = current?.kind === "direct" ? current.tryingSince : null;
    if (since === null || now - since < TRYING_MS || this.#doing.playing || this.#commands.flight?.at === this.#at && this.#still) return;
    this.#still = true;
    this.#link.want();
    this.#ask();
  }

  /** A video may do for what comes next. */
  #moving(): void {
    if (!this.#still) return;
    this.#still = false;
    this.#link.want();
  }

  // ---- want ----

  #want(): Want | null {
    if (!this.#size) return null;
    const { mode, codecs } = this.#screen.intake.offered(performance.now());
    const want = { fps: HIGHEST_FPS, mode: this.#still ? "transcoded" : mode, zoom: false, codecs, paused: false } as const;
    return { type: "want", ...this.#size, ...want, audio: this.#screen.intake.audio, beside: this.#deps.createSound !== undefined };
  }

  #update(): void {
    if (this.#disposed) return;
    const next: PlaybackView = {
      phase: this.#phase(performance.now()),
      stream: this.#screen.intake.stream,
      next: this.next,
      previous: this.previous,
      reason: this.#reason,
      own: this.#screen.intake.offered(performance.now()).own,
      sound: this.#screen.intake.sounds,
    };
    setFields(this.view, next);
    this.#screen.stack.dim(next.phase === "none" || next.phase === "offline" ? "waiting" : "");
  }

  #phase(now: number): PlaybackPhase {
    return playbackPhase({
      now,
      refused: this.#link.refused,
      unplayable: this.#screen.intake.unplayable,
      reason: this.#reason,
      downSince: this.#link.downSince,
      absent: this.absent,
      blocked: this.#screen.intake.blocked,
      pictured: this.#screen.stack.shown !== null,
      askedAt: this.#commands.flight?.since ?? null,
    });
  }
}
