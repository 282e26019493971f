import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LEVELS, levelFor } from "../logic/timeline/chunks";
import { NoPicture } from "../logic/timeline/scrub";
import { DAY, HOUR, MINUTE } from "../logic/timeline/zone";
import { ApiError, Unreachable } from "./api";
import { Recordings } from "./recordings";

const NOW = Date.UTC(2026, 2, 12, 14, 30);
const iso = (at: number): string => new Date(at).toISOString();

type Answer = (path: string, query: URLSearchParams) => unknown;

/** Recorded all day, but from 14:00 to 14:10; an event each full hour; a bookmark. */
const day: Answer = (path, query) => {
  const from = Date.parse(query.get("from") ?? "");
  const to = Math.min(Date.parse(query.get("to") ?? ""), now);
  if (path.endsWith("/recordings")) {
    const ranges = [{ from: NOW - DAY, to: NOW - 30 * MINUTE }, { from: NOW - 20 * MINUTE, to: now }]
      .map((r) => ({ from: Math.max(r.from, from), to: Math.min(r.to, to) }))
      .filter((r) => r.to > r.from)
      .map((r) => ({ from: iso(r.from), to: iso(r.to) }));
    return { ranges, stream: "main", streams: ["main"], first: iso(NOW - DAY), last: iso(now) };
  }
  if (path.endsWith("/events")) {
    const events = [];
    for (let at = Math.ceil(from / HOUR) * HOUR; at < to; at += HOUR) if (at >= NOW - DAY) events.push({ id: at, at: iso(at), until: null, kind: "manual", text: "Gate" });
    if (from <= NOW - 15 * MINUTE && to > NOW - 15 * MINUTE) events.push({ id: "m", at: iso(NOW - 15 * MINUTE), until: iso(NOW - 14 * MINUTE), kind: "motion", text: "" });
    return { events: events.slice(0, Number(query.get("limit"))) };
  }
  const bookmark = { id: "b", camera: "1", at: iso(NOW - 90_000), until: null, text: "Van", user: "léa", mine: true };
  return { bookmarks: !query.has("from") || (from <= NOW - 90_000 && to > NOW - 90_000) ? [bookmark] : [] };
};

let now = NOW;
let asked: string[] = [];
let answer: Answer = day;
const ended = vi.fn();
const made: Recordings[] = [];

function recordings(): Recordings {
  const one = new Recordings(
    {
      call: async (method, address) => {
        const [path = "", query = ""] = address.split("?");
        asked.push(`${method} ${path}`);
        return answer(path, new URLSearchParams(query));
      },
      open: async () => new Response(),
    },
    () => now,
    ended,
  );
  made.push(one);
  return one;
}

const arrived = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const HOURS = { from: NOW - 40 * MINUTE, to: NOW + 5 * MINUTE };
const count = (part: string): number => asked.filter((a) => a.includes(part)).length;

beforeEach(() => {
  vi.useFakeTimers();
  now = NOW;
  asked = [];
  answer = day;
  ended.mockClear();
});
afterEach(() => {
  for (const one of made.splice(0)) one.end();
  vi.useRealTimers();
});

describe("what the timeline draws", () => {
  it("comes by itself: ranges with their gap, events, bookmarks, and up to when it is known", async () => {
    const one = recordings();
    expect(one.lane("1", HOURS, 1000)).toMatchObject({ ranges: [], known: [], failed: false });
    await arrived();
    expect(one.version.get()).toBeGreaterThan(0);
    const lane = one.lane("1", HOURS, 1000);
    expect(lane.ranges.map((r) => [r.from, r.to])).toContainEqual([NOW - 20 * MINUTE, NOW]);
    expect(lane.ranges.some((r) => r.from < NOW - 25 * MINUTE && r.to > NOW - 25 * MINUTE)).toBe(false);
    expect(lane.known.at(-1)?.to).toBe(NOW);
    expect(lane.markers.map((m) => m.kind)).toContain("bookmark");
    expect(lane.movement).toEqual([{ from: NOW - 15 * MINUTE, to: NOW - 14 * MINUTE }]);
    expect(lane.markers.some((m) => m.what === "motion")).toBe(false);
    expect(one.bounds(["1", "2"])).toEqual({ from: NOW - DAY, to: NOW });
  });
  it("is asked for once", async () => {
    const one = recordings();
    for (let i = 0; i < 10; i++) one.lane("1", HOURS, 1000);
    await arrived();
    const before = asked.length;
    const lane = one.lane("1", HOURS, 1000);
    expect(one.lane("1", { from: HOURS.from + 1, to: HOURS.to + 1 }, 1001)).toBe(lane);
    await arrived();
    expect(asked.length).toBe(before);
    expect(count("/recordings")).toBe(1);
    // bookmarks of all cameras come at once
    one.lane("2", HOURS, 1000);
    await arrived();
    expect([count("/recordings"), count("/bookmarks")]).toEqual([2, 1]);
  });
  it("is asked for again where it reaches to now, and stays the same object where nothing changed", async () => {
    const one = recordings();
    one.lane("1", HOURS, 1000);
    await arrived();
    const before = one.lane("1", HOURS, 1000);
    now += 4000;
    one.lane("1", HOURS, 1000);
    await arrived();
    const after = one.lane("1", HOURS, 1000);
    expect(count("/recordings")).toBe(2);
    expect(after.ranges.at(-1)?.to).toBe(NOW + 4000);
    expect(after.markers).toBe(before.markers);
    // yesterday is not
    asked = [];
    const yesterday = { from: NOW - 20 * HOUR, to: NOW - 19.5 * HOUR };
    one.lane("1", yesterday, 1000);
    await arrived();
    now += 4000;
    one.lane("1", yesterday, 1000);
    await arrived();
    expect(count("/recordings")).toBe(1);
  });
  it("never asks for the future", async () => {
    recordings().lane("1", { from: NOW + 2 * DAY, to: NOW + 3 * DAY }, 60_000);
    await arrived();
    expect(asked).toEqual([]);
  });
  it("shows what another zoom knows until its own has come", async () => {
    const one = recordings();
    one.lane("1", { from: NOW - 6 * HOUR, to: NOW }, 20_000);
    await arrived();
    const finer = one.lane("1", { from: NOW - 10 * MINUTE, to: NOW }, 500);
    expect(finer.ranges.at(-1)?.to).toBe(NOW);
    expect(finer.known.length).toBeGreaterThan(0);
  });
  it("has a level for each zoom, whose chunks are a few screens", () => {
    expect([1, 999, 1000, 60_000, 366 * DAY / 1200].map(levelFor)).toEqual([0, 0, 1, 2, 5]);
    for (const [i, level] of LEVELS.entries()) if (i > 1) expect(level.resolution).toBe(8 * (LEVELS[i - 1]?.resolution ?? 0));
  });
  it("tries again after a failure, more and more rarely, and says so meanwhile", async () => {
    const one = recordings();
    answer = () => {
      throw new Unreachable("");
    };
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(one.lane("1", HOURS, 1000).failed).toBe(true);
    expect(count("/recordings")).toBe(1);
    now += 4000;
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(count("/recordings")).toBe(2);
    now += 4000;
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(count("/recordings")).toBe(2);
    now += 4000;
    answer = day;
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(one.lane("1", HOURS, 1000)).toMatchObject({ failed: false });
    expect(ended).not.toHaveBeenCalled();
  });
  it("says when the session has ended", async () => {
    answer = () => {
      throw new ApiError(401, "no_session", "");
    };
    recordings().lane("1", HOURS, 1000);
    await arrived();
    expect(ended).toHaveBeenCalled();
  });
  it("gives up wishes that the view has left behind", async () => {
    const one = recordings();
    for (let back = 1; back <= 100; back++) one.lane("1", { from: NOW - back * DAY, to: NOW - back * DAY + MINUTE }, 500);
    await arrived(1000);
    expect(asked.length).toBeLessThanOrEqual(48);
  });
  it("refuses what is not what it says", async () => {
    const one = recordings();
    answer = (path) => (path.endsWith("/recordings") ? { ranges: [{ from: "yesterday", to: 7 }, null, { from: iso(NOW), to: iso(NOW - 1) }] } : "nonsense");
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(one.lane("1", HOURS, 1000)).toMatchObject({ ranges: [], markers: [] });
  });
});

describe("the next event", () => {
  it("is found before and after, however far", async () => {
    const one = recordings();
    expect((await one.neighbour(["1"], NOW - 20 * MINUTE, -1))?.at).toBe(Date.UTC(2026, 2, 12, 14));
    expect((await one.neighbour(["1"], NOW - 3 * DAY, 1))?.at).toBe(Date.UTC(2026, 2, 11, 15));
  });
  it("is another one than that which is shown, though its picture is a moment older", async () => {
    const one = recordings();
    const here = Date.UTC(2026, 2, 12, 12);
    for (const at of [here, here - 30, here + 400]) {
      expect((await one.neighbour(["1"], at, 1))?.at).toBe(here + HOUR);
      expect((await one.neighbour(["1"], at, -1))?.at).toBe(here - HOUR);
    }
  });
  it("is none where there is none, and nobody asks for ever", async () => {
    const one = recordings();
    answer = (path) => (path.endsWith("/events") ? { events: [] } : { bookmarks: [] });
    expect(await one.neighbour(["1"], NOW - DAY, -1)).toBeNull();
    expect(await one.neighbour(["1"], NOW - DAY, 1)).toBeNull();
    expect(asked.length).toBeLessThan(30);
  });
});

describe("bookmarks", () => {
  it("are saved, changed, hidden and removed", async () => {
    const one = recordings();
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(one.lane("1", HOURS, 1000).markers.filter((m) => m.kind === "bookmark").length).toBe(1);
    one.hide("b", true);
    expect(one.lane("1", HOURS, 1000).markers.filter((m) => m.kind === "bookmark").length).toBe(0);
    expect(await one.search({ cameras: ["1"] })).toEqual([]);
    one.hide("b", false);
    expect((await one.search({ text: "v" })).map((b) => b.text)).toEqual(["Van"]);
    const saved = { id: 7, camera: "1", at: iso(NOW - 1000), until: iso(NOW), text: "Gate", user: "léa", mine: true };
    answer = () => saved;
    asked = [];
    expect(await one.save({ id: null, camera: "1", at: NOW - 1000, until: NOW, text: "Gate" })).toMatchObject({ id: "7", until: NOW });
    await one.save({ id: "7", camera: "1", at: NOW - 1000, until: null, text: "Gate" });
    answer = () => null;
    await one.remove("7");
    expect(asked).toEqual(["POST /bookmarks", "PATCH /bookmarks/7", "DELETE /bookmarks/7"]);
    // and what is drawn is asked for again
    answer = day;
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(asked.at(-1)).toBe("GET /bookmarks");
  });
});

describe("what the server tells by itself", () => {
  it("is asked for: a bookmark of somebody else, an event of just now", async () => {
    const one = recordings();
    one.lane("1", HOURS, 1000);
    await arrived();
    asked = [];
    const before = one.moments.get();
    one.told("bookmark_changed", { id: "x", camera: "1" });
    expect(one.moments.get()).toBe(before + 1);
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(asked).toEqual(["GET /bookmarks"]);
    asked = [];
    one.told("camera_event", { camera: "1", at: iso(NOW - MINUTE), kind: "motion" });
    one.told("camera_event", { camera: "of another page", at: iso(NOW) });
    one.told("camera_event", null);
    one.told("camera_state", { id: "1" });
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(asked).toEqual(["GET /cameras/1/events"]);
  });
  it("comes page by page where there is much of it", async () => {
    const one = recordings();
    let page = 0;
    answer = (path, query) => {
      if (!path.endsWith("/bookmarks")) return day(path, query);
      expect(query.get("after")).toBe(page === 0 ? null : String(page));
      page++;
      return { bookmarks: [{ id: `b${page}`, camera: "1", at: iso(NOW - page * 1000), until: null, text: "x", user: null, mine: false }], next: page < 3 ? String(page) : null };
    };
    one.lane("1", HOURS, 1000);
    await arrived();
    expect(one.lane("1", HOURS, 1000).markers.filter((m) => m.kind === "bookmark").map((m) => m.id)).toEqual(["b3", "b2", "b1"]);
  });
});

describe("scrub pictures", () => {
  it("come with their own time, or are known not to be", async () => {
    const fetched = vi.fn(async () => new Response("jpeg", { headers: { "X-Picture-Time": "2026-03-12T14:00:00.120Z" } }));
    const one = new Recordings({ call: async () => null, open: fetched }, () => now, ended);
    const { signal } = new AbortController();
    expect(await one.fetch("1", NOW, signal)).toMatchObject({ at: Date.UTC(2026, 2, 12, 14, 0, 0, 120) });
    expect(fetched).toHaveBeenCalledWith("/cameras/1/snapshot.jpg?at=2026-03-12T14%3A30%3A00.000Z&width=320", signal);
    fetched.mockRejectedValueOnce(new ApiError(404, "no_recording", ""));
    await expect(one.fetch("1", NOW, signal)).rejects.toBeInstanceOf(NoPicture);
    fetched.mockRejectedValueOnce(new Unreachable(""));
    await expect(one.fetch("1", NOW, signal)).rejects.toBeInstanceOf(Unreachable);
  });
});
