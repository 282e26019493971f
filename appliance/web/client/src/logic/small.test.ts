import { describe, expect, it } from "vitest";
import { Announcer } from "./announce";
import { Backoff } from "./backoff";
import { mimeOf, playableCodecs } from "./codecs";
import { Keys, type Key } from "./keys";
import { Meter } from "./meter";
import { phaseOf, type Facts } from "./phase";
import { EventParser } from "./sse";
import { bounded, contained, pan, part, transform, WHOLE, zoomAt } from "./zoom";

describe("trying again", () => {
  it("waits 1 2 4 8 15 15 seconds, give or take a fifth, and starts over after success", () => {
    for (const [random, factor] of [[0, 0.8], [0.5, 1], [1, 1.2]] as const) {
      const backoff = new Backoff(() => random);
      const waits = Array.from({ length: 6 }, () => backoff.next());
      expect(waits).toEqual([1, 2, 4, 8, 15, 15].map((s) => Math.round(s * 1000 * factor)));
      backoff.reset();
      expect(backoff.next()).toBe(Math.round(1000 * factor));
    }
  });
});

describe("the meter", () => {
  it("counts per second over its window and forgets what is older", () => {
    const meter = new Meter(3000);
    for (let t = 0; t < 5000; t += 40) meter.add(10, t);
    expect(meter.rate(5000)).toBeGreaterThan(225);
    expect(meter.rate(5000)).toBeLessThan(275);
    expect(meter.rate(9000)).toBe(0);
  });

  it("is right from the beginning, not only after a full window", () => {
    const meter = new Meter(3000);
    for (let t = 0; t < 1000; t += 40) meter.add(10, t);
    expect(meter.rate(1000)).toBeCloseTo(250, 0);
  });
});

describe("codecs", () => {
  it("offers the highest level of each profile that the browser plays", () => {
    const plays = new Set([mimeOf("avc1.640028"), mimeOf("avc1.64001f"), mimeOf("avc1.42e01f"), mimeOf("mp4a.40.2")]);
    expect(playableCodecs((m) => plays.has(m))).toEqual(["avc1.640028", "avc1.42e01f", "mp4a.40.2"]);
  });
  it("offers H.265 only where it is true", () => {
    expect(playableCodecs(() => true).some((c) => c.startsWith("hvc1"))).toBe(true);
    expect(playableCodecs((m) => !m.includes("hvc1")).some((c) => c.startsWith("hvc1"))).toBe(false);
    expect(playableCodecs(() => false)).toEqual([]);
  });
  it("offers each profile and tier of H.265 by itself, up to its level", () => {
    const plays = new Set(["hvc1.1.6.L120.B0", "hvc1.1.6.L93.B0", "hvc1.1.6.H93.B0", "hvc1.2.4.L93.B0"].map(mimeOf));
    expect(playableCodecs((m) => plays.has(m))).toEqual(["hvc1.2.4.L93.B0", "hvc1.1.6.H93.B0", "hvc1.1.6.L120.B0"]);
    expect(playableCodecs(() => true).length).toBeLessThanOrEqual(32);
  });
});

describe("what a tile says", () => {
  const live: Facts = {
    now: 100_000, open: true, downSince: null, refused: null, link: "ok", linkReason: null, pictureAt: 99_900,
    askedAt: 50_000, paused: false, unplayable: false, blocked: false, pace: null,
  };
  it.each([
    ["live", {}],
    ["live", { pictureAt: 98_100 }],
    ["waiting", { pictureAt: 97_900 }],
    ["waiting", { pictureAt: 97_900, link: "waiting" }],
    ["live", { pictureAt: 60_000, askedAt: 99_000 }],
    ["lost", { link: "lost" }],
    ["lost", { link: "lost", pictureAt: null }],
    ["connecting", { pictureAt: null, link: null, askedAt: 99_000 }],
    ["connecting", { pictureAt: null, link: "waiting", linkReason: "connecting", askedAt: 95_000 }],
    ["connecting", { pictureAt: null, link: "waiting", linkReason: "connecting", askedAt: 50_000 }],
    ["waiting", { pictureAt: null, link: "waiting", linkReason: "long_gop", askedAt: 99_000 }],
    ["waiting", { pictureAt: null, link: null, askedAt: 91_000 }],
    ["live", { open: false, downSince: 99_000 }],
    ["offline", { open: false, downSince: 97_000 }],
    ["offline", { open: false, downSince: 99_900, pictureAt: 94_000 }],
    ["live", { open: false, downSince: 99_900, pictureAt: 4_000, askedAt: 99_900 }],
    ["connecting", { open: false, downSince: 99_000, pictureAt: null }],
    ["offline", { open: false, downSince: 97_000, pictureAt: null }],
    ["denied", { refused: "denied", open: false }],
    ["removed", { refused: "removed", link: "lost" }],
    ["full", { refused: "full" }],
    ["unsupported", { unplayable: true }],
    ["unsupported", { link: "lost", linkReason: "unsupported_codec" }],
    ["unsupported", { link: "lost", linkReason: "codec" }],
    ["unsupported", { link: "lost", linkReason: "level", pictureAt: null }],
    ["blocked", { blocked: true }],
    ["paused", { paused: true }],
    ["connecting", { paused: true, pictureAt: null }],
  ] as const)("is %s when %o", (phase, change) => {
    expect(phaseOf({ ...live, ...change } as Facts)).toBe(phase);
  });
});

describe("server-sent events", () => {
  const stream = ": hello\r\nevent: hello\ndata: {\"version\":\"1\"}\n\nevent: camera_added\r\ndata: a\r\ndata: b\r\n\r\ndata: bare\n\n:\n\nevent: none\n\n";
  const expected = [
    { event: "hello", data: '{"version":"1"}' },
    { event: "camera_added", data: "a\nb" },
    { event: "message", data: "bare" },
  ];
  it("are the same however the stream is cut", () => {
    for (let size = 1; size <= stream.length; size++) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)));
      expect(events).toEqual(expected);
    }
  });
  it("may not grow without bound", () => {
    const parser = new EventParser();
    expect(() => {
      for (let i = 0; i < 40; i++) parser.push("x".repeat(1 << 15));
    }).toThrow(RangeError);
    const other = new EventParser();
    expect(() => {
      for (let i = 0; i < 40; i++) other.push(`data: ${"x".repeat(1 << 15)}\n`);
    }).toThrow(RangeError);
  });
});

describe("digital zoom", () => {
  const stage = { width: 1600, height: 900 };
  it("keeps what is under the pointer under it", () => {
    const at = { x: 400, y: 300 };
    const seen = (z: typeof WHOLE): [number, number] => [
      z.x + (at.x / stage.width - 0.5) / z.scale,
      z.y + (at.y / stage.height - 0.5) / z.scale,
    ];
    let zoom = WHOLE;
    const before = seen(zoom);
    for (let i = 0; i < 4; i++) zoom = zoomAt(zoom, stage, at, 1.5);
    expect(seen(zoom)[0]).toBeCloseTo(before[0]);
    expect(seen(zoom)[1]).toBeCloseTo(before[1]);
  });
  it("goes to 8 times and never shows what is outside the picture", () => {
    let zoom = WHOLE;
    for (let i = 0; i < 20; i++) zoom = zoomAt(zoom, stage, { x: 1600, y: 0 }, 1.5);
    expect(zoom.scale).toBe(8);
    const { left, top, size } = part(pan(zoom, stage, -5000, 5000));
    expect([left + size, top]).toEqual([1, 0]);
    expect(zoomAt(zoom, stage, { x: 0, y: 0 }, 0.01)).toEqual(WHOLE);
    expect(bounded({ scale: 2, x: 9, y: -9 })).toEqual({ scale: 2, x: 0.75, y: 0.25 });
  });
  it("moves the picture with the finger", () => {
    const zoom = pan({ scale: 2, x: 0.5, y: 0.5 }, stage, 160, 0);
    expect(zoom.x).toBeCloseTo(0.45);
    expect(transform(zoom, stage)).toBe("translate(-640.00px, -450.00px) scale(2.0000)");
    expect(transform(WHOLE, stage)).toBe("none");
  });
  it("knows where the whole picture lies in the stage", () => {
    expect(contained({ width: 1000, height: 1000 }, { width: 1600, height: 900 })).toEqual({ x: 0, y: 218.75, width: 1000, height: 562.5 });
  });
});

describe("announcements", () => {
  it("come at most once in ten seconds per camera, and never twice the same", () => {
    const announcer = new Announcer();
    expect(announcer.admit("a", "lost", 0)).toBe(true);
    expect(announcer.admit("a", "live", 5000)).toBe(false);
    expect(announcer.admit("b", "lost", 5000)).toBe(true);
    expect(announcer.admit("a", "lost", 11_000)).toBe(false);
    expect(announcer.admit("a", "live", 11_000)).toBe(true);
  });
});

describe("keys", () => {
  const press = (key: string, more: Partial<Key> = {}): Key => ({ key, ctrl: false, alt: false, meta: false, typing: false, ...more });
  it("are commands, except while typing or with a modifier", () => {
    const keys = new Keys();
    expect(keys.command(press("s"), 0, true)).toBe("snapshot");
    expect(keys.command(press("S"), 0, true)).toBe("snapshot");
    expect(keys.command(press("5"), 0, true)).toBe("camera-5");
    expect(keys.command(press("s", { typing: true }), 0, true)).toBeNull();
    expect(keys.command(press("ArrowLeft", { typing: true }), 0, true)).toBeNull();
    expect(keys.command(press("Escape", { typing: true }), 0, true)).toBe("back");
    expect(keys.command(press("s", { ctrl: true }), 0, true)).toBeNull();
  });
  it("of one character can be switched off", () => {
    const keys = new Keys();
    expect(keys.command(press("s"), 0, false)).toBeNull();
    expect(keys.command(press("Enter"), 0, false)).toBe("open");
  });
  it("go to a page in two strokes", () => {
    const keys = new Keys();
    expect(keys.command(press("g"), 0, true)).toBeNull();
    expect(keys.command(press("l"), 500, true)).toBe("go-live");
    expect(keys.command(press("g"), 1000, true)).toBeNull();
    expect(keys.command(press("l"), 5000, true)).toBeNull();
    expect(keys.command(press("g"), 6000, true)).toBeNull();
    expect(keys.command(press("s"), 6100, true)).toBe("go-settings");
    expect(keys.command(press("g"), 6150, true)).toBeNull();
    expect(keys.command(press("x"), 6180, true)).toBeNull();
    expect(keys.command(press("s"), 6200, true)).toBe("snapshot");
  });
});
