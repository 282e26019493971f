import { describe, expect, it } from "vitest";
import { centred, follow, Inertia, spanOf, timeOf, within, xOf, zoomAbout, zoomTo, type Axis } from "./axis";
import { clip, firstAfter, holds, length, missing, normalise } from "./spans";
import { DAY, HOUR, MINUTE } from "./zone";

const AXIS: Axis = { from: 1_000_000, msPerPx: 1000, left: 148, width: 1000 };

describe("the axis", () => {
  it("turns time into pixels and back", () => {
    expect(xOf(AXIS, 1_000_000)).toBe(148);
    expect(xOf(AXIS, 1_500_000)).toBe(648);
    for (const x of [0, 148, 700.25]) expect(xOf(AXIS, timeOf(AXIS, x))).toBeCloseTo(x, 6);
  });
  it("zooms about the pointer: what is below it stays there, at any zoom from a second to a year", () => {
    for (let factor = 1e-6; factor < 1e6; factor *= 7) {
      const zoomed = zoomAbout(AXIS, 400, factor);
      expect(timeOf(zoomed, 400)).toBeCloseTo(timeOf(AXIS, 400), 3);
      const { from, to } = spanOf(zoomed);
      expect(to - from).toBeGreaterThanOrEqual(999);
      expect(to - from).toBeLessThanOrEqual(366 * DAY + 1);
    }
    expect(spanOf(zoomTo(AXIS, 400, HOUR)).to - spanOf(zoomTo(AXIS, 400, HOUR)).from).toBeCloseTo(HOUR, 3);
  });
  it("comes back when zoomed in and out", () => {
    const back = zoomAbout(zoomAbout(AXIS, 300, 3), 300, 1 / 3);
    expect(back.from).toBeCloseTo(AXIS.from, 3);
    expect(back.msPerPx).toBeCloseTo(AXIS.msPerPx, 9);
  });
  it("keeps a part of the bounds in sight", () => {
    const bounds = { from: 0, to: HOUR };
    expect(within({ ...AXIS, from: 10 * HOUR }, bounds).from).toBe(HOUR - 800_000);
    expect(within({ ...AXIS, from: -10 * HOUR }, bounds).from).toBe(-500_000);
    const inside = { ...AXIS, from: 1000 };
    expect(within(inside, bounds)).toBe(inside);
  });
  it("turns the page while playing, unless somebody looks elsewhere", () => {
    const near = AXIS.from + 919_000;
    expect(follow(AXIS, near, near - 1000)).toBe(AXIS);
    const turned = follow(AXIS, near + 3000, near);
    expect(xOf(turned, near + 3000) - 148).toBeCloseTo(120, 6);
    // in reverse to the other side
    expect(xOf(follow(AXIS, AXIS.from + 70_000, AXIS.from + 90_000), AXIS.from + 70_000) - 148).toBeCloseTo(880, 6);
    const elsewhere = centred(AXIS, AXIS.from + 5 * HOUR);
    expect(follow(elsewhere, near + 3000, near)).toBe(elsewhere);
  });
});

describe("a flick", () => {
  const flick = (frame: number): number => {
    const inertia = new Inertia();
    inertia.grab(0, 0);
    for (let at = 10; at <= 100; at += 10) inertia.move(at * 2, at);
    expect(inertia.release(105)).toBe(true);
    let far = 0;
    for (let i = 0; inertia.moving && i < 10_000; i++) far += inertia.step(frame);
    expect(inertia.moving).toBe(false);
    return far;
  };
  it("goes as far on a slow device as on a fast one", () => {
    expect(flick(16)).toBeGreaterThan(600);
    expect(Math.abs(flick(16) - flick(48))).toBeLessThan(8);
  });
  it("does not begin after a finger that stood still, nor by a mere tap", () => {
    const inertia = new Inertia();
    inertia.grab(0, 0);
    inertia.move(100, 50);
    expect(inertia.release(300)).toBe(false);
    inertia.grab(0, 0);
    expect(inertia.release(10)).toBe(false);
    expect(inertia.moving).toBe(false);
  });
  it("ends when the timeline is touched", () => {
    const inertia = new Inertia();
    inertia.grab(0, 0);
    inertia.move(100, 50);
    inertia.release(55);
    expect(inertia.moving).toBe(true);
    inertia.grab(0, 100);
    expect(inertia.step(16)).toBe(0);
  });
});

describe("spans", () => {
  const set = normalise([{ from: 50, to: 60 }, { from: 0, to: 10 }, { from: 8, to: 20 }, { from: 20, to: 30 }, { from: 7, to: 7 }]);
  it("are joined where they meet", () => {
    expect(set).toEqual([{ from: 0, to: 30 }, { from: 50, to: 60 }]);
    expect(normalise(set, 20)).toEqual([{ from: 0, to: 60 }]);
  });
  it("are found by an instant, half open", () => {
    expect([-1, 0, 29, 30, 50, 60].map((at) => holds(set, at))).toEqual([false, true, true, false, true, false]);
    expect([-1, 30, 60].map((at) => firstAfter(set, at))).toEqual([0, 1, 2]);
  });
  it("are cut, measured and completed", () => {
    expect(clip(set, { from: 10, to: 55 })).toEqual([{ from: 10, to: 30 }, { from: 50, to: 55 }]);
    expect(length(set)).toBe(40);
    expect(missing(set, { from: -5, to: 70 })).toEqual([{ from: -5, to: 0 }, { from: 30, to: 50 }, { from: 60, to: 70 }]);
    expect(missing([], { from: 0, to: MINUTE })).toEqual([{ from: 0, to: MINUTE }]);
    expect(missing(set, { from: 1, to: 29 })).toEqual([]);
  });
});
