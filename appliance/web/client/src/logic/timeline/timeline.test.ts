import { describe, expect, it, vi } from "vitest";
import { addMonths, nearest, placeOn, sameDay, share, weeks } from "./calendar";
import type { Marker, ScrubPictureData, Span } from "./contract";
import { addShares, bars, Levels } from "./lod";
import { firstPin, pinAt, pinNear, pins, pinsOf } from "./markers";
import { bucket, NoPicture, ScrubPictures } from "./scrub";
import { beginAt, between, dragHandle, endAt } from "./selection";
import { faster, forward, keyFramesOnly, reverse, slower, SPEEDS, speedText } from "./speeds";
import { readTime } from "./typed-time";
import { DAY, HOUR, Zone } from "./zone";

const PARIS = new Zone("Europe/Paris");
const NOW = PARIS.at(2026, 3, 12, 16, 30);
const SHOWN = PARIS.at(2026, 3, 10, 11);

describe("typed times", () => {
  const read = (typed: string): string => {
    const found = readTime(typed, PARIS, SHOWN, NOW);
    if (found.kind !== "time") return found.kind;
    const { year, month, day, hour, minute, second } = PARIS.local(found.at);
    return `${year}-${month}-${day} ${hour}:${String(minute).padStart(2, "0")}${second ? `:${second}` : ""}`;
  };
  it.each([
    // a time alone is one of the day that is shown
    ["14:18", "2026-3-10 14:18"], ["14:18:36", "2026-3-10 14:18:36"], ["14h18", "2026-3-10 14:18"], ["14 h 18", "2026-3-10 14:18"], ["9h", "2026-3-10 9:00"],
    ["9", "2026-3-10 9:00"], ["2:30 pm", "2026-3-10 14:30"], ["12 am", "2026-3-10 0:00"], ["14.18", "2026-3-10 14:18"], ["14h18min36s", "2026-3-10 14:18:36"],
    ["midi", "2026-3-10 12:00"], ["minuit", "2026-3-10 0:00"],
    ["yesterday 9", "2026-3-11 9:00"], ["hier 9", "2026-3-11 9:00"], ["Hier à 9h30", "2026-3-11 9:30"], ["avant-hier 23:59", "2026-3-10 23:59"],
    ["today 9", "2026-3-12 9:00"], ["aujourd’hui 9", "2026-3-12 9:00"], ["yesterday", "2026-3-11 0:00"],
    ["12/3 14:18", "2026-3-12 14:18"], ["12/3/2025 14:18", "2025-3-12 14:18"], ["12.3.25, 14:18", "2025-3-12 14:18"], ["2026-03-12 14:18", "2026-3-12 14:18"],
    ["2026-03-12T14:18", "2026-3-12 14:18"],
    ["12 March 14:18", "2026-3-12 14:18"], ["12 mars 14h18", "2026-3-12 14:18"], ["1er février 8", "2026-2-1 8:00"], ["3 août 2025 8h", "2025-8-3 8:00"], ["12 mars", "2026-3-12 0:00"],
    // without a year: the last one that has begun
    ["24/12 18:00", "2025-12-24 18:00"], ["29/2 12", "2024-2-29 12:00"],
    // the last such day, never today
    ["monday 9", "2026-3-9 9:00"], ["lundi 9", "2026-3-9 9:00"], ["jeudi dernier 9h", "2026-3-5 9:00"], ["thu 9", "2026-3-5 9:00"], ["mardi 8", "2026-3-10 8:00"],
    ["now", "2026-3-12 16:30"], ["maintenant", "2026-3-12 16:30"], ["5 min ago", "2026-3-12 16:25"], ["il y a 2 h", "2026-3-12 14:30"], ["-30 s", "2026-3-12 16:29:30"],
  ])("%s", (typed, wanted) => expect(read(typed)).toBe(wanted));
  it.each(["", "25:00", "14:60", "13 pm", "31/2 9", "32/1", "soon", "14:18 tomorrow", "12/13", "noonish", "9 9 9", "x".repeat(99)])("%s is not understood", (typed) => {
    expect(read(typed)).toBe("unknown");
  });
  it("is not in the future", () => {
    expect(read("today 18:00")).toBe("future");
    expect(read("12/3/2027 14:18")).toBe("future");
  });
  it("says where the clock shows it twice, or not at all", () => {
    const now = PARIS.at(2026, 12, 1);
    expect(readTime("25/10 2:30", PARIS, now, now)).toEqual({ kind: "time", at: Date.UTC(2026, 9, 25, 0, 30), also: Date.UTC(2026, 9, 25, 1, 30), missing: false });
    expect(readTime("29/3 2:30", PARIS, now, now)).toEqual({ kind: "time", at: Date.UTC(2026, 2, 29, 1, 30), also: null, missing: true });
  });
});

describe("levels of detail", () => {
  const many: Span[] = Array.from({ length: 20_000 }, (_, i) => ({ from: i * 1000, to: i * 1000 + 990 }));
  it("draw no more than there are pixels, and lose no gap that could be seen", () => {
    const into = new Float32Array(4096);
    // 20 ranges of a second with gaps of 10 ms in a pixel
    expect(bars(many, 0, 20_000, 1000, into)).toBe(2);
    expect([into[0], Math.round(into[1] ?? 0)]).toEqual([0, 1000]);
    // gaps of ten pixels
    expect(bars(many, 0, 1, 5000, into)).toBe(10);
    expect([...into.slice(0, 4)]).toEqual([0, 990, 1000, 1990]);
  });
  it("show the shortest recording as a pixel", () => {
    const into = new Float32Array(16);
    expect(bars([{ from: 5000, to: 5001 }], 0, 1000, 100, into)).toBe(2);
    expect([into[0], into[1]]).toEqual([5, 6]);
    expect(bars([{ from: -10, to: 0 }, { from: 100_000, to: 200_000 }], 0, 1000, 100, into)).toBe(0);
  });
  it("are small where nothing more could be seen", () => {
    const levels = new Levels(many);
    expect(levels.for(1).length).toBe(40_000);
    expect(levels.for(1000).length).toBe(2);
    expect(levels.for(1e9)).toBe(levels.for(1000));
  });
  it("measure the share that was recorded", () => {
    const into = new Float32Array(4);
    addShares([{ from: 0, to: 150 }, { from: 310, to: 1000 }], { from: 0, to: 400 }, 4, into);
    expect([...into].map((v) => Math.round(v * 100))).toEqual([100, 50, 0, 90]);
  });
});

describe("pins", () => {
  const marker = (at: number, kind: Marker["kind"] = "event"): Marker => ({ kind, id: String(at), camera: "1", at, until: null, text: "" });
  const list = [marker(0), marker(7), marker(14, "alarm"), marker(40), marker(48)];
  it("merge what is closer than 8 px, and are as urgent as the most urgent of them", () => {
    expect(pins(list, 1).map((p) => [p.kind, p.markers.length, pinAt(p)])).toEqual([["alarm", 3, 7], ["event", 1, 40], ["event", 1, 48]]);
    expect(pins(list, 0.5).length).toBe(5);
    expect(pins(list, 100).length).toBe(1);
  });
  it("are found by the pointer", () => {
    const found = pins(list, 1);
    expect(firstPin(found, 41)).toBe(2);
    expect(pinNear(found, 43, 6)?.at).toBe(40);
    expect(pinNear(found, 45, 6)?.at).toBe(48);
    expect(pinNear(found, 20, 6)).toBeNull();
    expect(pinNear([], 0, 6)).toBeNull();
  });
  it("are made once for a list and a scale", () => {
    expect(pinsOf(list, 1)).toBe(pinsOf(list, 1));
    expect(pinsOf(list, 2)).not.toBe(pinsOf(list, 1));
  });
});

describe("the calendar", () => {
  const march = weeks(PARIS, { year: 2026, month: 3 });
  it("has whole weeks", () => {
    expect(march.map((w) => w.map((d) => d.day).join(" "))).toEqual(["23 24 25 26 27 28 1", "2 3 4 5 6 7 8", "9 10 11 12 13 14 15", "16 17 18 19 20 21 22", "23 24 25 26 27 28 29", "30 31 1 2 3 4 5"]);
    expect(march.flat().filter((d) => d.inside).length).toBe(31);
    expect(weeks(PARIS, { year: 2026, month: 3 }, 0)[0]?.[0]?.day).toBe(1);
  });
  it("follows the clock", () => {
    const day = march[4]?.[6];
    expect((day?.to ?? 0) - (day?.from ?? 0)).toBe(23 * HOUR);
    march.flat().slice(1).forEach((d, i) => expect(d.from).toBe(march.flat()[i]?.to));
  });
  it("turns its pages", () => {
    expect(addMonths({ year: 2026, month: 1 }, -1)).toEqual({ year: 2025, month: 12 });
    expect(addMonths({ year: 2026, month: 12 }, 1)).toEqual({ year: 2027, month: 1 });
    expect(PARIS.local(sameDay(PARIS, PARIS.at(2026, 3, 31, 9), -1))).toMatchObject({ month: 2, day: 28, hour: 0 });
  });
  it("shows how much of a day there is, however little", () => {
    const day = { from: 0, to: DAY };
    expect(share([{ from: -HOUR, to: 6 * HOUR }, { from: 12 * HOUR, to: 18 * HOUR }], day)).toBe(0.5);
    expect(share([{ from: 0, to: 1000 }], day)).toBe(0.04);
    expect(share([], day)).toBe(0);
  });
  it("goes to the same time of another day, else to the first recorded, else to the nearest day", () => {
    const day = { from: PARIS.at(2026, 3, 8), to: PARIS.at(2026, 3, 9) };
    expect(placeOn(PARIS, [{ from: PARIS.at(2026, 3, 8, 8), to: PARIS.at(2026, 3, 8, 20) }], day, SHOWN)).toBe(PARIS.at(2026, 3, 8, 11));
    expect(placeOn(PARIS, [{ from: PARIS.at(2026, 3, 8, 18), to: PARIS.at(2026, 3, 8, 20) }], day, SHOWN)).toBe(PARIS.at(2026, 3, 8, 18));
    expect(placeOn(PARIS, [], day, SHOWN)).toBeNull();
    const after = { from: PARIS.at(2026, 3, 10, 6), to: PARIS.at(2026, 3, 10, 8) };
    expect(nearest([{ from: PARIS.at(2026, 3, 1), to: PARIS.at(2026, 3, 2) }, after], day)).toBe(after.from);
    expect(nearest([{ from: PARIS.at(2026, 3, 1), to: PARIS.at(2026, 3, 7, 12) }, after], day)).toBe(PARIS.at(2026, 3, 7, 11));
    expect(nearest([], day)).toBeNull();
  });
});

describe("the selection", () => {
  it("is made by I and O in any order", () => {
    expect(beginAt(null, 1000, 1e9)).toEqual({ from: 1000, to: 61_000 });
    expect(beginAt({ from: 0, to: 50_000 }, 20_000, 1e9)).toEqual({ from: 20_000, to: 50_000 });
    expect(beginAt(null, 1000, 1000)).toEqual({ from: 1000, to: 2000 });
    expect(endAt({ from: 5000, to: 50_000 }, 20_000)).toEqual({ from: 5000, to: 20_000 });
    expect(endAt({ from: 30_000, to: 50_000 }, 20_000)).toEqual({ from: -40_000, to: 20_000 });
    expect(between(9000, 4000)).toEqual({ from: 4000, to: 9000 });
  });
  it("is never shorter than a second", () => {
    expect(between(4000, 4100)).toEqual({ from: 4000, to: 5000 });
    expect(dragHandle({ from: 0, to: 9000 }, "to", 300).selection).toEqual({ from: 0, to: 1000 });
  });
  it("turns round when a handle crosses the other", () => {
    expect(dragHandle({ from: 0, to: 9000 }, "from", 12_000)).toEqual({ selection: { from: 9000, to: 12_000 }, handle: "to" });
    expect(dragHandle({ from: 5000, to: 9000 }, "to", 2000)).toEqual({ selection: { from: 2000, to: 5000 }, handle: "from" });
  });
});

describe("speeds", () => {
  it("go from one to the next and stay at the ends", () => {
    expect([faster(1), faster(32), slower(1), slower(0.125), faster(-1), slower(-1), faster(-32)]).toEqual([2, 32, 0.5, 0.125, -2, -1, -32]);
  });
  it("J, K and L: in the other direction at one, in the same faster", () => {
    expect([forward(1, false), forward(1, true), forward(-4, true), reverse(1, true), reverse(-1, true), reverse(-1, false)]).toEqual([1, 2, 1, -1, -2, -1]);
  });
  it("say where only key frames are shown", () => {
    expect(SPEEDS.filter(keyFramesOnly)).toEqual([-32, -16, -8, -4, -2, 8, 16, 32]);
    expect(SPEEDS.map(speedText).join(" ")).toBe("−32× −16× −8× −4× −2× −1× ⅛× ¼× ½× 1× 2× 4× 8× 16× 32×");
  });
});

describe("scrub pictures", () => {
  interface Asked {
    readonly at: number;
    readonly signal: AbortSignal;
    readonly answer: (data: ScrubPictureData) => void;
    readonly refuse: (error: Error) => void;
  }
  const bench = () => {
    const asked: Asked[] = [];
    const revoked: string[] = [];
    const changed = vi.fn();
    let made = 0;
    const pictures = new ScrubPictures(
      { fetch: (_, at, signal) => new Promise((answer, refuse) => asked.push({ at, signal, answer, refuse })) },
      changed,
      { create: () => `blob:${made++}`, revoke: (url) => revoked.push(url) },
      () => 0,
    );
    return { asked, revoked, changed, pictures };
  };
  const picture = { picture: new Blob(), at: null };
  const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

  it("ask for one at a time, and then for the newest wanted", async () => {
    const { asked, changed, pictures } = bench();
    for (const at of [1, 2, 3, 4]) expect(pictures.want("a", at)).toBeNull();
    expect(asked.map((a) => a.at)).toEqual([1]);
    asked[0]?.answer({ ...picture, at: 7 });
    await settled();
    expect(asked.map((a) => a.at)).toEqual([1, 4]);
    expect(changed).toHaveBeenCalledTimes(1);
    expect(pictures.want("a", 1)).toEqual({ url: "blob:0", at: 7 });
    expect(pictures.want("b", 1)).toBeNull();
  });
  it("ask for nothing when nobody looks any more", async () => {
    const { asked, pictures } = bench();
    pictures.want("a", 1);
    pictures.want("a", 2);
    pictures.leave();
    asked[0]?.answer(picture);
    await settled();
    expect(asked.length).toBe(1);
  });
  it("keep two hundred, the ones used last", async () => {
    const { asked, revoked, pictures } = bench();
    for (let at = 0; at < 201; at++) {
      if (at === 200) pictures.want("a", 0); // used again: 1 is now the oldest
      pictures.want("a", at);
      asked.at(-1)?.answer(picture);
      await settled();
    }
    expect(revoked).toEqual(["blob:1"]);
    expect(pictures.want("a", 0)).not.toBeNull();
    expect(pictures.want("a", 1)).toBeNull();
    pictures.end();
    expect(revoked.length).toBe(201);
    expect(asked.at(-1)?.signal.aborted).toBe(true);
  });
  it("know that nothing was recorded, and try again after another failure", async () => {
    vi.useFakeTimers();
    try {
      const { asked, pictures } = bench();
      pictures.want("a", 1);
      asked[0]?.refuse(new NoPicture());
      await vi.advanceTimersByTimeAsync(0);
      expect(pictures.want("a", 1)).toEqual({ url: null, at: null });
      pictures.want("a", 2);
      asked[1]?.refuse(new Error("away"));
      await vi.advanceTimersByTimeAsync(0);
      expect(pictures.want("a", 2)).toBeNull();
      expect(asked.length).toBe(2); // not at once
      pictures.end();
    } finally {
      vi.useRealTimers();
    }
  });
  it("belong to a time as exact as can be pointed at", () => {
    expect(bucket(10_240, 10)).toBe(10_000);
    expect(bucket(10_260, 10)).toBe(10_500);
    expect(Math.abs(bucket(1e12 + 12_345, 60_000) - 1e12 - 12_345)).toBeLessThan(2.2 * 60_000);
  });
});
