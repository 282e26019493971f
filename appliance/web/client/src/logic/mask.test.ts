import { describe, expect, it } from "vitest";
import { readAdminCamera } from "./camera-admin";
import {
  hasRoom, insertPoint, isInside, maskBody, moveArea, movePoint, parseMask, point, readMask, rectangle, removePoint, sameMask, showMask, type Area,
} from "./mask";

const SQUARE: Area = [point(0.2, 0.2), point(0.6, 0.2), point(0.6, 0.5), point(0.2, 0.5)];

describe("a mask that is drawn", () => {
  it("begins with a drag between two corners, whichever they are", () => {
    expect(rectangle(point(0.6, 0.2), point(0.2, 0.5))).toEqual([SQUARE[0], SQUARE[1], SQUARE[2], SQUARE[3]]);
    expect(rectangle(point(0.6, 0.2), point(0.605, 0.9))).toBeNull();
    expect(rectangle({ x: -3, y: 0.5 }, { x: 7, y: 2 })).toEqual([point(0, 0.5), point(1, 0.5), point(1, 1), point(0, 1)]);
  });
  it("gets points, moves them within the picture, and loses them down to three", () => {
    const five = insertPoint(SQUARE, 3);
    expect(five[4]).toEqual(point(0.2, 0.35));
    expect(movePoint(five, 4, { x: -1, y: 0.333333 })[4]).toEqual({ x: 0, y: 0.3333 });
    const three = removePoint(removePoint(five, 4), 0);
    expect(three).toHaveLength(3);
    expect(removePoint(three, 0)).toBe(three);
  });
  it("moves as a whole up to the edge and keeps its shape", () => {
    expect(moveArea(SQUARE, 0.9, -0.9)).toEqual([point(0.6, 0), point(1, 0), point(1, 0.3), point(0.6, 0.3)]);
  });
  it("is pressed where it is filled", () => {
    expect(isInside(SQUARE, point(0.3, 0.3))).toBe(true);
    expect(isInside(SQUARE, point(0.7, 0.3))).toBe(false);
    const star: Area = [point(0.5, 0.02), point(0.8, 0.95), point(0.02, 0.35), point(0.98, 0.35), point(0.2, 0.95)];
    expect(isInside(star, point(0.5, 0.5))).toBe(false);
    expect(isInside(star, point(0.5, 0.1))).toBe(true);
  });
  it("has room for so many points", () => {
    expect(hasRoom([SQUARE], 508)).toBe(true);
    expect(hasRoom([SQUARE], 509)).toBe(false);
  });
});

describe("a mask as text and on the wire", () => {
  it("is written as the command line has it, and read back", () => {
    const text = "0.2,0.2 0.6,0.2 0.6,0.5 0.2,0.5; 0,0 1,0 1,1";
    expect(showMask(parseMask(text) ?? [])).toBe(text);
    expect(parseMask(" 0,0  .5,0\n1,1 ")).toEqual([[point(0, 0), point(0.5, 0), point(1, 1)]]);
    expect(parseMask("")).toEqual([]);
    expect(parseMask("none")).toEqual([]);
    for (const bad of ["0,0 1,1", "0,0 1,1 2,2", "0,0 1,1 a,b", "0,0 1,0 1,1;", "0,0 1,0 1", "-1,0 1,0 1,1", "NaN,0 1,0 1,1", Array(65).fill("0,0 1,0 1,1").join(";")]) {
      expect(parseMask(bad), bad).toBeNull();
    }
  });
  it("is read with care", () => {
    expect(readMask([[[0, 0], [1, 0], [1, 1]]])).toEqual([[point(0, 0), point(1, 0), point(1, 1)]]);
    for (const bad of [null, 5, "x", [5], [[]], [[[0, 0], [1, 0], [1, 2]]], [[[0, 0], ["1", 0], [1, 1]]]]) expect(readMask(bad)).toEqual([]);
    const camera = readAdminCamera({ id: "1", name: "Gate", streams: [{ name: "main" }], mask: [[[0, 0], [1, 0], [1, 1]]] });
    expect(maskBody(camera?.mask ?? [])).toEqual({ mask: [[[0, 0], [1, 0], [1, 1]]] });
    expect(sameMask(camera?.mask ?? [], [[point(0, 0), point(1, 0), point(1, 1)]])).toBe(true);
  });
});
