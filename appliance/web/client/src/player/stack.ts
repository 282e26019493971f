/**
 * The element of a camera and the pipelines in it: one that is shown, and behind it one that fills until it can take
 * over, so that nothing turns black in between.
 */

import type { Pipeline } from "./pipeline";

/** A picture to draw elsewhere. */
export interface Shown {
  readonly source: HTMLVideoElement | HTMLCanvasElement;
  readonly width: number;
  readonly height: number;
}

/** So wide is a picture kept at most. */
const FROZEN_WIDTH = 1920;

interface AnyMember {
  readonly kind: "direct" | "transcoded";
  readonly element: HTMLVideoElement | HTMLCanvasElement;
  readonly lastPictureAt: number | null;
  dispose(): void;
}

export class Stack<P extends AnyMember = Pipeline> {
  readonly element: HTMLDivElement;
  readonly #canvas: HTMLCanvasElement;
  #current: P | null = null;
  #spare: P | null = null;

  constructor() {
    this.element = document.createElement("div");
    this.element.className = "player";
    this.#canvas = document.createElement("canvas");
    this.#canvas.hidden = true;
    this.element.append(this.#canvas);
  }

  get current(): P | null {
    return this.#current;
  }

  get spare(): P | null {
    return this.#spare;
  }

  /** The one that what comes belongs to. */
  get newest(): P | null {
    return this.#spare ?? this.#current;
  }

  both(): P[] {
    return [this.#current, this.#spare].filter((pipeline) => pipeline !== null);
  }

  has(pipeline: P): boolean {
    return pipeline === this.#current || pipeline === this.#spare;
  }

  add(pipeline: P): void {
    this.dropSpare();
    if (this.#current) this.#spare = pipeline;
    else this.#current = pipeline;
    // behind the picture shown until it has one of its own
    this.element.prepend(pipeline.element);
  }

  dropSpare(): void {
    this.#spare?.dispose();
    this.#spare = null;
  }

  /** The second one is ready: the first one goes.  Whether it was the second. */
  takeOver(pipeline: P): boolean {
    if (pipeline !== this.#spare) return false;
    this.#current?.dispose();
    this.#current = pipeline;
    this.#spare = null;
    return true;
  }

  /** The current one has a picture: the one that was kept is not needed. */
  unfreeze(): void {
    this.#canvas.hidden = true;
    this.#canvas.width = this.#canvas.height = 0;
  }

  /** Keep the picture shown on a canvas, and take both pipelines away. */
  freeze(): void {
    const { shown } = this;
    if (shown) {
      const scale = Math.min(1, FROZEN_WIDTH / shown.width);
      this.#canvas.width = Math.round(shown.width * scale);
      this.#canvas.height = Math.round(shown.height * scale);
      try {
        this.#canvas.getContext("2d")?.drawImage(shown.source, 0, 0, this.#canvas.width, this.#canvas.height);
        this.#canvas.hidden = false;
      } catch {
        this.#canvas.hidden = true; // an element in error may have no picture left to copy
      }
    }
    this.#clear();
  }

  /** Nothing of any picture stays. */
  forget(): void {
    this.#clear();
    this.unfreeze();
  }

  #clear(): void {
    this.dropSpare();
    this.#current?.dispose();
    this.#current = null;
  }

  /** Whether the picture shown is an old one: it is dimmed then. */
  dim(how: "" | "waiting" | "lost"): void {
    if (this.element.dataset["dim"] !== how) this.element.dataset["dim"] = how;
  }

  /** The picture shown; null if there is none. */
  get shown(): Shown | null {
    const current = this.#current;
    if (!current || current.lastPictureAt === null) return null;
    const source = current.element;
    const [width, height] = "videoWidth" in source ? [source.videoWidth, source.videoHeight] : [source.width, source.height];
    return width > 0 ? { source, width, height } : null;
  }
}
