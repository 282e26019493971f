/** Pictures out of JPEG, in a worker that all players share; on the page's own thread where there can be none. */

import { jpegOf } from "../logic/jpeg";

export interface Question {
  readonly id: number;
  /** With its time before it (`logic/jpeg`). */
  readonly data: ArrayBuffer;
}

export interface Answer extends Question {
  readonly bitmap: ImageBitmap | null;
  readonly why: string | null;
}

export interface Decoded {
  readonly bitmap: ImageBitmap;
  readonly data: ArrayBuffer;
}

export interface JpegDecoder {
  /** Takes `data` over and hands it back with the picture.  Rejects when it is none, or not in time. */
  decode(data: ArrayBuffer): Promise<Decoded>;
}

interface Waiting {
  readonly resolve: (decoded: Decoded) => void;
  readonly reject: (why: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

const WITHIN_MS = 5000;

async function decodeHere(data: ArrayBuffer): Promise<Decoded> {
  return { bitmap: await createImageBitmap(jpegOf(data)), data };
}

export class WorkerDecoder implements JpegDecoder {
  readonly #waiting = new Map<number, Waiting>();
  readonly #make: () => Worker;
  /** Undefined before the first picture, null where workers do not work. */
  #worker: Worker | null | undefined;
  #last = 0;

  constructor(make: () => Worker) {
    this.#make = make;
  }

  decode(data: ArrayBuffer): Promise<Decoded> {
    const worker = (this.#worker ??= this.#worker === null ? null : this.#start());
    if (!worker) return decodeHere(data);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error("the picture was not decoded in time"));
      }, WITHIN_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      worker.postMessage({ id, data } satisfies Question, [data]);
    });
  }

  dispose(): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const waiting of this.#waiting.values()) clearTimeout(waiting.timer);
    this.#waiting.clear();
  }

  #start(): Worker | null {
    try {
      const worker = this.#make();
      worker.onmessage = (event: MessageEvent<Answer>) => this.#answered(event.data);
      worker.onerror = () => this.#failed();
      return worker;
    } catch {
      return null;
    }
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (!waiting) {
      answer.bitmap?.close(); // too late: nobody waits for it
      return;
    }
    clearTimeout(waiting.timer);
    if (answer.bitmap) waiting.resolve({ bitmap: answer.bitmap, data: answer.data });
    else waiting.reject(new Error(answer.why ?? ""));
  }

  /** It could not be loaded, or broke: from here on without it. */
  #failed(): void {
    this.#worker?.terminate();
    this.#worker = null;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of all) {
      clearTimeout(waiting.timer);
      waiting.reject(new Error("the worker that decodes pictures has failed"));
    }
  }
}
