/**
 * Draws the application's icon as PNG, for the systems that take no SVG.  The shapes are those of
 * `public/icons/fanal.svg`; coverage is computed per pixel from distances, which is exact enough at any size.
 */

import type { Plugin } from "vite";
import { png } from "./png.ts";

type Point = readonly [number, number];
type Segment = readonly [Point, Point];
type Colour = readonly [number, number, number];

const GROUND: Colour = [0x16, 0x30, 0x2e];
const LINE: Colour = [0x63, 0xd2, 0xbe];
const STROKE = 1.6;
/** The drawing's own box, as in the SVG. */
const BOX = 24;

function polyline(...points: Point[]): Segment[] {
  return points.slice(1).map((p, i) => [points[i] as Point, p]);
}

function closed(...points: Point[]): Segment[] {
  return polyline(...points, points[0] as Point);
}

/** The lantern: roof, finial, cap, glass, base. */
const LINES: readonly Segment[] = [
  ...polyline([9, 4], [15, 4]),
  ...polyline([12, 2], [12, 4]),
  ...polyline([8, 8], [9, 4], [15, 4], [16, 8]),
  ...closed([8, 8], [16, 8], [16, 17], [8, 17]),
  ...closed([7, 17], [17, 17], [18, 21], [6, 21]),
];

/** The flame: two cubic curves above a half circle. */
function flame(): Point[] {
  const points: Point[] = [];
  const cubic = (a: Point, b: Point, c: Point, d: Point): void => {
    for (let i = 0; i < 16; i++) {
      const t = i / 16;
      const u = 1 - t;
      const at = (k: 0 | 1): number => u ** 3 * a[k] + 3 * u * u * t * b[k] + 3 * u * t * t * c[k] + t ** 3 * d[k];
      points.push([at(0), at(1)]);
    }
  };
  cubic([12, 9.5], [13.6, 11.1], [14, 12.2], [14, 13.1]);
  for (let i = 0; i < 24; i++) points.push([12 + 2 * Math.cos((Math.PI * i) / 24), 13.1 + 2 * Math.sin((Math.PI * i) / 24)]);
  cubic([10, 13.1], [10, 12.2], [10.4, 11.1], [12, 9.5]);
  return points;
}

function distance([px, py]: Point, [[ax, ay], [bx, by]]: Segment): number {
  const dx = bx - ax;
  const dy = by - ay;
  const t = Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

function inside([px, py]: Point, shape: readonly Point[]): boolean {
  let odd = false;
  shape.forEach(([ax, ay], i) => {
    const [bx, by] = shape[(i + 1) % shape.length] as Point;
    if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
}

/** `margin` is the part of the side left free around the drawing; `round` the corner's radius as part of the side. */
export function drawIcon(side: number, margin: number, round: number): Buffer {
  const pixels = new Uint8Array(side * side * 4);
  const scale = (side * (1 - 2 * margin)) / BOX;
  const shape = flame();
  const outline: Segment[] = shape.map((p, i) => [p, shape[(i + 1) % shape.length] as Point]);
  const radius = round * side;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at: Point = [(x + 0.5 - side * margin) / scale, (y + 0.5 - side * margin) / scale];
      const stroke = (STROKE / 2 - Math.min(...LINES.map((line) => distance(at, line)))) * scale + 0.5;
      // the flame is far from most of the drawing
      const near = Math.abs(at[0] - 12) < 3 && Math.abs(at[1] - 12.3) < 4;
      const edge = near ? Math.min(...outline.map((line) => distance(at, line))) * scale : Infinity;
      const fill = (near && inside(at, shape) ? edge : -edge) + 0.5;
      const line = Math.min(1, Math.max(0, stroke, fill));
      const cx = Math.max(0, Math.abs(x + 0.5 - side / 2) - (side / 2 - radius));
      const cy = Math.max(0, Math.abs(y + 0.5 - side / 2) - (side / 2 - radius));
      const alpha = radius === 0 ? 1 : Math.min(1, Math.max(0, radius - Math.hypot(cx, cy) + 0.5));
      const mixed = GROUND.map((ground, k) => Math.round(ground + (LINE[k] as number) * line - ground * line));
      pixels.set([...mixed, Math.round(alpha * 255)], (y * side + x) * 4);
    }
  }
  return png(side, side, pixels);
}

export const ICONS: Readonly<Record<string, () => Buffer>> = {
  // iOS rounds the corners itself, and systems that mask cut up to a fifth of each side
  "icons/fanal-180.png": () => drawIcon(180, 0.2, 0),
  "icons/fanal-192.png": () => drawIcon(192, 0.2, 0.23),
  "icons/fanal-512.png": () => drawIcon(512, 0.2, 0.23),
  "icons/fanal-maskable-512.png": () => drawIcon(512, 0.27, 0),
};

/** Puts the icons into the bundle, and serves them while developing. */
export function iconsPlugin(): Plugin {
  return {
    name: "fanal-icons",
    generateBundle() {
      for (const [fileName, draw] of Object.entries(ICONS)) this.emitFile({ type: "asset", fileName, source: draw() });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const draw = ICONS[(request.url ?? "").slice(1)];
        if (!draw) return next();
        response.setHeader("Content-Type", "image/png");
        response.end(draw());
      });
    },
  };
}
