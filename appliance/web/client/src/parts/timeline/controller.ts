/**
 * What the canvas shows and when it is drawn again.  Lives outside Preact: nothing renders while time goes on.  It draws
 * when something it shows has changed by what can be seen, and at most once a frame.
 */

import { centred, follow, limitShown, panBy, spanOf, within, xOf, zoomTo, type Axis } from "../../logic/timeline/axis";
import type { LaneCamera, LaneData, Marker, SeekHow, Shared, Span, TimelineData, Watched } from "../../logic/timeline/contract";
import { addShares } from "../../logic/timeline/lod";
import { pinNear, pinsOf, type Pin } from "../../logic/timeline/markers";
import { holds } from "../../logic/timeline/spans";
import type { Times } from "../../logic/timeline/times";
import { DAY, HOUR, SECOND } from "../../logic/timeline/zone";
import { laneAt, layoutFor, RULER, type Layout } from "./layout";
import { OVERVIEW_BAR, paint, type Overview, type Words } from "./paint";
import { laneMarkers } from "./paint-pins";
import { paletteOf, type Palette } from "./palette";

export interface Inputs {
  readonly cameras: readonly LaneCamera[];
  readonly data: TimelineData;
  readonly position: Watched<number>;
  readonly now: () => number;
  readonly shown: Shared<number>;
  readonly selection: Shared<Span | null>;
  readonly times: Times;
  readonly words: Words;
  /** The playhead stands in the middle, and time moves below it. */
  readonly middle: boolean;
  readonly onSeek: (utcMs: number, how: SeekHow) => void;
}

/** Of recording, at an instant. */
export type Recorded = "recorded" | "not" | "unknown";

const OVERVIEW_LABELS = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22];
const OVERVIEW_LABEL_PX = 64;
/** A step of the position that is no playing but a jump. */
const JUMP_MS = 10 * SECOND;
const NO_MARKERS: readonly Marker[] = [];

export class TimelineController {
  axis: Axis;
  layout: Layout;
  hover: number | null = null;
  /** While it is dragged the playhead is where the hand is. */
  held: number | null = null;
  /** A hand is on it. */
  busy = false;
  /** The last redraw, in ms: for those who measure. */
  cost = 0;

  readonly #g: CanvasRenderingContext2D | null;
  #palette: Palette | null = null;
  #inputs: Inputs;
  #frame = 0;
  #ratio = 0;
  #before: number;
  #drawnAt = Number.NaN;
  #setting = false;
  #focused = false;
  #ends: (() => void)[] = [];
  #bookmarks: { readonly key: readonly (readonly Marker[])[]; readonly list: readonly Marker[] } = { key: [], list: NO_MARKERS };
  #overview: { readonly key: string; readonly made: Overview } | null = null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly box: HTMLElement,
    inputs: Inputs,
  ) {
    this.#g = canvas.getContext("2d", { alpha: false });
    this.#inputs = inputs;
    this.#before = inputs.position.get();
    this.layout = layoutFor(box.clientWidth || 320, inputs.cameras.length, inputs.middle);
    this.axis = centred({ from: 0, msPerPx: 1, left: this.layout.left, width: this.layout.width - this.layout.left }, this.#before);
    this.#relayout();
    this.#show(inputs.shown.get());
    const resized = new ResizeObserver(() => this.#relayout());
    resized.observe(box);
    const tick = setInterval(() => this.dirty(), 1000);
    const themed = new MutationObserver(() => this.recolour());
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const forced = matchMedia("(forced-colors: active)");
    const recolour = (): void => this.recolour();
    forced.addEventListener("change", recolour);
    this.#ends = [() => resized.disconnect(), () => clearInterval(tick), () => themed.disconnect(), () => forced.removeEventListener("change", recolour)];
    this.#watch();
  }

  #unwatch: (() => void)[] = [];

  #watch(): void {
    const { position, shown, selection, data } = this.#inputs;
    this.#unwatch = [
      position.subscribe(() => this.#moved()),
      shown.subscribe(() => !this.#setting && this.#show(shown.get())),
      selection.subscribe(() => this.dirty()),
      data.version.subscribe(() => this.dirty()),
    ];
  }

  get inputs(): Inputs {
    return this.#inputs;
  }

  update(inputs: Inputs): void {
    const was = this.#inputs;
    if (was === inputs) return;
    this.#inputs = inputs;
    if (was.position !== inputs.position || was.shown !== inputs.shown || was.selection !== inputs.selection || was.data !== inputs.data) {
      for (const end of this.#unwatch) end();
      this.#watch();
    }
    if (was.cameras.length !== inputs.cameras.length || was.middle !== inputs.middle) this.#relayout();
    if (was.times !== inputs.times || was.cameras !== inputs.cameras) this.#overview = null;
    this.dirty();
  }

  end(): void {
    for (const end of [...this.#ends, ...this.#unwatch]) end();
    cancelAnimationFrame(this.#frame);
  }

  set focused(focused: boolean) {
    this.#focused = focused;
    this.dirty();
  }

  recolour(): void {
    this.#palette = null;
    this.dirty();
  }

  // — where time stands

  get position(): number {
    return this.held ?? this.#inputs.position.get();
  }

  /** All that may be looked at: what was recorded, and a little of what is to come. */
  get bounds(): Span {
    const now = this.#inputs.now();
    const known = this.#inputs.data.bounds(this.#inputs.cameras.map((c) => c.id));
    const from = Math.min(known?.from ?? now - 366 * DAY, this.#inputs.position.get());
    return { from, to: Math.max(now, this.#inputs.position.get()) + 1 };
  }

  /** An instant that can be played. */
  limit(at: number): number {
    const { from } = this.bounds;
    return Math.min(Math.max(at, from), this.#inputs.now());
  }

  set(axis: Axis): void {
    const { middle, shown } = this.#inputs;
    const limited = middle ? centred(axis, this.position) : within(axis, this.bounds);
    const changed = limited.msPerPx !== this.axis.msPerPx;
    if (!changed && limited.from === this.axis.from && limited.left === this.axis.left && limited.width === this.axis.width) return;
    this.axis = limited;
    if (changed) {
      this.#setting = true;
      shown.set(limited.msPerPx * limited.width);
      this.#setting = false;
    }
    this.dirty();
  }

  pan(dx: number): void {
    this.set(panBy(this.axis, dx));
  }

  /** About the playhead where it can be seen, else about the middle. */
  #show(shown: number): void {
    const x = xOf(this.axis, this.position);
    const { left, width } = this.axis;
    const about = !this.#inputs.middle && x >= left && x <= left + width ? x : left + width / 2;
    this.set(zoomTo(this.axis, about, limitShown(shown)));
  }

  #moved(): void {
    const at = this.#inputs.position.get();
    const before = this.#before;
    this.#before = at;
    if (this.held !== null || this.busy) return;
    if (this.#inputs.middle) this.axis = centred(this.axis, at);
    else {
      let next = within(follow(this.axis, at, before), this.bounds);
      const { from, to } = spanOf(next);
      if (Math.abs(at - before) > JUMP_MS && (at < from || at > to)) next = within(centred(next, at), this.bounds);
      this.axis = next;
    }
    // what moves by less than can be seen is not drawn
    const x = this.#inputs.middle ? at / this.axis.msPerPx : xOf(this.axis, at);
    if (Math.abs(x - this.#drawnAt) * this.#ratio >= 0.5 || Number.isNaN(this.#drawnAt)) this.dirty();
  }

  #relayout(): void {
    const width = this.box.clientWidth || 320;
    const shown = this.axis.msPerPx * this.axis.width;
    this.layout = layoutFor(width, this.#inputs.cameras.length, this.#inputs.middle);
    const inner = width - this.layout.left;
    // what stood at the playhead stays there
    this.axis = { from: this.axis.from, msPerPx: shown / inner, left: this.layout.left, width: inner };
    if (this.#inputs.middle) this.axis = centred(this.axis, this.position);
    this.#ratio = 0;
    this.#overview = null;
    this.dirty();
  }

  // — what is where

  lane(index: number): LaneData | null {
    const camera = this.#inputs.cameras[index];
    return camera ? this.#inputs.data.lane(camera.id, spanOf(this.axis), this.axis.msPerPx) : null;
  }

  laneAt(y: number): number | null {
    return laneAt(this.layout, y);
  }

  recorded(index: number, at: number): Recorded {
    const lane = this.lane(index);
    if (!lane) return "unknown";
    if (holds(lane.ranges, at)) return "recorded";
    return holds(lane.known, at) ? "not" : "unknown";
  }

  /** The pin below a point, no further than `reach` pixels. */
  pinAt(x: number, y: number, reach: number): Pin | null {
    const { axis } = this;
    const at = axis.from + (x - axis.left) * axis.msPerPx;
    if (y <= RULER + 2) return pinNear(pinsOf(this.#allBookmarks(), axis.msPerPx), at, reach * axis.msPerPx);
    const index = this.laneAt(y);
    const lane = index === null ? null : this.lane(index);
    return lane ? pinNear(pinsOf(laneMarkers(lane), axis.msPerPx), at, reach * axis.msPerPx) : null;
  }

  #allBookmarks(): readonly Marker[] {
    const lists = this.#inputs.cameras.map((_, i) => this.lane(i)?.markers ?? NO_MARKERS);
    const { key } = this.#bookmarks;
    if (key.length !== lists.length || lists.some((list, i) => list !== key[i])) {
      const list = lists.flat().filter((m) => m.kind === "bookmark").sort((a, b) => a.at - b.at);
      this.#bookmarks = { key: lists, list };
    }
    return this.#bookmarks.list;
  }

  /** What stands at a point of the overview. */
  overviewTime(x: number): number {
    const { span } = this.overview();
    return span.from + ((x - this.axis.left) / this.axis.width) * (span.to - span.from);
  }

  overview(): Overview {
    const { times, cameras, data } = this.#inputs;
    const { axis } = this;
    const middle = axis.from + (axis.width * axis.msPerPx) / 2;
    const day = axis.width * axis.msPerPx <= 1.05 * DAY;
    let span: Span;
    if (day) {
      const start = times.zone.startOfDay(middle);
      span = { from: start, to: times.zone.startOfDay(middle, 1) };
    } else {
      const { from, to } = this.bounds;
      const shown = spanOf(axis);
      const known = data.bounds(cameras.map((c) => c.id)) ? from : shown.from;
      span = { from: times.zone.startOfDay(Math.min(known, shown.from)), to: times.zone.startOfDay(Math.max(to, shown.to), 1) };
    }
    const msPerPx = (span.to - span.from) / axis.width;
    const lanes = cameras.map((c) => data.lane(c.id, span, msPerPx));
    const key = `${span.from} ${span.to} ${axis.width} ${data.version.get()}`;
    if (this.#overview?.key === key) return this.#overview.made;
    const count = Math.floor(axis.width / OVERVIEW_BAR);
    const shares = new Float32Array(Math.max(1, count));
    const movement = new Float32Array(Math.max(1, count));
    for (const lane of lanes) {
      addShares(lane.ranges, span, count, shares);
      addShares(lane.movement, span, count, movement);
    }
    for (const list of [shares, movement]) for (let i = 0; i < count; i++) list[i] = Math.min(1, (list[i] as number) / Math.max(1, cameras.length));
    const made: Overview = { span, day, shares, movement, labels: day ? this.#hours(span) : this.#days(span) };
    this.#overview = { key, made };
    return made;
  }

  #hours(span: Span): Overview["labels"] {
    const { zone } = this.#inputs.times;
    const { year, month, day } = zone.local(span.from + 12 * HOUR);
    return this.#spread(span, OVERVIEW_LABELS.slice(1).map((hour) => zone.at(year, month, day, hour)), (at) => this.#inputs.times.short(at));
  }

  #days(span: Span): Overview["labels"] {
    const { zone } = this.#inputs.times;
    const days = Math.max(1, Math.ceil((span.to - span.from) / DAY / 12));
    const all: number[] = [];
    for (let at = zone.startOfDay(span.from, 1); at < span.to && all.length < 40; at = zone.startOfDay(at, days)) all.push(at);
    return this.#spread(span, all, (at) => this.#inputs.times.date(at));
  }

  #spread(span: Span, all: readonly number[], say: (at: number) => string): Overview["labels"] {
    const { left, width } = this.axis;
    const labels: { x: number; text: string }[] = [];
    for (const at of all) {
      const x = left + ((at - span.from) / (span.to - span.from)) * width;
      const last = labels.at(-1);
      if (x > left + 24 && x < left + width - 24 && (!last || x - last.x >= OVERVIEW_LABEL_PX)) labels.push({ x, text: say(at) });
    }
    return labels;
  }

  // — drawing

  dirty(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    if (!this.#g) return;
    const began = performance.now();
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const { width, height } = this.layout;
    if (ratio !== this.#ratio || this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.#ratio = ratio;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.height = `${height}px`;
    }
    this.#palette ??= paletteOf(this.box);
    const { cameras, data, now, selection, times, words, middle } = this.#inputs;
    const span = spanOf(this.axis);
    const { position } = this;
    paint(
      this.#g,
      {
        axis: this.axis, layout: this.layout, palette: this.#palette, cameras, lanes: cameras.map((c) => data.lane(c.id, span, this.axis.msPerPx)),
        bookmarks: this.#allBookmarks(), position, now: now(), selection: selection.get(), hover: this.hover, overview: this.overview(), times, words, focused: this.#focused,
      },
      ratio,
    );
    this.#drawnAt = middle ? position / this.axis.msPerPx : xOf(this.axis, position);
    this.cost = performance.now() - began;
  }
}
