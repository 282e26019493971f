import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StreamMessage } from "../logic/messages";
import { MediaBuffer } from "./media-buffer";
import type { MediaSupport } from "./media-source";
import { MsePipeline, type PipelineEvents } from "./pipeline";
import { FakeElement, FakeSource, fragmentAt, initSegment, NOT_SYNC, SYNC, type FakeBuffer } from "./testing-media";

const INIT = initSegment(1, "vide");
/** One picture of 40 ms at `seconds` of the run. */
function picture(seconds: number, key = false): ArrayBuffer {
  return fragmentAt(1, seconds, 3600, key ? SYNC : NOT_SYNC);
}
const STREAM: StreamMessage = {
  type: "stream", mode: "direct", mime: 'video/mp4; codecs="avc1.64001f"', stream: "main", width: 1280, height: 720, fps: 25,
  reason: null, utcZero: 1_700_000_000 * 90_000,
};
const EPOCH = 1_699_999_940;

class FakeVideo extends FakeElement {
  videoWidth = 1280;
  frame: ((now: number, data: object) => void) | null = null;
  requestVideoFrameCallback(callback: (now: number, data: object) => void): number {
    this.frame = callback;
    return 1;
  }
  cancelVideoFrameCallback(): void {
    this.frame = null;
  }
}

let source: FakeSource;
let video: FakeVideo;
let log: string[];
let pipeline: MsePipeline;

beforeEach(() => {
  vi.stubGlobal("document", { hidden: false });
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  source = new FakeSource();
  video = new FakeVideo(source);
  log = [];
  const events: PipelineEvents = {
    picture: () => log.push("picture"),
    arrived: () => log.push("arrived"),
    failed: (why) => log.push(`failed ${why}`),
    busy: () => undefined,
    blocked: (blocked) => log.push(`blocked ${blocked}`),
  };
  const support: MediaSupport = { available: true, managed: false, supported: () => true, create: () => source as unknown as MediaSource };
  pipeline = new MsePipeline(support, events, video as unknown as HTMLVideoElement);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const buffer = (): FakeBuffer => source.buffers[0]!;
/** Append everything that waits; the buffer then holds `list`. */
function settle(...list: { start: number; end: number }[]): void {
  for (let i = 0; i < 20; i++) {
    pipeline.pump();
    if (!buffer().updating) break;
    buffer().list = list;
    buffer().done();
  }
}

describe("the pipeline", () => {
  it("waits for its source, then appends once per frame what has come, on the page's axis", () => {
    pipeline.start(STREAM, EPOCH, INIT);
    pipeline.push(picture(100, true));
    pipeline.push(picture(100.04));
    pipeline.pump();
    expect(source.buffers).toHaveLength(0);
    source.open();
    pipeline.pump();
    pipeline.pump();
    const size = INIT.byteLength + 2 * picture(1).byteLength;
    expect(buffer().log).toEqual([`append ${size} at 60`]);
  });

  it("puts another run of the stream where its clock says, in the same buffer", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    pipeline.push(picture(100, true));
    pipeline.pump();
    buffer().done();
    pipeline.start({ ...STREAM, mime: 'video/mp4; codecs="avc1.640028"', utcZero: (1_700_000_000 + 100) * 90_000 }, EPOCH, INIT);
    pipeline.push(picture(1, true));
    pipeline.pump();
    expect(buffer().log.slice(1)).toEqual(['type video/mp4; codecs="avc1.640028"', `append ${INIT.byteLength + picture(1).byteLength} at 160`]);
  });

  it("never joins two headers in one append", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    pipeline.push(picture(1, true));
    pipeline.start(STREAM, EPOCH, INIT);
    pipeline.push(picture(1, true));
    pipeline.pump();
    buffer().done();
    pipeline.pump();
    expect(buffer().log).toHaveLength(2);
  });

  it("plays from 0.3 s before the newest picture", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    for (let i = 0; i < 50; i++) pipeline.push(picture(100 + i * 0.04, i === 0));
    settle({ start: 160, end: 162 });
    expect(video.currentTime).toBeCloseTo(161.7);
    expect(video.paused).toBe(false);
  });

  it("says when it has a picture, and when it has arrived at the live edge", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    for (let i = 0; i < 200; i++) pipeline.push(picture(100 + i * 0.04, i === 0));
    settle({ start: 160, end: 168 });
    video.currentTime = 161;
    for (let i = 1; i < 4; i++) video.frame?.(i * 40, { mediaTime: 161, presentedFrames: i });
    expect(log).toEqual(["picture"]);
    video.currentTime = 167.7;
    for (let i = 4; i < 8; i++) video.frame?.(i * 40, { mediaTime: 167.7, presentedFrames: i });
    expect(log).toEqual(["picture", "arrived"]);
    expect(pipeline.pictureUtc).toBeCloseTo(EPOCH + 167.7);
  });

  it("removes what is behind, cut where decoding can start", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    for (const t of [100, 102, 104, 106, 108]) pipeline.push(picture(t, true));
    settle({ start: 160, end: 168.04 });
    video.currentTime = 167.8;
    pipeline.push(picture(108.04));
    pipeline.pump();
    expect(buffer().log.at(-1)).toBe("remove 0 164");
  });

  it("makes room and goes on when the browser has none", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    for (const t of [100, 101, 102]) pipeline.push(picture(t, true));
    settle({ start: 160, end: 162.04 });
    video.currentTime = 162;
    buffer().full = true;
    pipeline.push(picture(102.04));
    pipeline.pump();
    expect(buffer().log.at(-1)).toBe("remove 0 162");
    buffer().list = [{ start: 162, end: 162.04 }];
    buffer().done();
    pipeline.pump();
    expect(buffer().log.at(-1)).toMatch(/^append/);
    expect(log).toEqual([]);
  });

  it("fails when there is no room to make", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    pipeline.push(picture(100, true));
    settle({ start: 160, end: 160.04 });
    buffer().full = true;
    pipeline.push(picture(100.04));
    pipeline.pump();
    expect(log.at(-1)).toMatch(/^failed.*full/);
  });

  it("fails on an error of the buffer or the element, once it matters", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    pipeline.pump();
    buffer().dispatchEvent(new Event("error"));
    expect(log).toHaveLength(1);
    pipeline.dispose();
    video.dispatchEvent(new Event("error"));
    expect(log).toHaveLength(1);
  });

  it("fails rather than grow without bound when the browser does not keep up", () => {
    pipeline.start(STREAM, EPOCH, INIT);
    for (let i = 0; i < 13; i++) pipeline.push(new ArrayBuffer(1 << 20));
    expect(log.at(-1)).toBe("failed the browser does not keep up");
  });

  it("cannot be fooled by a header that is none", () => {
    pipeline.start(STREAM, EPOCH, new ArrayBuffer(40));
    expect(log.at(-1)).toMatch(/^failed/);
  });

  it("jumps when the picture stands still, and fails when that does not help", () => {
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    for (let i = 0; i < 10; i++) pipeline.push(picture(100 + i * 0.04, i === 0));
    settle({ start: 160, end: 160.4 });
    video.frame?.(1000, { mediaTime: 160.1, presentedFrames: 1 });
    video.frame?.(1040, { mediaTime: 160.1, presentedFrames: 2 });
    video.currentTime = 160.1;
    for (let now = 1250; now < 4000; now += 250) pipeline.control(now);
    expect(video.currentTime).toBe(160.1);
    for (let now = 4000; now < 4600; now += 250) pipeline.control(now);
    expect(video.currentTime).toBeCloseTo(160.3);
    video.currentTime = 160.1;
    for (let now = 4600; now < 7500; now += 250) pipeline.control(now);
    expect(log.at(-1)).toBe("failed the picture stands still");
  });

  it("says when the browser wants a tap, and plays without sound where only sound is refused", async () => {
    video.refusal = new DOMException("no", "NotAllowedError");
    video.muted = false;
    source.open();
    pipeline.start(STREAM, EPOCH, INIT);
    video.muted = false; // as after a stream with sound
    pipeline.push(picture(100, true));
    settle({ start: 160, end: 160.04 });
    await Promise.resolve();
    await Promise.resolve();
    expect(video.muted).toBe(true);
    pipeline.control(5000);
    await Promise.resolve();
    await Promise.resolve();
    expect(log).toContain("blocked true");
  });
});

describe("what feeds a buffer", () => {
  it("tells of each picture, and of a change only when no other has begun meanwhile", () => {
    const [from, seen, changes]: [FakeSource, number[], number[]] = [new FakeSource(), [], []];
    const element = new FakeVideo();
    const media = new MediaBuffer(
      { available: true, managed: false, supported: () => true, create: () => from as unknown as MediaSource },
      element as unknown as HTMLVideoElement,
      {
        busy: () => undefined,
        failed: (why) => expect.fail(why),
        updated: () => changes.push(seen.length),
        cut: () => null,
        pictures: (pictures) => seen.push(...pictures.map((p) => p.start)),
      },
    );
    from.open();
    media.start(STREAM.mime, 100, INIT);
    media.push(picture(1, true));
    media.pump();
    media.pump();
    const [fed] = from.buffers;
    fed!.done();
    media.push(picture(1.04));
    fed!.updating = false;
    media.pump(); // an animation frame, before the event of what has ended
    fed!.dispatchEvent(new Event("updateend"));
    expect([seen, changes]).toEqual([[101, 101.04], [1]]);
    fed!.done();
    expect(changes).toEqual([1, 2]);
  });
});
