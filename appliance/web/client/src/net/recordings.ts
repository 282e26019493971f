/**
 * What was recorded, what happened and what was written down about it, for the timeline: asked for by visible span and
 * resolution, kept, and asked for again where it reaches to now.
 */

import { instant, movementOf, readBookmark, readBookmarks, readEvents, readRecorded, rfc3339 } from "../logic/timeline/answers";
import { Chunks, LEVELS, levelFor, type Level, type Wanted } from "../logic/timeline/chunks";
import type { Bookmark, BookmarkDraft, Bookmarks, LaneData, Marker, ScrubPictureData, ScrubSource, Span, TimelineData } from "../logic/timeline/contract";
import { NoPicture } from "../logic/timeline/scrub";
import { clip, missing, normalise } from "../logic/timeline/spans";
import { DAY, HOUR, MINUTE, SECOND } from "../logic/timeline/zone";
import { isRecord, text } from "../logic/messages";
import { Store } from "../logic/store";
import { ApiError, type Api } from "./api";

/** While the view moves nothing is asked for. */
const REST_MS = 60;
const AT_ONCE = 4;
const MOST_WAITING = 48;
const LEAST_REFRESH_MS = 3 * SECOND;
const MOST_REFRESH_MS = MINUTE;
const PAGE = 1000;
const MOST_PAGES = 5;
/** How far to look for the next event, step by step. */
const REACHES: readonly number[] = [HOUR, 6 * HOUR, DAY, 7 * DAY, 31 * DAY, 366 * DAY];
/** The picture that shows an event may be from a moment before it, and some time has gone by when the next key is pressed. */
const HERE_MS = 500;
const SCRUB_WIDTH = 320;

interface Job {
  readonly run: () => Promise<void>;
  readonly drop: () => void;
}

interface Lane {
  readonly key: string;
  readonly data: LaneData;
}

interface Camera {
  readonly ranges: Chunks<readonly Span[]>;
  readonly events: Chunks<readonly Marker[]>;
  readonly lanes: Map<string, Lane>;
  bounds: Span | null;
}

/** Of what lasts, the parts count: it stands in every chunk that it reaches into. */
const inside = <T extends Marker>(list: readonly T[], span: Span): T[] => list.filter((m) => m.at < span.to && (m.until ?? m.at) >= span.from);

function known<T>(value: T | null): T {
  if (value === null) throw new ApiError(502, "unreadable", "");
  return value;
}

function queryOf(parts: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parts).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return new URLSearchParams(given).toString();
}

export class Recordings implements TimelineData, Bookmarks, ScrubSource {
  readonly version = new Store(0);
  readonly moments = new Store(0);
  readonly #cameras = new Map<string, Camera>();
  readonly #bookmarks = new Chunks<readonly Bookmark[]>();
  readonly #hidden = new Set<string>();
  #waiting: Job[] = [];
  #running = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #ended = false;

  constructor(
    private readonly api: Pick<Api, "call" | "open">,
    /** The server's time. */
    private readonly now: () => number,
    private readonly sessionEnded: () => void,
  ) {}

  #camera(id: string): Camera {
    let camera = this.#cameras.get(id);
    if (!camera) this.#cameras.set(id, (camera = { ranges: new Chunks(), events: new Chunks(), lanes: new Map(), bounds: null }));
    return camera;
  }

  #changed(): void {
    this.version.update((n) => n + 1);
  }

  #momentsChanged(): void {
    if (!this.#ended) this.moments.update((n) => n + 1);
  }

  // — what is drawn

  lane(id: string, span: Span, msPerPx: number): LaneData {
    const camera = this.#camera(id);
    const level = levelFor(msPerPx);
    const wanted = camera.ranges.range(span, level);
    this.#ask(id, camera, wanted, msPerPx);
    const key = `${level} ${wanted.first} ${wanted.last} ${camera.ranges.version} ${camera.events.version} ${this.#bookmarks.version}`;
    const place = `${level} ${wanted.last - wanted.first}`;
    const before = camera.lanes.get(place);
    if (before?.key === key) return before.data;
    const data = this.#collect(id, camera, wanted, before?.data ?? null);
    camera.lanes.set(place, { key, data });
    if (camera.lanes.size > 16) camera.lanes.delete(camera.lanes.keys().next().value ?? "");
    return data;
  }

  #collect(id: string, camera: Camera, wanted: Wanted, before: LaneData | null): LaneData {
    const { chunk } = LEVELS[wanted.level] as Level;
    const whole: Span = { from: wanted.first * chunk, to: (wanted.last + 1) * chunk };
    let ranges: Span[] = [];
    let seen: Span[] = [];
    let failed = false;
    // what this level does not know yet is drawn from the nearest one that does
    const levels = [...LEVELS.keys()].sort((a, b) => Math.abs(a - wanted.level) - Math.abs(b - wanted.level));
    for (const level of levels) {
      const { first, last } = camera.ranges.range(whole, level);
      if (level !== wanted.level && last - first > 64) continue;
      for (let index = first; index <= last; index++) {
        if (level === wanted.level) failed ||= camera.ranges.failed(level, index);
        const got = camera.ranges.get(level, index);
        if (!got) continue;
        const { from } = camera.ranges.spanOf(level, index);
        for (const hole of missing(seen, { from: Math.max(from, whole.from), to: Math.min(got.known, whole.to) })) {
          ranges.push(...clip(got.items, hole));
          seen.push(hole);
        }
        seen = normalise(seen);
      }
      if (missing(seen, { from: whole.from, to: Math.min(whole.to, this.now()) }).length === 0) break;
    }
    ranges = normalise(ranges, 1);
    const events = this.#gather(camera.events, wanted);
    const bookmarks = this.#gather(this.#bookmarks, wanted).filter((b) => b.camera === id && !this.#hidden.has(b.id));
    const { movement, rest } = movementOf(events);
    const markers = [...rest, ...bookmarks].sort((a, b) => a.at - b.at);
    // lists that say the same stay the same, so that nothing made of them is made again
    const told = same(before?.markers, markers, (a, b) => a.kind === b.kind && a.id === b.id && a.at === b.at && a.text === b.text);
    // nobody is told while something is drawn
    if (before && told !== before.markers) queueMicrotask(() => this.#momentsChanged());
    return {
      ranges: same(before?.ranges, ranges, (a, b) => a.from === b.from && a.to === b.to),
      known: seen,
      movement: same(before?.movement, movement, (a, b) => a.from === b.from && a.to === b.to),
      markers: told,
      failed,
    };
  }

  #gather<T extends { readonly id: string }>(chunks: Chunks<readonly T[]>, wanted: Wanted): T[] {
    const out = new Map<string, T>();
    for (let index = wanted.first; index <= wanted.last; index++) {
      for (const item of chunks.get(wanted.level, index)?.items ?? []) out.set(item.id, item);
    }
    return [...out.values()];
  }

  bounds(cameras: readonly string[]): Span | null {
    const all = cameras.map((id) => this.#cameras.get(id)?.bounds ?? null).filter((b) => b !== null);
    if (all.length === 0) return null;
    return { from: Math.min(...all.map((b) => b.from)), to: Math.max(...all.map((b) => b.to)) };
  }

  // — what is asked

  #ask(id: string, camera: Camera, wanted: Wanted, msPerPx: number): void {
    const now = this.now();
    const refresh = Math.min(MOST_REFRESH_MS, Math.max(LEAST_REFRESH_MS, 2 * msPerPx));
    for (const part of camera.ranges.due(wanted, now, refresh)) {
      this.#later(camera.ranges, part, async (span) => {
        const got = await this.#ranges(id, span, (LEVELS[part.level] as Level).resolution);
        return (piece) => clip(got, piece);
      });
    }
    for (const part of camera.events.due(wanted, now, refresh)) {
      this.#later(camera.events, part, async (span) => {
        const got = await this.#events(id, span);
        return (piece) => inside(got, piece);
      });
    }
    for (const part of this.#bookmarks.due(wanted, now, MOST_REFRESH_MS)) {
      this.#later(this.#bookmarks, part, async (span) => {
        const got = await this.#bookmarksOf(span);
        return (piece) => inside(got, piece);
      });
    }
  }

  #later<T>(chunks: Chunks<T>, part: Wanted, fetch: (span: Span) => Promise<(piece: Span) => T>): void {
    const span = { from: chunks.spanOf(part.level, part.first).from, to: chunks.spanOf(part.level, part.last).to };
    this.#waiting.push({
      run: async () => {
        const asked = this.now();
        try {
          chunks.came(part, asked, await fetch(span));
        } catch (error) {
          if (error instanceof ApiError && error.status === 401) this.sessionEnded();
          chunks.failedToCome(part, this.now());
        }
        this.#changed();
      },
      drop: () => chunks.dropped(part),
    });
    // the view has moved on: the oldest wish is given up, and wished again if it is seen again
    while (this.#waiting.length > MOST_WAITING) this.#waiting.shift()?.drop();
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#next();
    }, REST_MS);
  }

  #next(): void {
    while (this.#running < AT_ONCE && !this.#ended) {
      const job = this.#waiting.pop();
      if (!job) return;
      this.#running++;
      void job.run().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  end(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const job of this.#waiting) job.drop();
    this.#waiting = [];
  }

  async #ranges(id: string, span: Span, resolution: number): Promise<Span[]> {
    const query = queryOf({ from: rfc3339(span.from), to: rfc3339(span.to), resolution });
    const got = known(readRecorded(await this.api.call("GET", `/cameras/${encodeURIComponent(id)}/recordings?${query}`)));
    if (got.first !== null) this.#camera(id).bounds = { from: got.first, to: got.last ?? this.now() };
    return got.ranges;
  }

  async #events(id: string, span: Span): Promise<Marker[]> {
    const all = new Map<string, Marker>();
    let { from } = span;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = queryOf({ from: rfc3339(from), to: rfc3339(span.to), limit: PAGE });
      const got = known(readEvents(await this.api.call("GET", `/cameras/${encodeURIComponent(id)}/events?${query}`), id));
      for (const event of got) all.set(event.id, event);
      const last = got.at(-1);
      if (got.length < PAGE || !last || last.at <= from) break;
      from = last.at;
    }
    return [...all.values()].sort((a, b) => a.at - b.at);
  }

  // — lists, the calendar, the next event

  async recorded(cameras: readonly string[], span: Span, resolution: number): Promise<Span[]> {
    const all = await Promise.all(cameras.map((id) => this.#ranges(id, span, resolution)));
    return normalise(all.flat());
  }

  async markers(cameras: readonly string[], span: Span): Promise<Marker[]> {
    const [bookmarks, ...events] = await Promise.all([this.search({ cameras, span, limit: PAGE }), ...cameras.map((id) => this.#events(id, span))]);
    return [...events.flat(), ...bookmarks].sort((a, b) => a.at - b.at);
  }

  async neighbour(cameras: readonly string[], at: number, by: 1 | -1): Promise<Marker | null> {
    let near = at;
    const now = this.now();
    const first = this.bounds(cameras)?.from ?? now - 366 * DAY;
    for (const reach of REACHES) {
      const far = by > 0 ? Math.min(at + reach, now + SECOND) : Math.max(at - reach, first);
      const span = by > 0 ? { from: near, to: far } : { from: far, to: near };
      if (span.to > span.from) {
        const found = (await this.markers(cameras, span)).filter((m) => (by > 0 ? m.at > at + HERE_MS : m.at < at - HERE_MS));
        const marker = by > 0 ? found[0] : found.at(-1);
        if (marker) return marker;
      }
      if (by > 0 ? far > now : far <= first) return null;
      near = far;
    }
    return null;
  }

  // — bookmarks

  async search(query: Parameters<Bookmarks["search"]>[0]): Promise<Bookmark[]> {
    const { cameras, span, limit } = query;
    const one = cameras?.length === 1 ? cameras[0] : undefined;
    const asked = queryOf({ camera: one, from: span && rfc3339(span.from), to: span && rfc3339(span.to), q: query.text === "" ? undefined : query.text, limit });
    const got = known(readBookmarks(await this.api.call("GET", `/bookmarks?${asked}`)));
    return got.filter((b) => !this.#hidden.has(b.id) && (!cameras || cameras.includes(b.camera)));
  }

  async save(draft: BookmarkDraft): Promise<Bookmark> {
    const until = draft.until === null ? null : rfc3339(draft.until);
    const body = { at: rfc3339(draft.at), text: draft.text };
    const saved =
      draft.id === null
        ? await this.api.call("POST", "/bookmarks", { camera: draft.camera, ...body, ...(until === null ? {} : { until }) })
        : await this.api.call("PATCH", `/bookmarks/${encodeURIComponent(draft.id)}`, { ...body, until });
    const bookmark = known(readBookmark(saved));
    this.#touch(bookmark.at);
    return bookmark;
  }

  async remove(id: string): Promise<void> {
    await this.api.call("DELETE", `/bookmarks/${encodeURIComponent(id)}`);
    this.#touch(null);
  }

  /** All of a span, page by page, the newest first. */
  async #bookmarksOf(span: Span): Promise<Bookmark[]> {
    const all: Bookmark[] = [];
    let after: string | null = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = queryOf({ from: rfc3339(span.from), to: rfc3339(span.to), limit: PAGE, after: after ?? undefined });
      const body = await this.api.call("GET", `/bookmarks?${query}`);
      all.push(...known(readBookmarks(body)));
      after = isRecord(body) ? text(body["next"]) : null;
      if (after === null) break;
    }
    return all.sort((a, b) => a.at - b.at);
  }

  hide(id: string, hidden: boolean): void {
    if (hidden) this.#hidden.add(id);
    else this.#hidden.delete(id);
    this.#bookmarks.version++;
    this.#changed();
    this.#momentsChanged();
  }

  /** Bookmarks changed at a time, or somewhere. */
  #touch(at: number | null): void {
    this.#bookmarks.touch(at);
    this.#changed();
    this.#momentsChanged();
  }

  // — what the server tells by itself

  told(event: string, body: unknown): void {
    if (!isRecord(body)) return;
    // it may have stood elsewhere before
    if (event === "bookmark_changed" || event === "bookmark_removed") this.#touch(null);
    else if (event === "camera_event") {
      const camera = typeof body["camera"] === "string" ? this.#cameras.get(body["camera"]) : undefined;
      const at = instant(body["at"]);
      if (!camera || at === null) return;
      camera.events.touch(at);
      this.#changed();
      this.#momentsChanged();
    }
  }

  // — scrub pictures

  async fetch(camera: string, at: number, signal: AbortSignal): Promise<ScrubPictureData> {
    const query = queryOf({ at: rfc3339(at), width: SCRUB_WIDTH });
    try {
      const response = await this.api.open(`/cameras/${encodeURIComponent(camera)}/snapshot.jpg?${query}`, signal);
      return { picture: await response.blob(), at: instant(response.headers.get("X-Picture-Time")) };
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.sessionEnded();
      // not recorded, not allowed: asking again would not help
      if (error instanceof ApiError && [403, 404].includes(error.status)) throw new NoPicture();
      throw error;
    }
  }
}

function same<T>(before: readonly T[] | undefined, now: readonly T[], equal: (a: T, b: T) => boolean): readonly T[] {
  return before?.length === now.length && now.every((item, i) => equal(item, before[i] as T)) ? before : now;
}
