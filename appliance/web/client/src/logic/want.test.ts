import { describe, expect, it } from "vitest";
import { quantise, wantChange, type Want } from "./want";

const want: Want = {
  type: "want", width: 640, height: 368, fps: 30, mode: "auto", zoom: false, codecs: ["avc1.640028"], audio: false,
  paused: false,
};

describe("what is asked of the server", () => {
  it("is the size on the screen in its own pixels, at density 2 at most, rounded up to 16", () => {
    expect(quantise(320, 1)).toBe(320);
    expect(quantise(321, 1)).toBe(336);
    expect(quantise(320, 3)).toBe(640);
    expect(quantise(0, 1)).toBe(16);
    expect(quantise(1e9, 2)).toBe(8192);
  });

  it("is told first, and again only when it changes noticeably", () => {
    expect(wantChange(null, want)).toBe("now");
    expect(wantChange(want, { ...want })).toBe("none");
    expect(wantChange(want, { ...want, width: 704 })).toBe("none");
    expect(wantChange(want, { ...want, width: 720 })).toBe("size");
    expect(wantChange(want, { ...want, height: 320 })).toBe("size");
  });

  it("is told at once for sound, pause, zoom, codecs and the way of the picture", () => {
    for (const change of [{ audio: true }, { paused: true }, { zoom: true }, { codecs: [] }, { fps: 5 }, { mode: "transcoded" as const }]) {
      expect(wantChange(want, { ...want, ...change })).toBe("now");
    }
  });
});
