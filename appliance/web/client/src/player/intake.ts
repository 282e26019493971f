/**
 * What comes of one camera, live or recorded: each stream that is announced goes into the pipeline that it belongs to,
 * which is made where there is none, with sound if that is wanted; beside transcoded pictures sound has an element of its
 * own, which they follow.  What the browser does not take, or makes nothing of, is not asked for again at once.  Where a
 * picture is, in time, is the player's business.
 */

import { jpegOf, pictureTime } from "../logic/jpeg";
import { families, hasSound, type StreamMessage } from "../logic/messages";
import { kindOf } from "../logic/mp4";
import { Offer, type Offered } from "../logic/offer";
import type { AnyPipeline, PicturePipeline, PipelineEvents } from "./pipeline";
import type { AnySound, SoundEvents } from "./sound-beside";
import { Stack } from "./stack";

/** Video as the camera sends it. */
export interface VideoPipeline extends AnyPipeline {
  readonly kind: "direct";
  readonly element: HTMLVideoElement;
  push(fragment: ArrayBuffer): unknown;
  setMuted(muted: boolean): void;
}

/** What it needs of the page. */
export interface IntakeDeps {
  readonly codecs: readonly string[];
  /** There is a way to play video at all. */
  readonly direct: boolean;
  readonly supported: (mime: string) => boolean;
  readonly createPictures: (events: PipelineEvents) => PicturePipeline;
  readonly prepareVideo: () => HTMLVideoElement;
  /** For sound beside pictures; left out where none comes. */
  readonly createSound?: (events: SoundEvents, prepared?: HTMLAudioElement) => AnySound;
  readonly prepareSound?: () => HTMLAudioElement;
  readonly requestPump: () => void;
}

/** What the player does about it. */
export interface IntakeEvents<V extends VideoPipeline, S extends StreamMessage> {
  /** Video of a stream begins. */
  video(stream: S, init: ArrayBuffer): void;
  /** Transcoded pictures begin; the canvas for them is not made yet. */
  pictures?(): void;
  /** The pipeline that is shown has its first picture. */
  first?(pipeline: V | PicturePipeline): void;
  /** A pipeline cannot go on: all of it has to begin again. */
  failed(): void;
  /** Something else is wanted of the server now. */
  wanted(): void;
  changed(): void;
}

function codecFamily(all: string): string {
  return all.split("+")[0] ?? "";
}

export class Intake<V extends VideoPipeline, S extends StreamMessage> {
  readonly stack = new Stack<V | PicturePipeline>();
  readonly #offer: Offer;
  readonly #deps: IntakeDeps;
  readonly #events: IntakeEvents<V, S>;
  #stream: S | null = null;
  /** … and nothing of it has come yet. */
  #announced: S | null = null;
  #unplayable = false;
  #blocked = false;
  #audio = false;
  #prepared: HTMLVideoElement | null = null;
  /** Beside pictures. */
  #sound: AnySound | null = null;
  #preparedSound: HTMLAudioElement | null = null;

  constructor(
    readonly camera: string,
    deps: IntakeDeps,
    events: IntakeEvents<V, S>,
  ) {
    this.#deps = deps;
    this.#events = events;
    this.#offer = new Offer(deps.codecs, deps.direct);
  }

  /** The newest stream. */
  get stream(): S | null {
    return this.#stream;
  }

  /** Media of the newest stream is still to come. */
  get expecting(): boolean {
    return this.#announced !== null;
  }

  /** The browser does not take the newest stream. */
  get unplayable(): boolean {
    return this.#unplayable;
  }

  /** The browser plays nothing before a tap. */
  get blocked(): boolean {
    return this.#blocked;
  }

  get audio(): boolean {
    return this.#audio;
  }

  /** Sound is heard, not only asked for. */
  get sounds(): boolean {
    const { current } = this.stack;
    if (!this.#audio || !current) return false;
    if (current.kind === "transcoded") return this.#sound?.heard ?? false;
    return hasSoundOf(current) && !current.element.muted;
  }

  /** The transcoded picture shown, as it came; null where the camera's own video is shown. */
  get jpeg(): Blob | null {
    const { current } = this.stack;
    const shown = current?.kind === "transcoded" ? current.shown : null;
    return shown && jpegOf(shown);
  }

  /** How the picture is asked for. */
  offered(now: number): Offered {
    return this.#offer.at(now);
  }

  /** What the browser did not decode before may go by now. */
  forgive(): void {
    this.#offer.forgive();
  }

  /** Somebody tapped. */
  unblock(): void {
    this.#blocked = false;
  }

  /**
   * Call it inside the tap or key that asks for it: some browsers let an element sound only if it was played in one, so
   * the element of the pipeline to come is made and played here.
   */
  setAudio(audio: boolean): void {
    this.#audio = audio;
    this.#prepared = this.#preparedSound = null;
    if (audio) {
      this.#prepared = this.#deps.prepareVideo();
      this.#preparedSound = this.#deps.prepareSound?.() ?? null;
      for (const element of [this.#prepared, this.#preparedSound]) {
        if (!element) continue;
        element.muted = false;
        void element.play().catch(() => undefined); // has no source yet: only the permission counts
      }
    } else {
      this.#dropSound();
    }
    for (const pipeline of this.stack.both()) if (pipeline.kind === "direct") pipeline.setMuted(!(audio && hasSoundOf(pipeline)));
  }

  announce(stream: S): void {
    this.#stream = this.#announced = stream;
    this.#unplayable = stream.mode === "direct" && !this.#deps.supported(stream.mime);
    if (this.#unplayable) this.#refuse(stream);
    if (stream.mode === "transcoded" && !stream.sound) this.#dropSound();
  }

  /** The browser does not take this stream at all: another one, or pictures, are asked for. */
  #refuse(stream: S): void {
    this.#unplayable = true;
    this.#offer.refuse(codecFamily(families(stream.mime)), performance.now());
    this.#events.wanted();
  }

  /** What was announced does not come any more. */
  expectNothing(): void {
    this.#announced = null;
  }

  /** Media of the newest stream. */
  binary(data: ArrayBuffer): void {
    if (this.#unplayable) return;
    const announced = this.#announced;
    if (this.#stream?.mode === "transcoded") {
      const kind = pictureTime(data) === null ? kindOf(data) : "unknown";
      if (kind !== "unknown") {
        this.#hear(kind, data);
        return;
      }
      if (announced) this.#beginPictures();
      this.#announced = null;
      const { newest } = this.stack;
      if (newest?.kind === "transcoded") newest.push(data);
      return;
    }
    const kind = kindOf(data);
    if (kind === "init" && announced) {
      this.#dropSound(); // video brings its own
      this.#events.video(announced, data);
      this.#announced = null;
    } else if (kind === "fragment" && !announced) {
      const { newest } = this.stack;
      if (newest?.kind === "direct") newest.push(data);
    }
  }

  /** Transcoded pictures come: on the canvas that is there, or on one that takes over with its first. */
  #beginPictures(): void {
    this.#events.pictures?.();
    if (this.stack.current?.kind === "transcoded") {
      this.stack.dropSpare();
    } else if (this.stack.spare?.kind !== "transcoded") {
      const pipeline: PicturePipeline = this.#deps.createPictures(this.#eventsOf(() => pipeline));
      const sound = (): AnySound | null => this.#sound;
      pipeline.follow({
        get utc() {
          return sound()?.utc ?? null;
        },
        came: (utc) => sound()?.came(utc),
      });
      this.stack.add(pipeline);
    }
  }

  /** Sound beside pictures. */
  #hear(kind: "init" | "fragment", data: ArrayBuffer): void {
    const announced = this.#stream?.sound;
    if (!this.#audio || !announced) return;
    if (kind === "fragment") this.#sound?.push(data);
    else if (!this.#sound?.start(announced, data)) this.#newSound()?.start(announced, data);
  }

  #newSound(): AnySound | null {
    this.#dropSound();
    const { createSound, supported } = this.#deps;
    if (!createSound || !supported(this.#stream?.sound?.mime ?? "")) return null;
    const events: SoundEvents = {
      busy: () => this.#deps.requestPump(),
      failed: (why) => {
        if (this.#sound !== sound) return;
        console.warn(`camera ${this.camera}: no sound: ${why}`);
        this.#dropSound(); // the pictures go on
      },
      changed: () => this.#events.changed(),
    };
    const sound: AnySound = createSound(events, this.#preparedSound ?? undefined);
    this.#sound = sound;
    this.#preparedSound = null;
    this.stack.element.append(sound.element);
    return sound;
  }

  #dropSound(): void {
    const sound = this.#sound;
    this.#sound = null;
    if (!sound) return;
    sound.dispose();
    if (this.#audio) this.#preparedSound = sound.element; // it may sound, which others may not without another tap
    this.#events.changed();
  }

  /** No sound beside pictures, until another is announced. */
  silence(): void {
    this.#dropSound();
  }

  pump(): void {
    for (const pipeline of this.stack.both()) pipeline.pump();
    this.#sound?.pump();
  }

  /** A few times a second: sound beside pictures stays in time with them. */
  control(now: number): void {
    this.#sound?.control(now);
  }

  /** A pipeline for video of this stream; null where the browser does not give one. */
  add(stream: S, create: (events: PipelineEvents, prepared?: HTMLVideoElement) => V): V | null {
    const sound = this.#audio && hasSound(stream.mime);
    const prepared = sound ? this.#prepared : null;
    if (prepared) this.#prepared = null;
    let pipeline: V;
    try {
      pipeline = create(this.#eventsOf(() => pipeline), prepared ?? undefined);
    } catch (error) {
      console.warn(`camera ${this.camera}: ${String(error)}`);
      this.#refuse(stream);
      return null;
    }
    pipeline.setMuted(!sound);
    this.stack.add(pipeline);
    return pipeline;
  }

  #eventsOf(which: () => V | PicturePipeline): PipelineEvents {
    return {
      picture: () => this.#first(which()),
      arrived: () => {
        if (this.stack.takeOver(which())) this.#first(which());
      },
      failed: (why, undecodable) => this.#failed(which(), why, undecodable),
      busy: () => this.#deps.requestPump(),
      blocked: (blocked) => {
        this.#blocked = blocked;
        this.#events.changed();
      },
    };
  }

  #first(pipeline: V | PicturePipeline): void {
    if (pipeline !== this.stack.current) return;
    if (pipeline.kind === "direct") this.#offer.decoded(codecFamily(pipeline.families));
    this.#events.first?.(pipeline);
    this.stack.unfreeze();
    this.#blocked = false;
    this.#events.changed();
  }

  #failed(pipeline: V | PicturePipeline, why: string, undecodable: boolean): void {
    if (!this.stack.has(pipeline)) return;
    console.warn(`camera ${this.camera}: ${why}; starting over`);
    if (undecodable && pipeline.lastPictureAt === null) this.#offer.undecoded(codecFamily(pipeline.families), performance.now());
    this.#events.failed();
  }

  /** Begin again, with the picture shown kept until there is another. */
  freeze(): void {
    this.stack.freeze();
    this.#dropSound();
    this.#announced = null;
  }

  /** Nothing of any picture stays. */
  forget(): void {
    this.stack.forget();
    this.#dropSound();
    this.#prepared = this.#preparedSound = null;
    this.#stream = this.#announced = null;
  }
}

function hasSoundOf(pipeline: VideoPipeline): boolean {
  return pipeline.families.includes("+");
}
