import { describe, expect, it } from "vitest";
import { RecordingGaps } from "./gaps";
import { instant, parsePlayback, ticksOf } from "./messages";
import { correction, slowest } from "./pace";
import { Pictures } from "./pictures";

const P = 3600; // ticks of a picture at 25 a second
const run = (first: number, count: number): { start: number; end: number }[] =>
  Array.from({ length: count }, (_, i) => ({ start: (first + i) * P, end: (first + i + 1) * P }));

describe("messages of the playback socket", () => {
  it("are read, with the command that they answer", () => {
    const stream = { type: "stream", id: 3, mode: "direct", mime: 'video/mp4; codecs="avc1.64001f"', stream: "main", width: 1280, height: 720, fps: 25, reason: null, utc_zero: 9 };
    expect(parsePlayback(JSON.stringify(stream))).toMatchObject({ id: 3, mode: "direct", utcZero: 9 });
    expect(parsePlayback('{"type":"position","id":4,"utc_ms":1000,"state":"paused","speed":-2}')).toEqual({ type: "position", id: 4, utcMs: 1000, state: "paused", speed: -2 });
    expect(parsePlayback('{"type":"gap","id":4,"from":1000,"to":null}')).toEqual({ type: "gap", id: 4, from: 1000, to: null });
    expect(parsePlayback('{"type":"status","state":"waiting","reason":"no_recording","previous":null,"next":5}')).toMatchObject({ reason: "no_recording", next: 5, previous: null, id: null });
  });
  it("are ignored when they are not understood", () => {
    for (const text of [
      "", "[]", '{"type":"stream","mode":"transcoded","stream":"main"}', '{"type":"position","id":-1,"utc_ms":1,"state":"paused"}',
      '{"type":"position","id":1,"utc_ms":1,"state":"fine"}', '{"type":"gap","id":1}', '{"type":"gap","id":1.5,"from":1}', '{"type":"status","state":"lost"}', '{"type":"news"}',
    ]) expect(parsePlayback(text), text).toBeNull();
  });
  it("name an instant that is never before it", () => {
    // 1/90 000 s is 11.1 µs: what is cut off would be the picture before
    for (const ticks of [0, 1, 7, 161_999_999_999_999, ticksOf(1_795_000_000_123.4)]) {
      const text = instant(ticks);
      const micros = Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, 26));
      expect(Math.floor((micros * 9) / 100)).toBe(ticks);
    }
    expect(instant(ticksOf(Date.UTC(2026, 2, 12, 14, 18, 36, 240)))).toBe("2026-03-12T14:18:36.240000Z");
  });
});

describe("the pictures that are there", () => {
  it("are found by times that are told cut to milliseconds", () => {
    const first = ticksOf(1_795_000_000_888) + 41;
    const pictures = new Pictures();
    pictures.add([{ start: first, end: first + 3600 }, { start: first + 3600, end: first + 7200 }], false);
    const at = (ticks: number): number | undefined => pictures.at(ticks)?.start;
    expect([at(first - 41), at(first - 40), at(first), at(first + 3600 - 41), at(first + 3600 - 1)]).toEqual([first, undefined, first, first + 3600, first]);
    expect(pictures.neighbour(first - 41, 1)?.start).toBe(first + 3600);
  });
  it("are found by the instant, to the tick", () => {
    const pictures = new Pictures();
    pictures.add(run(10, 5), false);
    expect(pictures.at(10 * P - 1)).toBeNull();
    expect(pictures.at(10 * P)?.start).toBe(10 * P);
    expect(pictures.at(11 * P - 1)?.start).toBe(10 * P);
    expect(pictures.at(15 * P)).toBeNull();
    expect(pictures.neighbour(12 * P, 1)?.start).toBe(13 * P);
    expect(pictures.neighbour(12 * P + 5, -1)?.start).toBe(11 * P);
    expect([pictures.neighbour(14 * P, 1), pictures.neighbour(10 * P, -1)]).toEqual([null, null]);
  });
  it("come in decoding order and stand in theirs", () => {
    const pictures = new Pictures();
    const [a, b, c] = run(0, 3);
    pictures.add([a!, c!, b!], false);
    expect(pictures.neighbour(0, 1)?.start).toBe(P);
    const single = new Pictures();
    for (const [i, n] of [0, 3, 1, 2, 6, 4, 5].entries()) single.add(run(n, 1), i > 0);
    for (let i = 0; i < 6; i++) expect(single.neighbour(i * P, 1)?.start, String(i)).toBe((i + 1) * P);
    for (let i = 6; i > 0; i--) expect(single.neighbour(i * P, -1)?.start, String(i)).toBe((i - 1) * P);
  });
  it("follow each other over fragments and gaps of one stream, and not over what was jumped over", () => {
    const pictures = new Pictures();
    pictures.add(run(0, 2), false);
    pictures.add(run(2, 2), true);
    expect(pictures.neighbour(P, 1)?.start).toBe(2 * P);
    pictures.add(run(1000, 2), true); // the next that was recorded
    expect(pictures.neighbour(3 * P, 1)?.start).toBe(1000 * P);
    expect(pictures.at(500 * P)).toBeNull();
    pictures.add(run(500, 2), false); // fetched for itself, in between
    expect(pictures.neighbour(3 * P, 1)).toBeNull();
    expect(pictures.neighbour(501 * P, 1)).toBeNull();
    expect(pictures.neighbour(1000 * P, -1)).toBeNull();
  });
  it("that come once more keep their places", () => {
    const pictures = new Pictures();
    pictures.add(run(0, 10), false);
    pictures.add(run(4, 3), false);
    expect(pictures.length).toBe(10);
    for (let i = 0; i < 9; i++) expect(pictures.neighbour(i * P, 1)?.start, String(i)).toBe((i + 1) * P);
  });
  it("stay on screen over a hole, and are forgotten with the buffer", () => {
    const pictures = new Pictures();
    pictures.add(run(0, 2), false);
    pictures.add(run(10, 2), true);
    expect(pictures.at(5 * P)?.start).toBe(P);
    pictures.keep([{ start: 0, end: 0.04 }, { start: 0.4, end: 0.48 }]);
    expect(pictures.length).toBe(3);
    expect(pictures.neighbour(0, 1)).toBeNull();
    expect(pictures.neighbour(10 * P, 1)?.start).toBe(11 * P);
  });
});

describe("keeping in step", () => {
  it("goes by the slowest, whichever way it goes", () => {
    expect([slowest([3, 1, 2], 1), slowest([3, 1, 2], -4), slowest([], 1)]).toEqual([1, 3, null]);
  });
  it("leaves small differences, changes the speed for larger ones, and jumps over the largest", () => {
    expect(correction(0.03, 1, 1)).toEqual({ factor: 1, seek: false });
    expect(correction(0.06, 1, 1)).toEqual({ factor: 0.95, seek: false });
    expect(correction(-0.06, 1, 1)).toEqual({ factor: 1.05, seek: false });
    expect(correction(0.6, 1, 1).seek).toBe(true);
    // until it is all but gone, and not to and fro
    expect(correction(0.02, 1, 0.95).factor).toBe(0.95);
    expect(correction(0.005, 1, 0.95).factor).toBe(1);
    expect(correction(-0.02, 1, 0.95).factor).toBe(1);
    // at twice the speed twice the recording goes by
    expect(correction(0.06, 2, 1)).toEqual({ factor: 1, seek: false });
    expect(correction(0.1, 0.5, 1).factor).toBe(0.95);
  });
});

describe("gaps of a recording", () => {
  const gap = { type: "gap", id: 1, from: 10_000, to: 250_000 } as const;
  const told = (to: number | null): RecordingGaps => {
    const gaps = new RecordingGaps();
    gaps.expect({ ...gap, to });
    return gaps;
  };

  it("are come to where they are, and jumped over when there is somewhere to land", () => {
    const gaps = told(gap.to);
    expect([gaps.end(9000, "skip", false), gaps.end(9000, "skip", true)]).toEqual(["wait", "on"]); // another piece, no gap
    expect([gaps.end(9960, "skip", false), gaps.skipped.get()]).toEqual(["wait", null]);
    expect([gaps.end(9960, "skip", true), gaps.skipped.get(), gaps.absent]).toEqual(["on", gap, null]);
  });
  it("are stood in where they are played, or have no end", () => {
    const gaps = told(gap.to);
    expect([gaps.end(9960, "play", true), gaps.absent]).toEqual([gap, { previous: 10_000, next: 250_000 }]);
    const endless = told(null);
    expect([endless.end(9960, "skip", true), endless.absent]).toEqual([{ ...gap, to: null }, { previous: 10_000, next: null }]);
    endless.reset();
    expect([endless.absent, endless.end(9960, "skip", true)]).toEqual([null, "on"]);
  });
  it("come, in reverse, end first", () => {
    const gaps = new RecordingGaps();
    expect([gaps.enter({ ...gap, from: 250_000, to: 10_000 }, "play"), gaps.absent]).toEqual([true, { previous: 10_000, next: 250_000 }]);
  });
  it("are not what the end of all is", () => {
    const gaps = told(gap.to);
    gaps.over = true;
    expect([gaps.end(9960, "skip", true), gaps.ended]).toEqual(["ended", true]);
  });
});
