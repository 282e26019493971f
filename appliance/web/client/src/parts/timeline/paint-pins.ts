/** Draws events and alarms in their lanes, and bookmarks in the ruler. */

import { spanOf, xOf, type Axis } from "../../logic/timeline/axis";
import type { LaneData, Marker, MarkerKind } from "../../logic/timeline/contract";
import { firstPin, pinAt, pinsOf, type Pin } from "../../logic/timeline/markers";
import { RULER, type Row } from "./layout";
import type { Palette } from "./palette";
import { drawing, text } from "./pen";

interface Ground {
  readonly axis: Axis;
  readonly palette: Palette;
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

export function pinsOfLane(g: CanvasRenderingContext2D, { axis, palette }: Ground, lane: LaneData, { y, h }: Row, ratio: number): void {
  visible(pinsOf(laneMarkers(lane), axis.msPerPx), axis, (pin, x) => {
    g.fillStyle = pin.kind === "alarm" ? palette.danger : palette.attn;
    g.fillRect(x - 1.25, y, 2.5, h);
    badge(g, palette, pin, x, y, ratio);
  });
}

/** Room round a pin, so that its edges are not cut. */
const PIN_ROOM = 2;

/** The head of a pin: a dot, a triangle or a flag; or a number, which of alarms has a point below. */
function badge(g: CanvasRenderingContext2D, palette: Palette, pin: Pin, x: number, y: number, ratio: number): void {
  const { kind } = pin;
  const count = Math.min(pin.markers.length, 100);
  if (palette !== pinPalette || ratio !== pinRatio) {
    PINS.clear();
    pinPalette = palette;
    pinRatio = ratio;
  }
  const code = count * 4 + KINDS.indexOf(kind);
  let drawn = PINS.get(code);
  if (!drawn) PINS.set(code, (drawn = pinHead(palette, kind, count, ratio)));
  const width = drawn.width / ratio;
  g.drawImage(drawn, Math.round((x - width / 2) * ratio) / ratio, y - PIN_ROOM, width, drawn.height / ratio);
}

const KINDS: readonly MarkerKind[] = ["bookmark", "event", "alarm"];
/** Heads by kind and number, of one density and set of colours. */
const PINS = new Map<number, HTMLCanvasElement>();
let pinPalette: Palette | null = null;
let pinRatio = 0;

function pinHead(palette: Palette, kind: MarkerKind, count: number, ratio: number): HTMLCanvasElement {
  const number = count > 1 ? (count > 99 ? "99+" : String(count)) : "";
  const width = number === "" ? 12 : [0, 16, 22, 28][number.length] as number;
  const colour = kind === "alarm" ? (number === "" ? palette.danger : palette["danger-solid"]) : kind === "bookmark" ? palette.info : palette.attn;
  return drawing(width + 2 * PIN_ROOM, 22 + PIN_ROOM, ratio, (p) => {
    p.translate(PIN_ROOM + width / 2, PIN_ROOM);
    if (number === "") head(p, kind, colour);
    else numbered(p, palette, kind, colour, number, width);
  });
}

function head(p: CanvasRenderingContext2D, kind: MarkerKind, colour: string): void {
  p.fillStyle = colour;
  p.beginPath();
  if (kind === "alarm") {
    p.moveTo(-6, 0);
    p.lineTo(6, 0);
    p.lineTo(0, 9);
  } else if (kind === "bookmark") {
    p.moveTo(-6, 0);
    p.lineTo(6, 0);
    p.lineTo(6, 15);
    p.lineTo(0, 10);
    p.lineTo(-6, 15);
  } else p.arc(0, 4, 4, 0, 7);
  p.fill();
}

function numbered(p: CanvasRenderingContext2D, palette: Palette, kind: MarkerKind, colour: string, number: string, width: number): void {
  const corner = kind === "event" ? 8 : 3;
  // an edge keeps numbers apart that stand close
  p.fillStyle = palette.s1;
  p.beginPath();
  p.roundRect(-width / 2 - 1, -2, width + 2, 18, corner + 1);
  p.fill();
  p.fillStyle = colour;
  p.beginPath();
  p.roundRect(-width / 2, -1, width, 16, corner);
  if (kind !== "event") {
    p.moveTo(-5, 15);
    p.lineTo(5, 15);
    p.lineTo(0, 20);
  }
  p.fill();
  p.font = `600 11px ${palette.font}`;
  text(p, kind === "alarm" ? palette["on-danger"] : palette.s1, number, 0, 7.5);
}

export function flags(g: CanvasRenderingContext2D, { axis, palette }: Ground, bookmarks: readonly Marker[], ratio: number): void {
  visible(pinsOf(bookmarks, axis.msPerPx), axis, (pin, x) => badge(g, palette, pin, x, RULER - 13, ratio));
}
