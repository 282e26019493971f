/** What everything on the canvas is drawn with: fonts and texts that are measured once, small drawings, patterns. */

import { xOf, type Axis } from "../../logic/timeline/axis";
import type { Palette } from "./palette";

export const HATCH_PX = 7;
export const STRIPE_PX = 3;
const WIDTHS = new Map<string, number>();
const MOST_WIDTHS = 500;

let fontKey = "";
let fontOf: CanvasRenderingContext2D | null = null;

/** Sets the font once, and only if it is another. */
export function font(g: CanvasRenderingContext2D, palette: Palette, weight: 500 | 600, px: 11 | 12 | 13): void {
  const wanted = `${weight} ${px}px ${palette.font}`;
  if (wanted === fontKey && fontOf === g) return;
  g.font = fontKey = wanted;
  fontOf = g;
}

export function widthOf(g: CanvasRenderingContext2D, text: string): number {
  const key = `${fontKey} ${text}`;
  let width = WIDTHS.get(key);
  if (width === undefined) {
    if (WIDTHS.size > MOST_WIDTHS) WIDTHS.clear();
    WIDTHS.set(key, (width = g.measureText(text).width));
  }
  return width;
}

/** As much of it as fits. */
export function fitted(g: CanvasRenderingContext2D, text: string, room: number): string {
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

/** A small drawing, to be drawn from again and again. */
export function drawing(width: number, height: number, ratio: number, draw: (g: CanvasRenderingContext2D) => void): HTMLCanvasElement {
  const made = document.createElement("canvas");
  made.width = Math.ceil(width * ratio);
  made.height = Math.ceil(height * ratio);
  const g = made.getContext("2d");
  if (g) {
    g.scale(ratio, ratio);
    g.textBaseline = "middle";
    draw(g);
  }
  return made;
}

const PATTERNS = new Map<string, CanvasPattern | null>();

/** Slanted lines for what is missing, upright ones for what moved: not told apart by colour alone. */
export function pattern(g: CanvasRenderingContext2D, kind: "slanted" | "upright", colour: string, ratio: number): CanvasPattern | null {
  const key = `${kind} ${colour} ${ratio}`;
  let made = PATTERNS.get(key);
  if (made !== undefined) return made;
  const px = kind === "slanted" ? HATCH_PX : STRIPE_PX;
  const size = Math.round(px * ratio);
  const tile = drawing(size, size, 1, (t) => {
    if (kind === "upright") {
      t.fillStyle = colour;
      t.fillRect(0, 0, Math.round(2 * ratio), size);
      return;
    }
    t.strokeStyle = colour;
    t.lineWidth = ratio;
    t.beginPath();
    for (const shift of [-size, 0, size]) {
      t.moveTo(shift, size);
      t.lineTo(shift + size, 0);
    }
    t.stroke();
  });
  made = g.createPattern(tile, "repeat");
  PATTERNS.set(key, made);
  return made;
}

/** It moves with the time it stands for. */
export function anchored(made: CanvasPattern, axis: Axis, px: number, ratio: number): CanvasPattern {
  const size = Math.round(px * ratio) / ratio;
  const each = size * axis.msPerPx;
  made.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, Math.round(xOf(axis, Math.floor(axis.from / each) * each) * ratio) / ratio, 0]));
  return made;
}

export function text(g: CanvasRenderingContext2D, colour: string, said: string, x: number, y: number, align: CanvasTextAlign = "center"): void {
  g.fillStyle = colour;
  g.textAlign = align;
  g.fillText(said, x, y);
}
