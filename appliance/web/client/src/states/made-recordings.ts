/** Recordings that nobody made, the same every time: for pictures of the timeline. */

import type { Bookmark, BookmarkDraft, Bookmarks, LaneCamera, LaneData, Marker, ScrubPictureData, ScrubSource, Span, TimelineData } from "../logic/timeline/contract";
import { clip, missing, normalise } from "../logic/timeline/spans";
import { DAY, HOUR, MINUTE, SECOND, Zone } from "../logic/timeline/zone";
import { Store } from "../logic/store";

export const ZONE = "Europe/Paris";
const PARIS = new Zone(ZONE);
export const at = (hour: number, minute = 0, second = 0, ms = 0): number => PARIS.at(2026, 3, 12, hour, minute, second, ms);
export const MADE_NOW = at(14, 46, 48);

export const CAMERAS: readonly LaneCamera[] = [
  { id: "1", name: "Front gate", export: true },
  { id: "2", name: "Loading dock", export: true },
  { id: "3", name: "Car park east", export: false },
];
export const NINE: readonly LaneCamera[] = Array.from({ length: 9 }, (_, i) => ({ id: `n${i}`, name: i === 4 ? "A camera with a name that is longer than its place" : `Camera ${i + 1}`, export: true }));

function random(seed: number): () => number {
  let value = seed;
  return () => (value = (value * 16807) % 2147483647) / 2147483647;
}

interface Made {
  readonly ranges: readonly Span[];
  readonly movement: readonly Span[];
  readonly markers: readonly Marker[];
}

const GAPS: Readonly<Record<string, readonly Span[]>> = {
  "2": [{ from: at(14, 18), to: at(14, 20, 42) }],
  "3": [{ from: at(14, 37, 12), to: at(14, 42) }],
};
const MARKS: readonly (readonly [camera: string, kind: Marker["kind"], at: number, what: string, text: string])[] = [
  ["1", "event", at(14, 10, 12), "motion", "Person"], ["1", "alarm", at(14, 18, 18), "alarm", "Line crossed"], ["1", "event", at(14, 28, 12), "motion", "Vehicle"],
  ["1", "event", at(14, 34, 48), "motion", "Person"], ["2", "event", at(14, 4, 48), "input", "Door"], ["2", "event", at(14, 24, 36), "input", "Door"],
  ["2", "event", at(14, 31, 12), "input", "Door"], ["3", "event", at(13, 58, 48), "motion", "Vehicle"], ["3", "event", at(14, 15, 36), "motion", "Vehicle"],
  ["3", "alarm", at(14, 30), "alarm", "Tampering"],
];

function lane(id: string, seed: number): Made {
  const r = random(seed * 97 + 11);
  const whole: Span = { from: MADE_NOW - 40 * DAY, to: MADE_NOW - 3000 };
  const gaps = [...(GAPS[id] ?? [])];
  for (let day = 1; day < 40; day++) {
    const from = MADE_NOW - day * DAY - r() * 8 * HOUR;
    if (r() < 0.4) gaps.push({ from, to: from + r() * (r() < 0.2 ? 30 : 3) * HOUR });
  }
  gaps.push({ from: PARIS.at(2026, 3, 4), to: PARIS.at(2026, 3, 5) }); // a day without any
  const movement: Span[] = [];
  for (let t = MADE_NOW - 2 * DAY; t < MADE_NOW; ) {
    // more by day than by night
    const { hour } = PARIS.local(t);
    t += (0.1 + r() * 2) * (hour < 6 || hour > 20 ? 25 : 3) * MINUTE;
    const long = r() * (hour < 6 || hour > 20 ? 1 : 3) * MINUTE;
    movement.push({ from: t, to: Math.min(t + long, MADE_NOW) });
    t += long;
  }
  const markers: Marker[] = MARKS.filter(([camera]) => camera === id).map(([camera, kind, when, what, text], i) => ({ kind, id: `${id}-${i}`, camera, at: when, until: null, text, what }));
  for (let i = 0; i < (id.startsWith("n") ? 60 : 8); i++) {
    const when = MADE_NOW - 2 * HOUR - r() * 2 * DAY;
    markers.push({ kind: r() < 0.15 ? "alarm" : "event", id: `${id}+${i}`, camera: id, at: when, until: null, text: "Person", what: "motion" });
  }
  const ranges = missing(normalise(gaps), whole);
  return { ranges, movement: normalise(movement).flatMap((m) => clip(ranges, m)), markers };
}

/** Much more than anybody records: for measuring. */
function load(id: string, seed: number): Made {
  const r = random(seed * 31 + 7);
  const ranges: Span[] = [];
  const movement: Span[] = [];
  const markers: Marker[] = [];
  for (let t = MADE_NOW - DAY; t < MADE_NOW - MINUTE; t += 40 * SECOND) ranges.push({ from: t, to: t + (12 + r() * 26) * SECOND });
  for (let t = MADE_NOW - DAY; t < MADE_NOW - MINUTE; t += 90 * SECOND) movement.push({ from: t, to: t + r() * 80 * SECOND });
  for (let i = 0; i < 600; i++) markers.push({ kind: r() < 0.1 ? "alarm" : "event", id: `${id}${i}`, camera: id, at: MADE_NOW - r() * DAY, until: null, text: "", what: "motion" });
  return { ranges, movement, markers };
}

const BOOKMARK: Bookmark = { kind: "bookmark", id: "b1", camera: "1", at: at(14, 26, 24), until: null, text: "Delivery refused", user: "léa", mine: true };
const OLDER: Bookmark = { kind: "bookmark", id: "b2", camera: "3", at: at(9, 12) - DAY, until: at(9, 16) - DAY, text: "Two people at the fence", user: "guard post", mine: false };

export class MadeRecordings implements TimelineData, Bookmarks, ScrubSource {
  readonly version = new Store(0);
  readonly moments = new Store(0);
  readonly #lanes = new Map<string, LaneData>();
  #bookmarks: Bookmark[] = [OLDER, BOOKMARK];

  constructor(
    /** Nothing is known, nothing was recorded, nothing came, or as above. */
    private readonly how: "some" | "much" | "none" | "unknown" | "failed" = "some",
  ) {}

  lane(camera: string): LaneData {
    let data = this.#lanes.get(camera);
    if (!data) {
      const seed = Number(camera.replace("n", "")) + 1;
      const made: Made = this.how === "much" ? load(camera, seed) : this.how === "some" ? lane(camera, seed) : { ranges: [], movement: [], markers: [] };
      const known = this.how === "unknown" || this.how === "failed" ? [] : [{ from: MADE_NOW - 400 * DAY, to: MADE_NOW }];
      const markers = [...made.markers, ...(this.how === "some" ? this.#bookmarks.filter((b) => b.camera === camera) : [])].sort((a, b) => a.at - b.at);
      this.#lanes.set(camera, (data = { ...made, markers, known, failed: this.how === "failed" }));
    }
    return data;
  }

  bounds(): Span | null {
    return this.how === "some" || this.how === "much" ? { from: MADE_NOW - 40 * DAY, to: MADE_NOW } : null;
  }

  async neighbour(): Promise<Marker | null> {
    return null;
  }

  async recorded(cameras: readonly string[], span: Span): Promise<Span[]> {
    return normalise(cameras.flatMap((c) => clip(this.lane(c).ranges, span)));
  }

  async markers(cameras: readonly string[], span: Span): Promise<Marker[]> {
    return cameras.flatMap((c) => this.lane(c).markers.filter((m) => m.at >= span.from && m.at < span.to)).sort((a, b) => a.at - b.at);
  }

  async search({ text = "" }: { readonly text?: string }): Promise<Bookmark[]> {
    return this.#bookmarks.filter((b) => b.text.toLowerCase().includes(text.toLowerCase()));
  }

  async save(draft: BookmarkDraft): Promise<Bookmark> {
    const saved: Bookmark = { ...draft, kind: "bookmark", id: draft.id ?? String(Math.random()), user: "léa", mine: true };
    this.#bookmarks = [...this.#bookmarks.filter((b) => b.id !== saved.id), saved];
    this.#changed();
    return saved;
  }

  async remove(id: string): Promise<void> {
    this.hide(id);
  }

  hide(id: string): void {
    this.#bookmarks = this.#bookmarks.filter((b) => b.id !== id);
    this.#changed();
  }

  #changed(): void {
    this.#lanes.clear();
    this.version.update((n) => n + 1);
    this.moments.update((n) => n + 1);
  }

  /** A drawing of the time that was asked for. */
  async fetch(camera: string, when: number): Promise<ScrubPictureData> {
    await new Promise((done) => setTimeout(done, 120));
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 180;
    const g = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    if (g) {
      ["--pic-bg", "--tl-rec", "--tl-rec-hi", "--attn"].forEach((name, i) => {
        g.fillStyle = style.getPropertyValue(name);
        g.fillRect(((when / 1000 + i * 60) % 320) - 40 * Number(i > 0), i * 36, i === 0 ? 640 : 80, 180);
      });
    }
    const picture = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg"));
    if (!picture) throw new Error(`no picture of ${camera}`);
    return { picture, at: when };
  }
}
