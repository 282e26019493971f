/**
 * One canvas fed with JPEG (ui.md §19.6): at most one picture being decoded, the newest one waiting replaces older ones,
 * and they are drawn in the order in which they came, one an animation frame.
 *
 * Where sound goes with them, each waits until the sound has come to it, as JPEG, and is decoded shortly before: for a
 * second at most.  Where there is no sound, or it stands or is further away, all are drawn as soon as they are there.
 */

import { pictureTime } from "../logic/jpeg";
import { JPEG } from "../logic/messages";
import type { JpegDecoder } from "./jpeg-decoder";
import type { PicturePipeline, PipelineEvents } from "./pipeline";
import type { Lead } from "./sound-beside";

/** So many pictures in a row that are none, and the stream is begun again. */
const BROKEN = 3;
/** Pictures that come further ahead of the sound are not held back for it, until they come nearer than … */
const FAR_S = 1;
const NEAR_S = 0.75;
const MOST_HELD = 32;
/** So much before its time it is decoded … */
const DECODE_AHEAD_S = 0.1;
/** … and drawn: half of an animation frame, and the one that it takes until what is drawn is on the screen. */
const DRAW_AHEAD_S = 0.025;
/** So much before that, animation frames are asked for. */
const FRAME_S = 0.017;
const LONGEST_NAP_MS = 100;

interface Held {
  readonly data: ArrayBuffer;
  /** UTC seconds. */
  readonly utc: number;
  /** Sound led when it came: that it is passed over is the sound's doing, and not that the device is slow. */
  readonly led: boolean;
}

interface Ready extends Held {
  readonly bitmap: ImageBitmap;
}

export class JpegPipeline implements PicturePipeline {
  readonly kind = "transcoded";
  readonly element: HTMLCanvasElement;
  readonly families = JPEG;
  lastPictureAt: number | null = null;
  pictureUtc: number | null = null;
  delay: number | null = null;
  pictures = 0;
  readonly behind = 0;

  readonly #events: PipelineEvents;
  readonly #decoder: JpegDecoder;
  readonly #context: CanvasRenderingContext2D | null;
  #lead: Lead | null = null;
  /** The sound is too far away. */
  #apart = false;
  #nap: ReturnType<typeof setTimeout> | null = null;
  /** Whose time has not come, in order. */
  #held: Held[] = [];
  #waiting: Held | null = null;
  #decoding = false;
  /** Decoded, in order: more than one only where the sound leads. */
  #ready: Ready[] = [];
  #shown: ArrayBuffer | null = null;
  #replaced = 0;
  #broken = 0;
  /** Counts what pictures belong to. */
  #era = 0;
  #disposed = false;

  constructor(decoder: JpegDecoder, events: PipelineEvents) {
    this.#decoder = decoder;
    this.#events = events;
    this.element = document.createElement("canvas");
    this.element.className = "pictures";
    this.#context = this.element.getContext("2d", { alpha: false });
  }

  follow(lead: Lead): void {
    this.#lead = lead;
  }

  push(data: ArrayBuffer): void {
    if (this.#disposed) return;
    const time = pictureTime(data);
    if (time === null) {
      this.#notAPicture("it is no JPEG");
      return;
    }
    const utc = time / 1000;
    this.#meet(utc);
    // the same again, in another size perhaps, or a clock that went back: it is this one that counts
    while ((this.#held.at(-1)?.utc ?? -Infinity) >= utc) this.#held.pop();
    this.#held.push({ data, utc, led: this.#clock !== null });
    if (this.#held.length > MOST_HELD) this.#held.shift();
    this.#advance();
    this.#wake();
  }

  /** There is something to do with the next animation frame, or some time before the next picture is due. */
  #wake(): void {
    if (this.#nap !== null) clearTimeout(this.#nap);
    this.#nap = null;
    if (this.#disposed) return;
    const at = Math.min((this.#ready[0]?.utc ?? Infinity) - DRAW_AHEAD_S, (this.#held[0]?.utc ?? Infinity) - DECODE_AHEAD_S);
    if (at === Infinity) return;
    const clock = this.#clock;
    const ahead = clock === null ? 0 : at - clock - FRAME_S;
    if (ahead <= 0) this.#events.busy();
    else this.#nap = setTimeout(() => this.#events.busy(), Math.min(LONGEST_NAP_MS, ahead * 1000));
  }

  /** A picture has come. */
  #meet(utc: number): void {
    this.#lead?.came(utc);
    const clock = this.#lead?.utc ?? null;
    if (clock !== null) this.#apart = utc - clock > (this.#apart ? NEAR_S : FAR_S);
  }

  /** UTC seconds of the sound that leads. */
  get #clock(): number | null {
    return this.#apart ? null : (this.#lead?.utc ?? null);
  }

  /** Whether the time of a picture has come, or is as near as `ahead`. */
  #isDue(utc: number, ahead: number): boolean {
    const clock = this.#clock;
    // the first one shows that there is a picture at all
    return clock === null || this.lastPictureAt === null || utc - clock <= ahead;
  }

  /** The newest whose time comes is decoded next. */
  #advance(): void {
    let due = this.#held.length - 1;
    while (due >= 0 && !this.#isDue(this.#held[due]?.utc ?? 0, DECODE_AHEAD_S)) due -= 1;
    const next = this.#held[due];
    if (next) {
      this.#replaced += Number(this.#waiting !== null); // for as long as another was decoded
      this.#held.splice(0, due + 1);
      this.#waiting = next;
    }
    this.#decode();
  }

  #decode(): void {
    const waiting = this.#waiting;
    if (!waiting || this.#decoding || this.#disposed) return;
    this.#waiting = null;
    this.#decoding = true;
    const era = this.#era;
    this.#decoder.decode(waiting.data).then(
      (decoded) => {
        this.#decoding = false;
        if (this.#disposed || era !== this.#era) {
          decoded.bitmap.close();
          this.#decode();
          return;
        }
        this.#broken = 0;
        this.#ready.push({ ...waiting, ...decoded });
        this.#passOver();
        this.#wake();
        this.#decode();
      },
      (error: unknown) => {
        this.#decoding = false;
        if (this.#disposed) return;
        this.#notAPicture(String(error));
        this.#decode();
      },
    );
  }

  /** Of those that could be drawn now only the newest is. */
  #passOver(): void {
    let due = this.#ready.length - 1;
    while (due > 0 && !this.#isDue(this.#ready[due]?.utc ?? 0, DRAW_AHEAD_S)) due -= 1;
    if (due <= 0) return;
    for (const { bitmap, led } of this.#ready.splice(0, due)) {
      bitmap.close();
      if (!led) this.#replaced += 1;
    }
  }

  /** What has come and is not shown yet will not be: other pictures follow. */
  flush(): void {
    this.#era += 1;
    this.#forget();
  }

  #forget(): void {
    this.#waiting = null;
    for (const { bitmap } of this.#ready) bitmap.close();
    this.#held = [];
    this.#ready = [];
    if (this.#nap !== null) clearTimeout(this.#nap);
    this.#nap = null;
  }

  #notAPicture(why: string): void {
    this.#broken += 1;
    if (this.#broken === BROKEN) this.#events.failed(`the pictures cannot be decoded: ${why}`, false);
  }

  pump(): void {
    if (this.#disposed) return;
    this.#advance();
    this.#passOver();
    const next = this.#ready[0];
    if (next && this.#isDue(next.utc, DRAW_AHEAD_S)) {
      this.#ready.shift();
      this.#draw(next);
    }
    this.#wake();
  }

  #draw({ bitmap, data, utc }: Ready): void {
    const canvas = this.element;
    // a canvas whose size is set is empty, and must not be seen so: drawn within the same frame
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    this.#context?.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#shown = data;
    const first = this.lastPictureAt === null;
    this.lastPictureAt = performance.now();
    this.pictureUtc = utc;
    this.delay = Date.now() / 1000 - utc;
    this.pictures += 1;
    if (!first) return;
    this.#events.picture();
    this.#events.arrived();
  }

  /** Pictures left out since this was last asked, because newer ones had come. */
  takeReplaced(): number {
    const replaced = this.#replaced;
    this.#replaced = 0;
    return replaced;
  }

  /** The picture shown, as it came. */
  get shown(): ArrayBuffer | null {
    return this.#shown;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#forget();
    this.#shown = null;
    this.element.remove();
    this.element.width = this.element.height = 0; // frees its memory at once
  }
}
