/**
 * Draws the timeline.  Everything that is many is drawn as few paths of one colour: what it costs depends on the pixels,
 * not on how much was recorded.
 */

import { spanOf, xOf, type Axis } from "../../logic/timeline/axis";
import type { LaneCamera, LaneData, Marker, Span } from "../../logic/timeline/contract";
import { bars } from "../../logic/timeline/lod";
import { clockChanges, ticks } from "../../logic/timeline/ticks";
import type { Times } from "../../logic/timeline/times";
import { HOUR } from "../../logic/timeline/zone";
import { RULER, type Layout, type Row } from "./layout";
import { flags, pinsOfLane } from "./paint-pins";
import type { Palette } from "./palette";
import { anchored, fitted, font, HATCH_PX, pattern, STRIPE_PX, text, widthOf } from "./pen";

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
const HOLES = new Float32Array(4096);
const LEAST_GAP_PX = 3;
/** Width of a bar of the overview. */
export const OVERVIEW_BAR = 2;
const OVERVIEW_LOW = 0.35;
/** What is recorded is known some seconds later. */
const COMING_MS = 20_000;
const FRESH_MS = 70_000;

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
  scene.lanes.forEach((lane, i) => pinsOfLane(g, scene, lane, layout.lanes[i] as Row, ratio));
  flags(g, scene, scene.bookmarks, ratio);
  live(g, scene);
  overview(g, scene, ratio);
  if (scene.hover !== null) hover(g, scene, scene.hover);
  playhead(g, scene);
  g.restore();
  names(g, scene);
}

function ruler(g: CanvasRenderingContext2D, { axis, palette, times, layout }: Scene): void {
  font(g, palette, 500, 12);
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
  const low = Math.max(6, Math.round(h * 0.4));
  const snap = (x: number): number => Math.round(x * ratio) / ratio;
  const filled = (n: number, top: number, high: number): void => {
    for (let i = 0; i < n; i += 2) {
      const x = snap(left + (BARS[i] as number));
      g.fillRect(x, top, Math.max(1 / ratio, snap(left + (BARS[i + 1] as number)) - x), high);
    }
  };
  let n = bars(lane.ranges, axis.from, axis.msPerPx, width, BARS);
  gaps(g, scene, lane, { y, h }, n, ratio);
  g.fillStyle = palette["tl-rec"];
  filled(n, y + h - low, low);
  n = bars(lane.movement, axis.from, axis.msPerPx, width, BARS, 2);
  if (n > 0) {
    const stripes = pattern(g, "upright", palette["tl-rec-hi"], ratio);
    g.fillStyle = stripes ? anchored(stripes, axis, STRIPE_PX, ratio) : palette["tl-rec-hi"];
    filled(n, y + 5, h - 5);
  }
  const future = Math.max(left, xOf(axis, now));
  if (future < left + width) {
    g.globalAlpha = 0.6;
    g.fillStyle = palette.bg;
    g.fillRect(future, y, left + width - future, h);
    g.globalAlpha = 1;
  }
  if (lane.failed) {
    font(g, palette, 500, 12);
    text(g, palette["text-2"], words.failed, left + width / 2, y + h / 2 + 0.5);
  }
}

/** What is known not to have been recorded: what lies between the bars, `n` numbers of which stand in BARS. */
function gaps(g: CanvasRenderingContext2D, scene: Scene, lane: LaneData, { y, h }: Row, n: number, ratio: number): void {
  const { axis, palette, words, now } = scene;
  const nowX = Math.min(axis.width, (now - axis.from) / axis.msPerPx);
  let count = 0;
  const hole = (x0: number, x1: number): void => {
    // the newest seconds are still on their way to the disk, not missing
    const coming = (nowX - x1) * axis.msPerPx < FRESH_MS && (x1 - x0) * axis.msPerPx < COMING_MS;
    if (x1 - x0 < LEAST_GAP_PX || coming || count + 2 > HOLES.length) return;
    HOLES[count++] = x0;
    HOLES[count++] = x1;
  };
  for (const known of lane.known) {
    const from = Math.max(0, (known.from - axis.from) / axis.msPerPx);
    const to = Math.min(nowX, (known.to - axis.from) / axis.msPerPx);
    if (to <= from) continue;
    let at = from;
    for (let i = 0; i < n && at < to; i += 2) {
      if ((BARS[i + 1] as number) <= at) continue;
      hole(at, Math.min(to, BARS[i] as number));
      at = BARS[i + 1] as number;
    }
    hole(at, to);
  }
  if (count === 0) return;
  const hatch = pattern(g, "slanted", palette.line, ratio);
  if (hatch) {
    g.fillStyle = anchored(hatch, axis, HATCH_PX, ratio);
    for (let i = 0; i < count; i += 2) g.fillRect(axis.left + (HOLES[i] as number), y, (HOLES[i + 1] as number) - (HOLES[i] as number), h);
  }
  if (h < 20) return;
  font(g, palette, 500, 12);
  const wide = widthOf(g, words.noRecording) + 8;
  for (let i = 0; i < count; i += 2) {
    const [x0, x1] = [axis.left + (HOLES[i] as number), axis.left + (HOLES[i + 1] as number)];
    if (x1 - x0 < wide + 8) continue;
    const x = (x0 + x1) / 2;
    g.fillStyle = palette["tl-gap"];
    g.beginPath();
    g.roundRect(x - wide / 2, y + h / 2 - 9, wide, 18, 4);
    g.fill();
    text(g, palette["text-2"], words.noRecording, x, y + h / 2 + 1);
  }
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
  font(g, palette, 500, 12);
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

const OVERVIEWS = new WeakMap<Overview, { readonly key: string; readonly drawn: HTMLCanvasElement }>();

/** Bars and labels of the overview, drawn again only when something of them changes. */
function overviewBars(scene: Scene, ratio: number): HTMLCanvasElement {
  const { axis, palette, layout, overview: whole } = scene;
  const key = `${ratio} ${axis.width} ${palette.s1} ${palette["tl-rec"]}`;
  const known = OVERVIEWS.get(whole);
  if (known?.key === key) return known.drawn;
  const drawn = known?.drawn ?? document.createElement("canvas");
  drawn.width = Math.ceil(axis.width * ratio);
  drawn.height = Math.ceil((layout.height - layout.overview.y) * ratio);
  const g = drawn.getContext("2d");
  const { h } = layout.overview;
  if (g) {
    g.scale(ratio, ratio);
    g.fillStyle = palette["tl-gap"];
    g.fillRect(0, 0, axis.width, h);
    // as in the lanes: a low bar where it was recorded, and the more moved the higher
    const low = Math.round(h * OVERVIEW_LOW);
    g.fillStyle = palette["tl-rec"];
    whole.shares.forEach((share, i) => {
      if (share > 0) g.fillRect(i * OVERVIEW_BAR, h - Math.max(2, share * low), OVERVIEW_BAR, Math.max(2, share * low));
    });
    g.fillStyle = palette["tl-rec-hi"];
    whole.movement.forEach((share, i) => {
      if (share > 0) g.fillRect(i * OVERVIEW_BAR, 1 + (1 - share) * (h - low), OVERVIEW_BAR - 0.6, low + share * (h - low) - 1);
    });
    g.font = `500 11px ${palette.font}`;
    g.textBaseline = "middle";
    for (const label of whole.labels) text(g, palette["text-3"], label.text, label.x - axis.left, layout.height - 8 - layout.overview.y);
  }
  OVERVIEWS.set(whole, { key, drawn });
  return drawn;
}

function overview(g: CanvasRenderingContext2D, scene: Scene, ratio: number): void {
  const { axis, palette, layout, overview: whole } = scene;
  const { y, h } = layout.overview;
  const drawn = overviewBars(scene, ratio);
  g.drawImage(drawn, axis.left, y, drawn.width / ratio, drawn.height / ratio);
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
      font(g, palette, 500, 13);
      text(g, palette.text, fitted(g, camera.name, axis.left - 24), 14, y + h / 2 + 1, "left");
    } else if (cameras.length > 1) {
      font(g, palette, 500, 11);
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
  font(g, palette, 500, 13);
  text(g, palette["text-2"], whole.day ? words.wholeDay : words.everything, 14, layout.overview.y + layout.overview.h / 2, "left");
}
