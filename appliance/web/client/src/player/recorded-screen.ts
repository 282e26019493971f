/**
 * What a recorded camera shows: its video, or pictures in the place of that with sound beside them, one taking over from
 * the other without black between.  Where it is to be, in time, is the player's business.
 */

import { families } from "../logic/messages";
import type { RecordedStream } from "../logic/playback/messages";
import { Intake, type IntakeDeps } from "./intake";
import type { PicturePipeline } from "./pipeline";
import type { DirectRecording, RecordedEvents } from "./recorded-pipeline";
import type { Stack } from "./stack";

export interface RecordedScreenDeps extends IntakeDeps {
  readonly createRecording: (events: RecordedEvents, prepared?: HTMLVideoElement) => DirectRecording;
}

/** What the player says of where it is. */
export interface Place {
  /** UTC ticks of what is to be on screen. */
  readonly target: number;
  /** That is there. */
  readonly landed: boolean;
  readonly playing: boolean;
  /** Where it went is not known yet. */
  readonly stepping: boolean;
}

export interface RecordedScreenEvents {
  /** A video has come to the instant that it was told to show. */
  shown(): void;
  /** More of the recording is there. */
  more(): void;
  /** What is shown gives way to something else: it stays where it is. */
  keep(): void;
  /** Nothing goes on: all of it has to begin again. */
  failed(): void;
  /** Something else is wanted of the server now. */
  wanted(): void;
  changed(): void;
}

export class RecordedScreen {
  readonly intake: Intake<DirectRecording, RecordedStream>;
  readonly stack: Stack<DirectRecording | PicturePipeline>;
  readonly #deps: RecordedScreenDeps;
  readonly #place: () => Place;
  readonly #events: RecordedScreenEvents;
  /** What a video was told to show last, in UTC ticks. */
  #showing: number | null = null;
  /** Of the pictures drawn, the last that was looked at; −1: those of another stream follow. */
  #drawn = 0;

  constructor(camera: string, deps: RecordedScreenDeps, place: () => Place, events: RecordedScreenEvents) {
    this.#deps = deps;
    this.#place = place;
    this.#events = events;
    this.intake = new Intake(camera, deps, {
      video: (stream, init) => this.#beginVideo(stream, init),
      pictures: () => this.#beginPictures(),
      failed: () => events.failed(),
      wanted: () => events.wanted(),
      changed: () => events.changed(),
    });
    this.stack = this.intake.stack;
  }

  /** What is on screen. */
  get current(): DirectRecording | PicturePipeline | null {
    return this.stack.current;
  }

  /** The video on screen, where it is one. */
  get video(): DirectRecording | null {
    const { current } = this.stack;
    return current?.kind === "direct" ? current : null;
  }

  /** A video was told to show this last. */
  isShowing(ticks: number): boolean {
    return this.video !== null && this.#showing === ticks;
  }

  show(video: DirectRecording, ticks: number): void {
    this.#showing = ticks;
    video.show(ticks);
  }

  /** Something else was asked for: what was sent and is not there yet will not be wanted. */
  abandon(): void {
    this.intake.silence();
    this.intake.expectNothing();
    this.#showing = null;
    for (const pipeline of this.stack.both()) if (pipeline.kind === "direct") pipeline.abandon();
  }

  announce(stream: RecordedStream): void {
    this.intake.silence(); // it may go on elsewhere, or later than it would have
    this.intake.announce(stream);
    // pictures of what was before are not to be shown after this
    if (stream.mode === "transcoded") for (const pipeline of this.stack.both()) if (pipeline.kind === "transcoded") pipeline.flush();
  }

  /** UTC seconds of a picture that was drawn since this was asked last; `first`: it is the first that was asked for. */
  takeDrawn(): { readonly utc: number; readonly first: boolean } | null {
    const { current } = this.stack;
    if (current?.kind !== "transcoded" || this.intake.expecting || current.pictures === this.#drawn || current.pictureUtc === null) return null;
    const first = this.#drawn === -1 || !this.#place().landed;
    this.#drawn = current.pictures;
    return { utc: current.pictureUtc, first };
  }

  #beginVideo(stream: RecordedStream, init: ArrayBuffer): void {
    const { newest } = this.stack;
    const { landed, playing, stepping } = this.#place();
    if (newest?.kind === "direct" && newest.families === families(stream.mime)) {
      newest.begin(stream, init);
      if (!landed && !stepping) this.show(newest, this.#place().target);
      return;
    }
    this.stack.dropSpare();
    const pipeline = this.intake.add(stream, (events, prepared) => {
      const made: DirectRecording = this.#deps.createRecording({ ...events, shown: () => this.#shown(made), more: () => this.#events.more() }, prepared);
      return made;
    });
    if (!pipeline) return;
    pipeline.begin(stream, init);
    // one that takes over while it plays has to be where that is by then
    if (landed && playing) this.#events.keep();
    this.show(pipeline, this.#place().target);
  }

  #beginPictures(): void {
    const { current, spare } = this.stack;
    if (current?.kind === "direct" && spare?.kind !== "transcoded") {
      this.#events.keep();
      current.pause();
    }
    this.#drawn = -1;
  }

  #shown(pipeline: DirectRecording): void {
    // what it was told to show before something else was asked for is not that
    if (pipeline === this.stack.current && !this.#place().landed && this.#showing !== null) this.#events.shown();
  }
}
