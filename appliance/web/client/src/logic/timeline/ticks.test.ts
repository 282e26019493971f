import { describe, expect, it } from "vitest";
import { translator } from "../../i18n/translator";
import type { Axis } from "./axis";
import { clockChanges, LABEL_PX, stepFor, STEPS, ticks } from "./ticks";
import { Times } from "./times";
import { DAY, HOUR, MINUTE, SECOND, Zone } from "./zone";

const PARIS = new Zone("Europe/Paris");
const LORD_HOWE = new Zone("Australia/Lord_Howe");
const en = translator("en", {});
const fr = translator("fr", { d: "j" });

const axis = (from: number, shown: number, width = 1000): Axis => ({ from, msPerPx: shown / width, left: 0, width });
const labels = (zone: Zone, a: Axis): string[] => {
  const times = new Times(en, zone);
  return ticks(a, zone).filter((t) => t.major && t.x >= 0 && t.x <= a.width).map((t) => times.tick(t));
};

describe("a zone", () => {
  it("knows the offset and the changes of the year", () => {
    expect(PARIS.offset(Date.UTC(2026, 0, 1))).toBe(HOUR);
    expect(PARIS.offset(Date.UTC(2026, 6, 1))).toBe(2 * HOUR);
    expect(PARIS.changes(Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1))).toEqual([
      { at: Date.UTC(2026, 2, 29, 1), by: HOUR },
      { at: Date.UTC(2026, 9, 25, 1), by: -HOUR },
    ]);
    expect(LORD_HOWE.changes(Date.UTC(2026, 3, 1), Date.UTC(2026, 4, 1))).toEqual([{ at: Date.UTC(2026, 3, 4, 15), by: -30 * MINUTE }]);
    expect(new Zone("UTC").changes(Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1))).toEqual([]);
  });
  it("has days of 23, 24 and 25 hours", () => {
    const long = (month: number, day: number): number => {
      const noon = PARIS.at(2026, month, day, 12);
      return (PARIS.startOfDay(noon, 1) - PARIS.startOfDay(noon)) / HOUR;
    };
    expect([long(3, 28), long(3, 29), long(10, 25), long(10, 26)]).toEqual([24, 23, 25, 24]);
  });
  it("begins the day at the change where midnight is missing", () => {
    const cairo = new Zone("Africa/Cairo"); // 24 April 2026: 00:00 → 01:00
    const start = cairo.startOfDay(cairo.at(2026, 4, 24, 12));
    expect(new Date(start).toISOString()).toBe("2026-04-23T22:00:00.000Z");
    expect(cairo.local(start)).toMatchObject({ day: 24, hour: 1 });
    expect(cairo.startOfDay(start - 1, 1)).toBe(start);
  });
  it("shows a time once, twice or not at all", () => {
    expect(PARIS.instants(2026, 3, 12, 14, 18)).toEqual([Date.UTC(2026, 2, 12, 13, 18)]);
    expect(PARIS.instants(2026, 10, 25, 2, 30)).toEqual([Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30)]);
    expect(PARIS.instants(2026, 3, 29, 2, 30)).toEqual([]);
    expect(PARIS.local(PARIS.at(2026, 3, 29, 2, 30))).toMatchObject({ hour: 3, minute: 30 });
    expect([PARIS.repeated(Date.UTC(2026, 9, 25, 1, 30)), PARIS.repeated(Date.UTC(2026, 9, 25, 2, 30))]).toEqual([true, false]);
  });
  it("speaks of the browser's own zone without a name", () => {
    const own = new Zone();
    const at = Date.UTC(2026, 2, 12, 13, 18);
    expect(own.local(at).minute).toBe(new Date(at).getMinutes());
    expect(own.local(at).hour).toBe(new Date(at).getHours());
  });
});

describe("marks of the ruler", () => {
  it("have at most one label in 72 px, from a second to a year", () => {
    for (let shown = SECOND; shown < 366 * DAY; shown *= 1.37) {
      for (const width of [320, 1264]) {
        const a = axis(Date.UTC(2026, 9, 24, 21, 7, 3), shown, width);
        const major = ticks(a, PARIS).filter((t) => t.major);
        major.slice(1).forEach((t, i) => expect(t.x - (major[i]?.x ?? 0)).toBeGreaterThanOrEqual(LABEL_PX - 1));
        if (shown < 300 * DAY || width > 900) expect(major.length, String(shown)).toBeGreaterThanOrEqual(2);
        expect(ticks(a, PARIS).length).toBeLessThan(width / 2);
      }
    }
  });
  it("stand on whole steps of the local clock", () => {
    expect(labels(PARIS, axis(Date.UTC(2026, 2, 12, 12, 54), HOUR, 700))).toEqual(["14:00", "14:10", "14:20", "14:30", "14:40", "14:50"]);
    expect(labels(PARIS, axis(Date.UTC(2026, 2, 12, 12, 54), HOUR)).slice(0, 3)).toEqual(["13:55", "14:00", "14:05"]);
    expect(labels(new Zone("Asia/Kathmandu"), axis(Date.UTC(2026, 2, 12, 12, 0), 6 * HOUR, 500)).slice(0, 2)).toEqual(["18:00", "19:00"]);
    expect(labels(PARIS, axis(Date.UTC(2026, 2, 11, 23), DAY)).slice(0, 3)).toEqual(["12 Mar", "02:00", "04:00"]);
    expect(labels(PARIS, axis(Date.UTC(2026, 0, 1), 365 * DAY)).slice(0, 2)).toEqual(["Feb", "Mar"]);
    expect(labels(PARIS, axis(Date.UTC(2026, 2, 12, 13, 18, 36, 50), SECOND))[0]).toBe("14:18:36.1");
  });
  it("show a repeated hour twice, and a missing one not at all", () => {
    const autumn = axis(Date.UTC(2026, 9, 24, 22, 30), 6 * HOUR, 600);
    expect(labels(PARIS, autumn)).toEqual(["01:00", "02:00", "02:00", "03:00", "04:00", "05:00"]);
    expect(clockChanges(autumn, PARIS).map((c) => [Math.round(c.x), c.by])).toEqual([[250, -HOUR]]);
    const spring = axis(Date.UTC(2026, 2, 28, 22, 30), 6 * HOUR, 600);
    expect(labels(PARIS, spring)).toEqual(["29 Mar", "01:00", "03:00", "04:00", "05:00", "06:00"]);
    // every second hour: 02:00 is missing, and 04:00 is where it is shown
    expect(labels(PARIS, axis(Date.UTC(2026, 2, 28, 22, 30), 12 * HOUR, 700))).toEqual(["29 Mar", "04:00", "06:00", "08:00", "10:00", "12:00"]);
    // half an hour is repeated
    expect(labels(LORD_HOWE, axis(Date.UTC(2026, 3, 4, 13, 45), 3 * HOUR)).slice(0, 5)).toEqual(["01:00", "01:30", "01:30", "02:00", "02:30"]);
  });
  it("choose finer steps the nearer one looks", () => {
    expect(stepFor(DAY / 1000)).toMatchObject({ unit: "hour", count: 2 });
    expect(stepFor(HOUR / 1000)).toMatchObject({ unit: "minute", count: 5 });
    for (let i = 1; i < STEPS.length; i++) expect(STEPS[i]?.ms).toBeGreaterThan(STEPS[i - 1]?.ms ?? Infinity);
  });
});

describe("words of times", () => {
  const at = Date.UTC(2026, 2, 12, 13, 18, 36, 240);
  const english = new Times(en, PARIS);
  const french = new Times(fr, PARIS);
  it("are of the zone and the language", () => {
    expect([english.clock(at), english.thousandths(at), english.short(at)]).toEqual(["14:18:36", ".240", "14:18"]);
    expect([english.day(at), french.day(at)]).toEqual(["Thu 12 March", "jeu. 12 mars"]);
    expect([english.wholeDay(at), french.wholeDay(at)]).toEqual(["Thursday 12 March 2026", "jeudi 12 mars 2026"]);
    expect([english.moment(at, at), french.moment(at, at + 365 * DAY)]).toEqual(["12 Mar, 14:18:36", "12 mars 2026, 14:18:36"]);
    expect(english.month(at)).toBe("March 2026");
  });
  it("name the zone in an hour that comes twice", () => {
    expect(english.clock(Date.UTC(2026, 9, 25, 0, 30))).toBe("02:30:00 CEST");
    expect(english.clock(Date.UTC(2026, 9, 25, 1, 30))).toBe("02:30:00 CET");
  });
  it("say how long in the two largest parts", () => {
    const said = [0, 400, 36_000, 396_000, HOUR, 2 * HOUR + 5 * MINUTE + 20_000, 25 * HOUR, 3 * DAY + 4 * HOUR].map((ms) => english.duration(ms).replaceAll("\u202f", " "));
    expect(said).toEqual(["0 s", "0 s", "36 s", "6 min 36 s", "1 h", "2 h 5 min", "25 h", "3 d 4 h"]);
    expect(french.duration(3 * DAY)).toBe("3\u202fj");
  });
});
