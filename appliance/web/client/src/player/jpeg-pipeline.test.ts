// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jpegOf, pictureTime } from "../logic/jpeg";
import { WorkerDecoder, type Answer, type Decoded, type JpegDecoder, type Question } from "./jpeg-decoder";
import { JpegPipeline } from "./jpeg-pipeline";
import { picture } from "./testing";

class Bitmap {
  static open = 0;
  closed = false;
  constructor(readonly utc: number, readonly width = 640, readonly height = 360) {
    Bitmap.open += 1;
  }
  close(): void {
    if (!this.closed) Bitmap.open -= 1;
    this.closed = true;
  }
}

/** Decodes when it is told to, and at most one at a time. */
class Hand implements JpegDecoder {
  now: { data: ArrayBuffer; resolve: (d: Decoded) => void; reject: (e: Error) => void } | null = null;
  begun = 0;
  decode(data: ArrayBuffer): Promise<Decoded> {
    expect(this.now).toBeNull();
    this.begun += 1;
    return new Promise((resolve, reject) => {
      this.now = { data, resolve, reject };
    });
  }
  async done(size: readonly [number, number] = [640, 360]): Promise<void> {
    const one = this.now;
    this.now = null;
    if (one) one.resolve({ bitmap: new Bitmap(pictureTime(one.data)!, ...size) as unknown as ImageBitmap, data: one.data });
    await Promise.resolve();
    await Promise.resolve();
  }
  async fails(): Promise<void> {
    const one = this.now;
    this.now = null;
    one?.reject(new Error("no picture"));
    await Promise.resolve();
    await Promise.resolve();
  }
}

const T = 1_800_000_000_000;
let hand: Hand;
let log: string[];
let drawn: number[];
let pipeline: JpegPipeline;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(T + 500);
  Bitmap.open = 0;
  hand = new Hand();
  log = [];
  drawn = [];
  const context = { drawImage: (bitmap: Bitmap) => drawn.push(bitmap.utc - T) };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as unknown as RenderingContext);
  pipeline = new JpegPipeline(hand, {
    picture: () => log.push("picture"),
    arrived: () => log.push("arrived"),
    failed: (why) => log.push(`failed ${why}`),
    busy: () => log.push("busy"),
    blocked: () => log.push("blocked"),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a canvas of pictures", () => {
  it("shows one as it came, with its time, size and delay", async () => {
    const data = picture(T + 100);
    pipeline.push(data);
    expect(pipeline.lastPictureAt).toBeNull();
    await hand.done();
    expect(log).toEqual(["busy"]);
    pipeline.pump();
    expect(log).toEqual(["busy", "picture", "arrived"]);
    expect(drawn).toEqual([100]);
    expect([pipeline.element.width, pipeline.element.height]).toEqual([640, 360]);
    expect(pipeline.pictureUtc).toBe((T + 100) / 1000);
    expect(pipeline.delay).toBeCloseTo(0.4);
    expect(pipeline.shown).toBe(data);
    expect(Bitmap.open).toBe(0);
  });

  it("decodes one at a time, the newest next, and never shows an older one after a newer one", async () => {
    for (let i = 0; i < 5; i++) pipeline.push(picture(T + i));
    expect(hand.begun).toBe(1);
    await hand.done();
    pipeline.pump();
    await hand.done();
    pipeline.pump();
    expect(drawn).toEqual([0, 4]);
    expect(pipeline.takeReplaced()).toBe(3);
    expect(pipeline.takeReplaced()).toBe(0);
  });

  it("draws the newest when several were decoded between two frames, and closes the others", async () => {
    for (let i = 0; i < 3; i++) {
      pipeline.push(picture(T + i));
      await hand.done();
    }
    expect(Bitmap.open).toBe(1);
    pipeline.pump();
    pipeline.pump();
    expect(drawn).toEqual([2]);
    expect(pipeline.pictures).toBe(1);
    expect(Bitmap.open).toBe(0);
    expect(pipeline.takeReplaced()).toBe(2);
  });

  it("follows the size of the pictures", async () => {
    pipeline.push(picture(T));
    await hand.done();
    pipeline.pump();
    pipeline.push(picture(T + 1));
    await hand.done([1280, 720]);
    expect(pipeline.element.width).toBe(640);
    pipeline.pump();
    expect([pipeline.element.width, pipeline.element.height]).toEqual([1280, 720]);
  });

  it("passes over what is no picture, and begins again after three in a row", async () => {
    pipeline.push(new ArrayBuffer(3));
    pipeline.push(picture(T));
    await hand.fails();
    pipeline.push(picture(T + 1));
    await hand.done();
    pipeline.pump();
    expect(drawn).toEqual([1]);
    expect(log.filter((line) => line.startsWith("failed"))).toEqual([]);
    for (let i = 0; i < 3; i++) {
      pipeline.push(picture(T + 2 + i));
      await hand.fails();
    }
    expect(log.filter((line) => line.startsWith("failed"))).toHaveLength(1);
    expect(pipeline.lastPictureAt).not.toBeNull(); // what is shown stays
  });

  it("leaves nothing behind, not even what is being decoded", async () => {
    pipeline.push(picture(T));
    await hand.done();
    pipeline.push(picture(T + 1));
    pipeline.push(picture(T + 2));
    pipeline.dispose();
    await hand.done();
    pipeline.pump();
    pipeline.push(picture(T + 3));
    expect(Bitmap.open).toBe(0);
    expect(hand.begun).toBe(2);
    expect(drawn).toEqual([]);
    expect(pipeline.shown).toBeNull();
    expect(pipeline.element.width).toBe(0);
  });
});

describe("pictures that follow sound", () => {
  /** What is heard, in UTC milliseconds after T; null: nothing is. */
  let heard: number | null;
  let came: number[];

  /** A picture comes and, where it is its turn, is decoded; then an animation frame. */
  async function give(...times: number[]): Promise<void> {
    for (const time of times) {
      pipeline.push(picture(T + time));
      await hand.done();
    }
    await frame();
  }
  async function frame(): Promise<void> {
    pipeline.pump();
    await hand.done();
    pipeline.pump();
  }

  beforeEach(async () => {
    heard = null;
    came = [];
    pipeline.follow({
      get utc() {
        return heard === null ? null : (T + heard) / 1000;
      },
      came: (utc) => came.push(Math.round(utc * 1000 - T)),
    });
    await give(0);
    log.length = 0;
  });

  it("are drawn when it has come to them, each of them and in order", async () => {
    heard = 0;
    await give(300, 340, 380);
    expect(drawn).toEqual([0]);
    expect(log).toEqual([]); // nothing to do yet
    heard = 170;
    await frame();
    expect(log).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(log).toEqual(["busy"]); // the first has to be decoded now
    for (heard = 200; heard <= 400; heard += 10) await frame();
    expect(drawn).toEqual([0, 300, 340, 380]);
    expect(pipeline.takeReplaced()).toBe(0);
    expect(came).toEqual([0, 300, 340, 380]);
    expect(Bitmap.open).toBe(0);
    log.length = 0;
    await frame();
    expect(log).toEqual([]); // nothing waits any more
  });

  it("are decoded only shortly before: pictures take more memory than JPEG", async () => {
    heard = 0;
    for (let i = 1; i <= 12; i++) await give(i * 40);
    expect(Bitmap.open).toBeLessThanOrEqual(3);
    expect(hand.begun).toBeLessThanOrEqual(4);
  });

  it("are on the screen within a frame of their time: what is drawn is there with the next", async () => {
    heard = 0;
    await give(200);
    const at: number[] = [];
    for (heard = 0; heard < 300; heard += 16) {
      const before = drawn.length;
      await frame();
      if (drawn.length > before) at.push(heard - 200);
    }
    expect(at).toHaveLength(1);
    expect(Math.abs(at[0]! + 16)).toBeLessThanOrEqual(16);
  });

  it("are drawn at once where nothing is heard, and as soon as it stops", async () => {
    await give(100);
    expect(drawn).toEqual([0, 100]);
    heard = 0;
    await give(300, 340);
    expect(drawn).toEqual([0, 100]);
    heard = null;
    await frame();
    expect(drawn).toEqual([0, 100, 340]);
    expect(pipeline.takeReplaced()).toBe(0); // the device is not slow
    await give(380);
    expect(drawn).toEqual([0, 100, 340, 380]);
    expect(Bitmap.open).toBe(0);
  });

  it("do not wait for sound that is too far away, until it has come near", async () => {
    heard = 0;
    await give(900, 1040);
    expect(drawn).toEqual([0, 1040]);
    await give(1080);
    expect(drawn).toEqual([0, 1040, 1080]);
    heard = 400;
    await give(1120);
    await give(1160);
    expect(drawn).toEqual([0, 1040, 1080]);
  });

  it("that are late are drawn at once, the newest of them", async () => {
    heard = 1000;
    await give(500);
    await give(600, 640);
    expect(drawn).toEqual([0, 500, 640]);
  });

  it("that come again, or by a clock that went back, take the place of those that wait", async () => {
    heard = 0;
    await give(400, 440, 440, 420);
    for (; heard <= 500; heard += 10) await frame();
    expect(drawn).toEqual([0, 400, 420]);
  });

  it("are bounded in number, and gone when others follow or all ends", async () => {
    heard = 0;
    for (let i = 1; i <= 100; i++) pipeline.push(picture(T + 100 + i * 5));
    await frame();
    pipeline.flush();
    for (; heard <= 800; heard += 10) await frame();
    expect(drawn).toEqual([0]);
    heard = 0;
    await give(50, 60, 300);
    pipeline.dispose();
    await frame();
    expect(Bitmap.open).toBe(0);
  });
});

class FakeWorker {
  static made: FakeWorker[] = [];
  onmessage: ((event: { data: Answer }) => void) | null = null;
  onerror: (() => void) | null = null;
  terminated = false;
  readonly asked: Question[] = [];
  constructor() {
    FakeWorker.made.push(this);
  }
  postMessage(question: Question): void {
    this.asked.push(question);
  }
  terminate(): void {
    this.terminated = true;
  }
  answer(at: number): Bitmap {
    const { id, data } = this.asked[at]!;
    const bitmap = new Bitmap(pictureTime(data)!);
    this.onmessage?.({ data: { id, data, bitmap: bitmap as unknown as ImageBitmap, why: null } });
    return bitmap;
  }
}

describe("the decoder that all share", () => {
  const decoder = (): WorkerDecoder => new WorkerDecoder(() => new FakeWorker() as unknown as Worker);
  beforeEach(() => {
    FakeWorker.made = [];
    vi.stubGlobal("createImageBitmap", (blob: Blob) => Promise.resolve(new Bitmap(blob.size)));
  });

  it("keeps the pictures of several players apart", async () => {
    const shared = decoder();
    const [a, b] = [shared.decode(picture(T)), shared.decode(picture(T + 1))];
    expect(FakeWorker.made).toHaveLength(1);
    FakeWorker.made[0]!.answer(1);
    FakeWorker.made[0]!.answer(0);
    expect(((await a).bitmap as unknown as Bitmap).utc).toBe(T);
    expect(((await b).bitmap as unknown as Bitmap).utc).toBe(T + 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits five seconds for a picture, and closes one that comes later", async () => {
    const shared = decoder();
    const late = expect(shared.decode(picture(T))).rejects.toThrow("in time");
    vi.advanceTimersByTime(5000);
    await late;
    expect(FakeWorker.made[0]!.answer(0).closed).toBe(true);
  });

  it("goes on without a worker when that breaks, and where there is none", async () => {
    const shared = decoder();
    const lost = expect(shared.decode(picture(T))).rejects.toThrow("failed");
    FakeWorker.made[0]!.onerror?.();
    await lost;
    expect(FakeWorker.made[0]!.terminated).toBe(true);
    expect((await shared.decode(picture(T))).bitmap).toBeDefined();
    expect(FakeWorker.made).toHaveLength(1);

    const none = new WorkerDecoder(() => {
      throw new Error("refused");
    });
    expect((await none.decode(picture(T))).bitmap).toBeDefined();
  });
});

describe("what comes as a picture", () => {
  it("has a time and a JPEG in it, or is none", async () => {
    expect(pictureTime(picture(T + 7))).toBe(T + 7);
    expect(await jpegOf(picture(T, [1, 2])).arrayBuffer()).toEqual(new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2]).buffer);
    expect(pictureTime(new ArrayBuffer(0))).toBeNull();
    expect(pictureTime(new ArrayBuffer(64))).toBeNull();
    expect(pictureTime(picture(T).slice(0, 11))).toBeNull();
    expect(pictureTime(picture(2 ** 60))).toBeNull();
  });
});
