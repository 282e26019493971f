/**
 * The picture above the pointer.  It is moved and written from outside Preact, as it follows the pointer; a grey box with
 * the time is there at once, and a picture only of that time.
 */

import type { ScrubSource } from "../../logic/timeline/contract";
import { ScrubPictures } from "../../logic/timeline/scrub";

export interface ScrubElements {
  readonly box: HTMLElement;
  readonly image: HTMLImageElement;
  readonly time: HTMLElement;
  readonly note: HTMLElement;
}

interface Shown {
  readonly camera: string;
  readonly at: number;
}

const WIDTH = 176;

export class ScrubPicture {
  readonly #pictures: ScrubPictures | null;
  #shown: Shown | null = null;

  constructor(
    private readonly elements: ScrubElements,
    source: ScrubSource | undefined,
  ) {
    this.#pictures = source ? new ScrubPictures(source, () => this.#refresh()) : null;
    elements.box.classList.toggle("bare", source === undefined);
  }

  /** `wanted`: the time whose picture is asked for; null where there is none. */
  show(x: number, room: number, camera: string, wanted: number | null, time: string, note: string, urgent: boolean): void {
    const { box, time: clock, note: below } = this.elements;
    const left = Math.round(Math.max(0, Math.min(room - WIDTH, x - WIDTH / 2)));
    box.style.transform = `translateX(${left}px)`;
    box.hidden = false;
    clock.textContent = time;
    below.textContent = note;
    below.classList.toggle("attn", urgent);
    this.#shown = wanted === null ? null : { camera, at: wanted };
    this.#refresh();
  }

  #refresh(): void {
    const { image, box } = this.elements;
    const found = this.#shown && !box.hidden ? (this.#pictures?.want(this.#shown.camera, this.#shown.at) ?? null) : null;
    const url = found?.url ?? null;
    image.hidden = url === null;
    if (url !== null && image.src !== url) image.src = url;
    if (this.#shown === null) this.#pictures?.leave();
  }

  hide(): void {
    this.elements.box.hidden = true;
    this.#shown = null;
    this.#pictures?.leave();
  }

  end(): void {
    this.elements.image.removeAttribute("src");
    this.#pictures?.end();
  }
}
