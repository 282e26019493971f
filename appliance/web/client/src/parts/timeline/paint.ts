/**
 * Draws the timeline.  Everything that is many is drawn as few paths of one colour: what it costs depends on the pixels,
 * not on how much was recorded.
 */

import { spanOf, xOf, type Axis } from "../../logic/timeline/axis";
import type { LaneCamera, LaneData, Marker, Span } from "../../logic/timeline/contract";
import { bars } from "../../logic/timeline/lod";
import { firstPin, pinAt, pinsOf, type Pin } from "../../logic/timeline/markers";
import { clip, missing } from "../../logic/timeline/spans";
import { clockChanges, ticks } from "../../logic/timeline/ticks";
import type { Times } from "../../logic/timeline/times";
import { HOUR } from "../../logic/timeline/zone";
import { RULER, type Layout, type Row } from "./layout";
import type { Palette } from "./palette";

export interface Words {
  readonly now: string;
  readonly noRecording: string;
  readonly failed: string;
  readonly wholeDay: string;
  readonly everything: string;
}

export interface Overview {
  readonly span: Span;
  /** A day, or all there is. */
  readonly day: boolean;
  /** The share recorded, of all cameras, per bar. */
  readonly shares: Float32Array;
  /** The share in which something moved. */
  readonly movement: Float32Array;
  readonly labels: readonly { readonly x: number; readonly text: string }[];
}

export interface Scene {
  readonly axis: Axis;
  readonly layout: Layout;
  readonly palette: Palette;
  readonly cameras: readonly LaneCamera[];
  readonly lanes: readonly LaneData[];
  /** Bookmarks of all cameras. */
  readonly bookmarks: readonly Marker[];
  readonly position: number;
  readonly now: number;
  readonly selection: Span | null;
  readonly hover: number | null;
  readonly overview: Overview;
  readonly times: Times;
  readonly words: Words;
  /** The one to put forward. */
  readonly focused: boolean;
}

/** One for all: what is drawn is drawn one after the other. */
const BARS = new Float32Array(8192);
/** Width of a bar of the overview. */
export const OVERVIEW_BAR = 2;
const OVERVIEW_LOW = 0.35;
const HATCH_PX = 7;
/** What is recorded is known some seconds later. */
const COMING_MS = 20_000;
const FRESH_MS = 70_000;
const WIDTHS = new Map<string, number>();
const MOST_WIDTHS = 500;

function widthOf(g: CanvasRenderingContext2D, text: string): number {
  const key = `${g.font} ${text}`;
  let width = WIDTHS.get(key);
  if (width === undefined) {
    if (WIDTHS.size > MOST_WIDTHS) WIDTHS.clear();
    WIDTHS.set(key, (width = g.measureText(text).width));
  }
  return width;
}

/** As much of it as fits. */
function fitted(g: CanvasRenderingContext2D, text: string, room: number): string {
  if (widthOf(g, text) <= room) return text;
  const letters = [...text];
  let low = 0;
  let high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (g.measureText(`${letters.slice(0, middle).join("")}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("").trimEnd()}…`;
}

let hatchKey = "";
let hatch: CanvasPattern | null = null;

/** Slanted lines, made once for a colour and a density. */
function hatching(g: CanvasRenderingContext2D, colour: string, ratio: number): CanvasPattern | null {
  const key = `${colour} ${ratio}`;
  if (key === hatchKey) return hatch;
  const size = Math.round(HATCH_PX * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const t = tile.getContext("2d");
  if (!t) return null;
  t.strokeStyle = colour;
  t.lineWidth = ratio;
  t.beginPath();
  for (const shift of [-size, 0, size]) {
    t.moveTo(shift, size);
    t.lineTo(shift + size, 0);
  }
  t.stroke();
  hatchKey = key;
  hatch = g.createPattern(tile, "repeat");
  return hatch;
}

export function paint(g: CanvasRenderingContext2D, scene: Scene, ratio: number): void {
  const { layout, palette, axis } = scene;
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.fillStyle = palette.s1;
  g.fillRect(0, 0, layout.width, layout.height);
  g.textBaseline = "middle";
  g.save();
  g.beginPath();
  g.rect(axis.left, 0, axis.width, layout.height);
  g.clip();
  ruler(g, scene);
  scene.lanes.forEach((lane, i) => laneOf(g, scene, lane, layout.lanes[i] as Row, ratio));
  selection(g, scene);
  scene.lanes.forEach((lane, i) => pinsOfLane(g, scene, lane, layout.lanes[i] as Row));
  flags(g, scene);
  live(g, scene);
  overview(g, scene);
  if (scene.hover !== null) hover(g, scene, scene.hover);
  playhead(g, scene);
  g.restore();
  names(g, scene);
}

function text(g: CanvasRenderingContext2D, colour: string, said: string, x: number, y: number, align: CanvasTextAlign = "center"): void {
  g.fillStyle = colour;
  g.textAlign = align;
  g.fillText(said, x, y);
}

function ruler(g: CanvasRenderingContext2D, { axis, palette, times, layout }: Scene): void {
  g.font = `500 12px ${palette.font}`;
  const all = ticks(axis, times.zone);
  const changes = clockChanges(axis, times.zone);
  for (const major of [false, true]) {
    g.fillStyle = major ? palette.edge : palette.line;
    g.beginPath();
    for (const tick of all) if (tick.major === major) g.rect(Math.round(tick.x), RULER - (major ? 8 : 4), 1, major ? 8 : 4);
    g.fill();
  }
  for (const tick of all) {
    if (!tick.major) continue;
    const said = times.tick(tick);
    const half = widthOf(g, said) / 2;
    if (tick.x - half < axis.left + 2 || tick.x + half > layout.width - 2) continue;
    if (changes.some((change) => Math.abs(change.x - tick.x) < half + 24)) continue;
    text(g, tick.midnight ? palette.text : palette["text-2"], said, tick.x, 12);
  }
  for (const change of changes) {
    // the clock jumps: a sign says by how much, and a line where
    const said = `${change.by < 0 ? "\u2212" : "+"}${Math.abs(change.by) === HOUR ? "1\u202fh" : `${Math.abs(change.by) / 60_000}\u202fmin`}`;
    const width = widthOf(g, said) + 10;
    g.fillStyle = palette.attn;
    g.beginPath();
    g.roundRect(change.x - width / 2, 3, width, 18, 9);
    g.fill();
    g.fillRect(Math.round(change.x), 21, 1, layout.bottom - 21);
    text(g, palette.s1, said, change.x, 12.5);
  }
}

function laneOf(g: CanvasRenderingContext2D, scene: Scene, lane: LaneData, { y, h }: Row, ratio: number): void {
  const { axis, palette, words, now } = scene;
  const { left, width } = axis;
  g.fillStyle = palette["tl-gap"];
  g.fillRect(left, y, width, h);
  const shown = spanOf(axis);
  gaps(g, scene, lane, { y, h }, ratio);

  const low = Math.max(6, Math.round(h * 0.4));
  let n = bars(lane.ranges, shown.from, axis.msPerPx, width, BARS);
  g.fillStyle = palette["tl-rec"];
  g.beginPath();
  for (let i = 0; i < n; i += 2) g.rect(left + (BARS[i] as number), y + h - low, (BARS[i + 1] as number) - (BARS[i] as number), low);
  g.fill();
  n = bars(lane.movement, shown.from, axis.msPerPx, width, BARS, 2);
  if (n > 0) {
    g.fillStyle = palette["tl-rec-hi"];
    g.beginPath();
    // two pixels of movement and one of none, so that it is not taken for a bar that is merely higher
    for (let i = 0; i < n; i += 2) {
      const end = BARS[i + 1] as number;
      for (let x = BARS[i] as number; x < end; x += 3) g.rect(left + x, y + 5, Math.min(2, end - x), h - 5);
    }
    g.fill();
  }
  const future = Math.max(left, xOf(axis, now));
  if (future < left + width) {
    g.globalAlpha = 0.6;
    g.fillStyle = palette.bg;
    g.fillRect(future, y, left + width - future, h);
    g.globalAlpha = 1;
  }
  if (lane.failed) {
    g.font = `500 12px ${palette.font}`;
    text(g, palette["text-2"], words.failed, left + width / 2, y + h / 2 + 0.5);
  }
}

/** What is known not to have been recorded. */
function gaps(g: CanvasRenderingContext2D, scene: Scene, lane: LaneData, { y, h }: Row, ratio: number): void {
  const { axis, palette, words, now } = scene;
  const shown = spanOf(axis);
  const least = 3 * axis.msPerPx;
  const holes: Span[] = [];
  for (const known of clip(lane.known, { from: shown.from, to: Math.min(shown.to, now) })) {
    for (const hole of missing(lane.ranges, known)) {
      // the newest seconds are still on their way to the disk, not missing
      const coming = now - hole.to < FRESH_MS && hole.to - hole.from < COMING_MS;
      if (hole.to - hole.from >= least && !coming) holes.push(hole);
    }
  }
  if (holes.length === 0) return;
  const pattern = hatching(g, palette.line, ratio);
  g.save();
  g.beginPath();
  for (const hole of holes) g.rect(xOf(axis, hole.from), y, (hole.to - hole.from) / axis.msPerPx, h);
  if (pattern) {
    // it moves with the time it stands for
    pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, xOf(axis, Math.floor(axis.from / (HATCH_PX * axis.msPerPx)) * HATCH_PX * axis.msPerPx), y]));
    g.fillStyle = pattern;
    g.fill();
  }
  g.restore();
  g.font = `500 12px ${palette.font}`;
  const wide = widthOf(g, words.noRecording) + 8;
  if (h < 20) return;
  for (const hole of holes) {
    const x0 = Math.max(axis.left, xOf(axis, hole.from));
    const x1 = Math.min(axis.left + axis.width, xOf(axis, hole.to));
    if (x1 - x0 < wide + 8) continue;
    const x = (x0 + x1) / 2;
    g.fillStyle = palette["tl-gap"];
    g.beginPath();
    g.roundRect(x - wide / 2, y + h / 2 - 9, wide, 18, 4);
    g.fill();
    text(g, palette["text-2"], words.noRecording, x, y + h / 2 + 1);
  }
}

const LANE_KINDS: ReadonlySet<string> = new Set(["event", "alarm"]);
const OF_LANE = new WeakMap<readonly Marker[], Marker[]>();

/** Events and alarms; bookmarks stand in the ruler. */
export function laneMarkers(lane: LaneData): readonly Marker[] {
  let list = OF_LANE.get(lane.markers);
  if (!list) OF_LANE.set(lane.markers, (list = lane.markers.filter((m) => LANE_KINDS.has(m.kind))));
  return list;
}

function visible(list: readonly Pin[], axis: Axis, each: (pin: Pin, x: number) => void): void {
  const margin = 40 * axis.msPerPx;
  const { from, to } = spanOf(axis);
  for (let i = firstPin(list, from - margin); i < list.length; i++) {
    const pin = list[i] as Pin;
    if (pinAt(pin) > to + margin) return;
    each(pin, xOf(axis, pinAt(pin)));
  }
}

function pinsOfLane(g: CanvasRenderingContext2D, { axis, palette }: Scene, lane: LaneData, { y, h }: Row): void {
  visible(pinsOf(laneMarkers(lane), axis.msPerPx), axis, (pin, x) => {
    const alarm = pin.kind === "alarm";
    g.fillStyle = alarm ? palette.danger : palette.attn;
    g.fillRect(x - 1.25, y, 2.5, h);
    if (pin.markers.length > 1) badge(g, palette, pin, x, y);
    else {
      g.beginPath();
      if (alarm) triangle(g, x, y, 6);
      else g.arc(x, y + 4, 4, 0, 7);
      g.fill();
    }
  });
}

function triangle(g: CanvasRenderingContext2D, x: number, y: number, half: number): void {
  g.moveTo(x - half, y);
  g.lineTo(x + half, y);
  g.lineTo(x, y + half * 1.5);
  g.closePath();
}

/** A pin with a number; that of alarms has a point below. */
function badge(g: CanvasRenderingContext2D, palette: Palette, pin: Pin, x: number, y: number): void {
  const said = pin.markers.length > 99 ? "99+" : String(pin.markers.length);
  g.font = `600 11px ${palette.font}`;
  const width = Math.max(16, widthOf(g, said) + 8);
  const alarm = pin.kind === "alarm";
  const colour = alarm ? palette["danger-solid"] : pin.kind === "bookmark" ? palette.info : palette.attn;
  // an edge keeps numbers apart that stand close
  g.fillStyle = palette.s1;
  g.beginPath();
  g.roundRect(x - width / 2 - 1, y - 2, width + 2, 18, alarm ? 4 : 9);
  g.fill();
  g.fillStyle = colour;
  g.beginPath();
  g.roundRect(x - width / 2, y - 1, width, 16, alarm ? 3 : 8);
  if (alarm) {
    g.moveTo(x - 5, y + 15);
    g.lineTo(x + 5, y + 15);
    g.lineTo(x, y + 20);
  }
  g.fill();
  text(g, alarm ? palette["on-danger"] : palette.s1, said, x, y + 7.5);
}

function flags(g: CanvasRenderingContext2D, { axis, palette, bookmarks }: Scene): void {
  visible(pinsOf(bookmarks, axis.msPerPx), axis, (pin, x) => {
    const y = RULER - 13;
    g.fillStyle = palette.info;
    g.beginPath();
    g.moveTo(x - 6, y);
    g.lineTo(x + 6, y);
    g.lineTo(x + 6, y + 15);
    g.lineTo(x, y + 10);
    g.lineTo(x - 6, y + 15);
    g.fill();
    if (pin.markers.length > 1) badge(g, palette, pin, x, y - 1);
  });
}

function selection(g: CanvasRenderingContext2D, { axis, palette, layout, selection: span }: Scene): void {
  if (!span) return;
  const [x0, x1] = [xOf(axis, span.from), xOf(axis, span.to)];
  if (x1 < axis.left - 10 || x0 > axis.left + axis.width + 10) return;
  const top = RULER + 2;
  const high = layout.bottom - top;
  g.globalAlpha = 0.16;
  g.fillStyle = palette.accent;
  g.fillRect(x0, top, x1 - x0, high);
  g.globalAlpha = 1;
  for (const x of [x0, x1]) {
    g.fillStyle = palette.accent;
    g.fillRect(x - 1, top, 2, high);
    g.beginPath();
    g.roundRect(x - 5, top + high / 2 - 14, 10, 28, 5);
    g.fill();
    g.fillStyle = palette["on-accent"];
    g.fillRect(x - 1, top + high / 2 - 6, 2, 12);
  }
}

function live(g: CanvasRenderingContext2D, { axis, palette, layout, now, words }: Scene): void {
  const x = xOf(axis, now);
  if (x < axis.left || x > axis.left + axis.width) return;
  g.strokeStyle = palette.accent;
  g.lineWidth = 1;
  g.setLineDash([3, 3]);
  g.beginPath();
  g.moveTo(x, RULER);
  g.lineTo(x, layout.bottom);
  g.stroke();
  g.setLineDash([]);
  g.font = `500 12px ${palette.font}`;
  const width = widthOf(g, words.now);
  const right = x + 14 + width < axis.left + axis.width;
  const at = right ? x + 4 : x - 12 - width;
  // it may stand on a bar
  g.fillStyle = palette.s1;
  g.beginPath();
  g.roundRect(at, RULER + 5, width + 8, 18, 4);
  g.fill();
  text(g, palette.accent, words.now, at + 4, RULER + 14.5, "left");
}

function overview(g: CanvasRenderingContext2D, scene: Scene): void {
  const { axis, palette, layout, overview: whole } = scene;
  const { y, h } = layout.overview;
  g.fillStyle = palette["tl-gap"];
  g.fillRect(axis.left, y, axis.width, h);
  // as in the lanes: a low bar where it was recorded, and the more moved the higher
  const low = Math.round(h * OVERVIEW_LOW);
  g.fillStyle = palette["tl-rec"];
  g.beginPath();
  whole.shares.forEach((share, i) => {
    if (share > 0) g.rect(axis.left + i * OVERVIEW_BAR, y + h - Math.max(2, share * low), OVERVIEW_BAR, Math.max(2, share * low));
  });
  g.fill();
  g.fillStyle = palette["tl-rec-hi"];
  g.beginPath();
  whole.movement.forEach((share, i) => {
    if (share > 0) g.rect(axis.left + i * OVERVIEW_BAR, y + 1 + (1 - share) * (h - low), OVERVIEW_BAR - 0.6, low + share * (h - low) - 1);
  });
  g.fill();
  g.font = `500 11px ${palette.font}`;
  for (const label of whole.labels) text(g, palette["text-3"], label.text, label.x, layout.height - 8);
  const scale = axis.width / (whole.span.to - whole.span.from);
  const shown = spanOf(axis);
  const x0 = axis.left + Math.max(-2, (shown.from - whole.span.from) * scale);
  const x1 = axis.left + Math.min(axis.width + 2, (shown.to - whole.span.from) * scale);
  if (x1 > axis.left && x0 < axis.left + axis.width) {
    g.strokeStyle = palette.text;
    g.lineWidth = 1.5;
    const width = Math.max(10, x1 - x0);
    g.beginPath();
    g.roundRect((x0 + x1 - width) / 2 - 1, y - 2, width + 2, h + 4, 4);
    g.stroke();
  }
  const at = axis.left + (scene.position - whole.span.from) * scale;
  g.fillStyle = palette.text;
  g.fillRect(at - 0.75, y - 2, 1.5, h + 4);
}

function hover(g: CanvasRenderingContext2D, { axis, palette, layout }: Scene, at: number): void {
  g.fillStyle = palette["text-3"];
  g.fillRect(Math.round(xOf(axis, at)), 21, 1, layout.bottom - 21);
}

function playhead(g: CanvasRenderingContext2D, { axis, palette, layout, position, focused }: Scene): void {
  const x = xOf(axis, position);
  if (x < axis.left - 8 || x > axis.left + axis.width + 8) return;
  g.fillStyle = palette.s1;
  g.fillRect(x - 2, 20, 4, layout.bottom - 20);
  g.fillStyle = palette.text;
  g.fillRect(x - 1, 20, 2, layout.bottom - 20);
  g.beginPath();
  g.arc(x, 23, 7, 0, 7);
  g.fill();
  if (!focused) return;
  g.fillStyle = palette.accent;
  g.beginPath();
  g.arc(x, 23, 4, 0, 7);
  g.fill();
}

function names(g: CanvasRenderingContext2D, { axis, palette, layout, cameras, words, overview: whole }: Scene): void {
  const beside = axis.left > 0;
  cameras.forEach((camera, i) => {
    const { y, h } = layout.lanes[i] as Row;
    if (beside) {
      g.font = `500 13px ${palette.font}`;
      text(g, palette.text, fitted(g, camera.name, axis.left - 24), 14, y + h / 2 + 1, "left");
    } else if (cameras.length > 1) {
      g.font = `500 11px ${palette.font}`;
      const said = fitted(g, camera.name, axis.width * 0.4);
      g.globalAlpha = 0.85;
      g.fillStyle = palette.s1;
      g.beginPath();
      g.roundRect(4, y + 2, widthOf(g, said) + 8, 15, 3);
      g.fill();
      g.globalAlpha = 1;
      text(g, palette.text, said, 8, y + 10, "left");
    }
  });
  if (!beside) return;
  g.font = `500 13px ${palette.font}`;
  text(g, palette["text-2"], whole.day ? words.wholeDay : words.everything, 14, layout.overview.y + layout.overview.h / 2, "left");
}
