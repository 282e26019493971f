import { describe, expect, it } from "vitest";
import { EASE_RATE, HURRY_RATE, JUMP_TO, liveEdge, soundBounds, trim, type EdgeInput } from "./live-edge";

const calm: EdgeInput = { currentTime: 99.7, ranges: [{ start: 95, end: 100 }], edge: 100, rate: 1, sound: false };

describe("the live edge", () => {
  it("plays on when the newest picture is near", () => {
    expect(liveEdge(calm)).toMatchObject({ rate: 1, seek: null, discardFrom: null });
  });

  it("hurries above 0.8 s and calms down only below 0.4 s", () => {
    expect(liveEdge({ ...calm, currentTime: 99.15 }).rate).toBe(HURRY_RATE);
    expect(liveEdge({ ...calm, currentTime: 98.1 }).rate).toBeGreaterThan(1.15);
    expect(liveEdge({ ...calm, currentTime: 98.1, sound: true }).rate).toBe(1.1);
    expect(liveEdge({ ...calm, currentTime: 99.5, rate: HURRY_RATE }).rate).toBe(HURRY_RATE);
    expect(liveEdge({ ...calm, currentTime: 99.65, rate: HURRY_RATE }).rate).toBe(1);
    expect(liveEdge({ ...calm, currentTime: 99.5 }).rate).toBe(1);
  });

  it("lets a little collect when it is so near that every delay would show", () => {
    expect(liveEdge({ ...calm, currentTime: 99.95 }).rate).toBe(EASE_RATE);
    expect(liveEdge({ ...calm, currentTime: 99.8, rate: EASE_RATE }).rate).toBe(EASE_RATE);
    expect(liveEdge({ ...calm, currentTime: 99.74, rate: EASE_RATE }).rate).toBe(1);
    expect(liveEdge({ ...calm, currentTime: 99.8 }).rate).toBe(1);
  });

  it("makes up a second within six", () => {
    let behind = 1.9;
    let rate = 1;
    for (let t = 0; t < 6; t += 0.25) {
      rate = liveEdge({ ...calm, currentTime: 100 - behind, rate }).rate;
      behind -= 0.25 * (rate - 1);
    }
    expect(behind).toBeLessThan(1);
  });

  it("jumps above 2 s to 0.3 s before the end", () => {
    const { seek } = liveEdge({ ...calm, currentTime: 97 });
    expect(seek).toBeCloseTo(100 - JUMP_TO);
  });

  it("jumps over a gap as soon as there is something behind it", () => {
    const ranges = [{ start: 90, end: 96 }, { start: 97, end: 97.1 }];
    expect(liveEdge({ currentTime: 96, ranges, edge: 97.1, rate: 1, sound: false }).seek).toBeCloseTo(97.001);
    // still playing before the gap
    expect(liveEdge({ currentTime: 95.5, ranges, edge: 97.1, rate: 1, sound: false }).seek).toBeNull();
  });

  it("starts at the newest picture of the first burst, not at its beginning", () => {
    expect(liveEdge({ currentTime: 0, ranges: [{ start: 60, end: 64 }], edge: 64, rate: 1, sound: false }).seek).toBeCloseTo(63.7);
    expect(liveEdge({ currentTime: 0, ranges: [{ start: 60, end: 60.1 }], edge: 60.1, rate: 1, sound: false }).seek).toBeCloseTo(60.001);
  });

  it("waits, where it is to, until there is enough behind a gap", () => {
    const before = { currentTime: 9.5, rate: 1, sound: true };
    const at = (end: number): number | null => liveEdge({ ...before, ranges: [{ start: 0, end: 10 }, { start: 20, end }], edge: end }, soundBounds(0.45, 0.43)).seek;
    expect([at(20.03), at(20.4)]).toEqual([null, null]);
    expect(at(20.44)).toBeCloseTo(20.001, 3);
    expect(at(20.6)).toBeCloseTo(20.15, 3);
  });

  it("goes back with the stream's clock and throws away what lies ahead", () => {
    const ranges = [{ start: 20, end: 22 }, { start: 95, end: 100 }];
    const decision = liveEdge({ currentTime: 99.8, ranges, edge: 22, rate: 1, sound: false });
    expect(decision.seek).toBeCloseTo(21.7);
    expect(decision.discardFrom).toBeCloseTo(22.5);
  });

  it("does nothing before there is anything", () => {
    expect(liveEdge({ currentTime: 0, ranges: [], edge: null, rate: 1, sound: false }).seek).toBeNull();
    expect(liveEdge({ currentTime: 0, ranges: [{ start: 5, end: 6 }], edge: 4, rate: 1, sound: false }).seek).toBeNull();
  });

  it("never leaves the picture more than 2 s behind, whatever the network does", () => {
    // a play-out of ten minutes: bursts, stalls and gaps from a fixed pseudo-random sequence
    let seed = 7;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    let edge = 10;
    let time = 0;
    let rate = 1;
    let ranges = [{ start: 10, end: 10 }];
    for (let step = 0; step < 2400; step++) {
      if (random() < 0.02) ranges.push({ start: (edge += 3 * random()), end: edge });
      else if (random() > 0.1) edge += random() < 0.05 ? 2.5 : 0.25;
      ranges[ranges.length - 1]!.end = edge;
      ranges = ranges.slice(-4);
      const decision = liveEdge({ currentTime: time, ranges, edge, rate, sound: false });
      rate = decision.rate;
      time = decision.seek ?? time;
      expect(edge - time).toBeLessThanOrEqual(5.51); // before this step's decision could act
      if (decision.seek !== null) expect(edge - time).toBeLessThanOrEqual(JUMP_TO + 0.001);
      const range = ranges.find((r) => r.start <= time && time <= r.end);
      time = Math.min(time + 0.25 * rate, range?.end ?? time);
    }
  });
});

describe("trimming the buffer", () => {
  it("cuts only where decoding can start, two seconds behind the picture shown", () => {
    const ranges = [{ start: 90, end: 100 }];
    expect(trim(99.7, ranges, [90, 94, 98])).toBe(94);
    expect(trim(99.7, ranges, [90])).toBeNull();
    expect(trim(93, ranges, [90, 94])).toBeNull();
    expect(trim(0, [], [])).toBeNull();
  });

  it("waits until it is worth it, except when the browser is out of room", () => {
    const ranges = [{ start: 93.5, end: 100 }];
    expect(trim(99.7, ranges, [93.5, 94.5])).toBeNull();
    expect(trim(99.7, ranges, [93.5, 94.5, 98.5], true)).toBe(98.5);
  });
});
