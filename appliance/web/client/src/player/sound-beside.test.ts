import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MediaSupport } from "./media-source";
import { LIVE, RECORDED, SoundBeside } from "./sound-beside";
import { FakeElement, fragmentAt, initSegment, SYNC, type FakeBuffer } from "./testing-media";

const INIT = initSegment(2, "soun");
const FRAME_S = 0.032;
/** One piece of sound at `seconds` of the run. */
function piece(seconds: number): ArrayBuffer {
  return fragmentAt(2, seconds, FRAME_S * 90000, SYNC);
}

const ZERO = 1_700_000_000;
const AAC = { mime: 'audio/mp4; codecs="mp4a.40.2"', utcZero: ZERO * 90_000 };
const MARGIN = 60;

class FakeAudio extends FakeElement {
  readyState = 4;
}

let audio: FakeAudio;
let sound: SoundBeside;
let log: string[];
let newest: number;

const buffer = (): FakeBuffer => audio.from.buffers[0]!;
/** The browser has done what it was told to. */
function appended(): void {
  while (buffer().updating) buffer().done();
}

/** Sound comes up to `until`, in seconds of the run, and is appended. */
function come(until: number): void {
  const begin = newest;
  while (newest + FRAME_S <= until) newest += FRAME_S;
  const end = newest + MARGIN;
  const range = buffer().list.at(-1);
  if (range && range.end >= end - 5) range.end = end;
  else buffer().list.push({ start: end - 1, end });
  for (let at = begin; at < newest - FRAME_S / 2; at += FRAME_S) sound.push(piece(at));
  appended();
}

function make(way = LIVE): void {
  audio = new FakeAudio();
  const support: MediaSupport = { available: true, managed: false, supported: () => true, create: () => audio.from as unknown as MediaSource };
  const events = { busy: () => undefined, failed: (why: string) => log.push(`failed ${why}`), changed: () => log.push(sound.heard ? "heard" : "silent") };
  sound = new SoundBeside(support, events, audio as unknown as HTMLAudioElement, way);
  expect(sound.start(AAC, INIT)).toBe(true);
  audio.from.open();
  sound.pump();
  appended();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  log = [];
  newest = 100;
  make();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** It plays, some way behind what came. */
async function playing(): Promise<void> {
  come(101);
  come(101.15);
  sound.control(performance.now());
  await Promise.resolve();
  expect(audio.paused).toBe(false);
  log.length = 0;
}
const behind = (): number => newest + MARGIN - audio.currentTime;

describe("sound beside pictures", () => {
  it("begins with a little in hand, near to the newest, and says what is heard in UTC", async () => {
    expect(sound.utc).toBeNull();
    come(101);
    expect(audio.muted).toBe(false);
    expect(Math.abs(behind() - 0.25)).toBeLessThan(0.02);
    sound.control(performance.now());
    await Promise.resolve();
    expect(audio.plays).toBe(1);
    expect(log).toEqual(["heard"]);
    expect(sound.utc).toBeCloseTo(ZERO - MARGIN + audio.currentTime, 3);
    expect(buffer().timestampOffset).toBe(MARGIN);
  });

  it("hurries when it is behind, jumps when it is far behind, and takes its time when it is too near", async () => {
    await playing();
    audio.currentTime = newest + MARGIN - 0.25;
    sound.control(performance.now());
    expect(audio.playbackRate).toBe(1);
    audio.currentTime = newest + MARGIN - 0.5;
    sound.control(performance.now());
    expect(audio.playbackRate).toBeGreaterThan(1);
    audio.currentTime = newest + MARGIN - 1.2;
    sound.control(performance.now());
    expect(behind()).toBeCloseTo(0.25, 2);
    audio.currentTime = newest + MARGIN - 0.15;
    sound.control(performance.now());
    expect(audio.playbackRate).toBeLessThan(1);
  });

  it("keeps as far back as pictures are late, up to half a second, and comes nearer when they are not any more", async () => {
    await playing();
    const edge = ZERO + newest;
    sound.came(edge - 0.3);
    audio.currentTime = newest + MARGIN - 0.42;
    sound.control(performance.now());
    expect(audio.playbackRate).toBe(1);
    sound.came(edge - 5);
    audio.currentTime = newest + MARGIN - 2;
    sound.control(performance.now());
    expect(behind()).toBeCloseTo(0.5, 2);
    for (let i = 0; i < 300; i++) sound.came(edge);
    sound.control(performance.now());
    expect(audio.playbackRate).toBeGreaterThan(1);
  });

  it("leads nobody while it stands, seeks, or has run dry", async () => {
    await playing();
    const begin = sound.utc!;
    vi.advanceTimersByTime(250); // some browsers say seldom where they are
    expect(sound.utc).toBeCloseTo(begin + 0.25 * audio.playbackRate, 3);
    vi.advanceTimersByTime(300);
    expect(sound.utc).toBeNull();
    audio.currentTime += 0.01;
    expect(sound.utc).not.toBeNull();
    audio.seeking = true;
    expect(sound.utc).toBeNull();
    audio.seeking = false;
    audio.readyState = 2;
    expect(sound.utc).toBeNull();
  });

  it("that has run dry goes back a little when more has come", async () => {
    await playing();
    vi.advanceTimersByTime(5000);
    audio.readyState = 2;
    audio.currentTime = newest + MARGIN - 0.01;
    sound.control(performance.now());
    expect(behind()).toBeCloseTo(0.01, 3); // nothing is said twice as long as nothing more comes
    come(newest + 0.05);
    expect(behind()).toBeCloseTo(0.3, 1); // more in hand than it began with
    expect(audio.paused).toBe(false);
    audio.currentTime = newest + MARGIN - 0.01;
    come(newest + 0.05);
    expect(behind()).toBeLessThan(0.1); // not again within a second
    vi.advanceTimersByTime(1000);
    come(newest + 0.05);
    expect(behind()).toBeCloseTo(0.35, 1);
    expect(audio.plays).toBe(1);
  });

  it("goes on behind a gap, as after a page was hidden", async () => {
    await playing();
    newest += 30;
    come(newest + 1);
    expect(Math.abs(behind() - 0.25)).toBeLessThan(0.02);
  });

  it("is played again where the browser paused it, as its element was moved", async () => {
    await playing();
    audio.currentTime = newest + MARGIN - 0.2;
    audio.pause();
    sound.control(performance.now());
    await Promise.resolve();
    expect(audio.paused).toBe(false);
  });

  it("that the browser refuses is silent, and does not ask again and again", async () => {
    audio.refusal = new DOMException("a tap, please", "NotAllowedError");
    come(101);
    sound.control(performance.now());
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < 5; i++) sound.control(performance.now());
    expect(audio.plays).toBe(1);
    expect(sound.heard).toBe(false);
    expect(sound.utc).toBeNull();
  });

  it("takes a later zero of time on its axis, and no earlier one", async () => {
    await playing();
    expect(sound.start({ ...AAC, utcZero: (ZERO + 500) * 90_000 }, INIT)).toBe(true);
    sound.pump();
    expect(buffer().timestampOffset).toBe(MARGIN + 500);
    expect(sound.start({ ...AAC, utcZero: (ZERO - 500) * 90_000 }, INIT)).toBe(false);
  });

  it("says that it cannot go on, and leaves nothing behind", async () => {
    await playing();
    sound.start(AAC, new ArrayBuffer(4));
    expect(log).toEqual(["failed the stream's header cannot be read"]);
    sound.dispose();
    expect([sound.heard, sound.utc, audio.src]).toEqual([false, null, ""]);
    sound.control(performance.now());
    expect(audio.paused).toBe(true);
  });
});

describe("recorded sound beside pictures", () => {
  const AHEAD_S = 0.35;
  /** As the server sends it: some time before its pictures, which go on from 100 on; `after` so many seconds. */
  function goOn(after: number, late = 0, begin = 100): void {
    const range = buffer().list.at(-1);
    const end = begin + after + AHEAD_S;
    if (!range || range.end < begin + MARGIN - 1) {
      buffer().list.push({ start: begin + MARGIN, end: end + MARGIN });
      newest = begin;
    }
    while (newest + FRAME_S <= end) {
      sound.push(piece(newest));
      newest += FRAME_S;
    }
    buffer().list.at(-1)!.end = newest + MARGIN;
    appended();
    sound.came(ZERO + begin + after - late);
    sound.control(performance.now());
  }
  /** Plays for so long, 25 pictures a second. */
  async function play(from: number, until: number, late = 0, begin = 100): Promise<void> {
    for (let after = from; after <= until + 0.001; after += 0.04) {
      goOn(after, late, begin);
      await Promise.resolve();
      vi.advanceTimersByTime(40);
      if (!audio.paused) audio.currentTime = Math.min(audio.currentTime + 0.04 * audio.playbackRate, buffer().list.at(-1)!.end);
    }
  }
  /** By how much what is heard is behind the newest picture. */
  const behindPictures = (after: number, begin = 100): number => begin + after - (sound.utc! - ZERO);

  beforeEach(() => make(RECORDED));

  it("begins with the first picture, and where that is", async () => {
    for (let at = 100; at < 100.3; at += FRAME_S) sound.push(piece(at));
    buffer().list = [{ start: 100 + MARGIN, end: 100.32 + MARGIN }];
    newest = 100.32;
    appended();
    sound.control(performance.now());
    expect([audio.currentTime, audio.plays]).toEqual([0, 0]);
    await play(0, 0.04);
    expect(audio.currentTime).toBeCloseTo(100 + MARGIN, 2);
    await play(0.08, 0.16);
    expect(audio.paused).toBe(false);
    expect(log).toEqual(["heard"]);
    await play(0.2, 2);
    expect(behindPictures(2)).toBeGreaterThan(0);
    expect(behindPictures(2)).toBeLessThan(0.2);
  });

  it("stays as far back as pictures are late on a slow network", async () => {
    await play(0, 3, 0.5);
    const behind = behindPictures(3);
    expect(behind).toBeGreaterThan(0.45);
    expect(behind).toBeLessThan(0.75);
  });

  it("waits until enough is there behind a piece that is missing", async () => {
    await play(0, 1);
    const rate = audio.playbackRate;
    const at = audio.currentTime;
    audio.readyState = 2; // it has come to the end of what there is
    goOn(0, 0, 110);
    expect(audio.currentTime).toBe(at);
    audio.readyState = 4;
    for (let after = 0.04; after < 0.2; after += 0.04) goOn(after, 0, 110);
    expect(audio.currentTime).toBeCloseTo(110 + MARGIN, 1);
    expect(rate).toBe(1);
  });
});
