/**
 * One canvas fed with JPEG (ui.md §19.6): at most one picture being decoded, the newest one waiting replaces older ones,
 * and they are drawn in the order in which they came, one an animation frame.
 */

import { pictureTime } from "../logic/jpeg";
import { JPEG } from "../logic/messages";
import type { JpegDecoder } from "./jpeg-decoder";
import type { PicturePipeline, PipelineEvents } from "./pipeline";

/** So many pictures in a row that are none, and the stream is begun again. */
const BROKEN = 3;

interface Ready {
  readonly bitmap: ImageBitmap;
  readonly data: ArrayBuffer;
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
  #waiting: ArrayBuffer | null = null;
  #decoding = false;
  #ready: Ready | null = null;
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

  push(data: ArrayBuffer): void {
    if (this.#disposed) return;
    if (pictureTime(data) === null) {
      this.#notAPicture("it is no JPEG");
      return;
    }
    if (this.#waiting) this.#replaced += 1;
    this.#waiting = data;
    this.#decode();
  }

  #decode(): void {
    const data = this.#waiting;
    if (!data || this.#decoding || this.#disposed) return;
    this.#waiting = null;
    this.#decoding = true;
    const era = this.#era;
    this.#decoder.decode(data).then(
      (decoded) => {
        this.#decoding = false;
        if (this.#disposed || era !== this.#era) {
          decoded.bitmap.close();
          this.#decode();
          return;
        }
        this.#broken = 0;
        if (this.#ready) {
          this.#ready.bitmap.close();
          this.#replaced += 1;
        }
        this.#ready = decoded;
        this.#events.busy();
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

  /** What has come and is not shown yet will not be: other pictures follow. */
  flush(): void {
    this.#era += 1;
    this.#waiting = null;
    this.#ready?.bitmap.close();
    this.#ready = null;
  }

  #notAPicture(why: string): void {
    this.#broken += 1;
    if (this.#broken === BROKEN) this.#events.failed(`the pictures cannot be decoded: ${why}`, false);
  }

  pump(): void {
    const ready = this.#ready;
    if (!ready || this.#disposed) return;
    this.#ready = null;
    const { bitmap, data } = ready;
    const canvas = this.element;
    // a canvas whose size is set is empty, and must not be seen so: drawn within the same frame
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    this.#context?.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#shown = data;
    const utc = (pictureTime(data) ?? 0) / 1000;
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
    this.#ready?.bitmap.close();
    this.#ready = this.#waiting = this.#shown = null;
    this.element.remove();
    this.element.width = this.element.height = 0; // frees its memory at once
  }
}
