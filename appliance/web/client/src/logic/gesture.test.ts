import { describe, expect, it } from "vitest";
import { Gestures } from "./gesture";

describe("gestures", () => {
  it("tap, then double tap", () => {
    const g = new Gestures();
    g.down(1, { x: 10, y: 10 }, 0);
    expect(g.up(1, 80, true)).toEqual([{ kind: "tap", at: { x: 10, y: 10 }, touch: true }]);
    g.down(1, { x: 14, y: 12 }, 200);
    expect(g.up(1, 280, true)[0]?.kind).toBe("double");
    g.down(1, { x: 14, y: 12 }, 400);
    expect(g.up(1, 450, true)[0]?.kind).toBe("tap");
  });
  it("two taps far apart are two taps", () => {
    const g = new Gestures();
    g.down(1, { x: 10, y: 10 }, 0);
    g.up(1, 50, true);
    g.down(1, { x: 200, y: 10 }, 100);
    expect(g.up(1, 150, true)[0]?.kind).toBe("tap");
  });
  it("long press", () => {
    const g = new Gestures();
    g.down(1, { x: 10, y: 10 }, 0);
    expect(g.due(400)).toEqual([]);
    expect(g.deadline).toBe(500);
    expect(g.due(500)[0]?.kind).toBe("long");
    expect(g.up(1, 900, true)).toEqual([]);
  });
  it("a fast way sideways is a swipe, a slow one only a drag", () => {
    const g = new Gestures();
    g.down(1, { x: 200, y: 100 }, 0);
    expect(g.move(1, { x: 100, y: 105 })[0]).toMatchObject({ kind: "drag", dx: -100 });
    expect(g.up(1, 200, true)).toEqual([{ kind: "swipe", direction: "left" }]);
    g.down(1, { x: 200, y: 100 }, 1000);
    g.move(1, { x: 100, y: 105 });
    expect(g.up(1, 2000, true)).toEqual([]);
    g.down(1, { x: 200, y: 100 }, 3000);
    g.move(1, { x: 100, y: 105 });
    expect(g.up(1, 3100, false)).toEqual([]);
  });
  it("a trembling finger still taps", () => {
    const g = new Gestures();
    g.down(1, { x: 10, y: 10 }, 0);
    expect(g.move(1, { x: 13, y: 12 })).toEqual([]);
    expect(g.up(1, 100, true)[0]?.kind).toBe("tap");
  });
  it("two fingers pinch around their middle, and lifting them is no tap", () => {
    const g = new Gestures();
    g.down(1, { x: 0, y: 0 }, 0);
    g.down(2, { x: 100, y: 0 }, 10);
    expect(g.move(2, { x: 200, y: 0 })[0]).toEqual({ kind: "pinch", at: { x: 100, y: 0 }, factor: 2, dx: 50, dy: 0 });
    expect(g.up(1, 300, true)).toEqual([]);
    expect(g.up(2, 320, true)).toEqual([{ kind: "pinch-end", scale: 2 }]);
  });
  it("a cancelled touch is nothing", () => {
    const g = new Gestures();
    g.down(1, { x: 10, y: 10 }, 0);
    g.cancel(1);
    expect(g.up(1, 50, true)).toEqual([]);
    expect(g.deadline).toBeNull();
  });
});
