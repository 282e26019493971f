/** A privacy mask as it is drawn: areas whose points are fractions of the picture.  Pure: every change is a new mask. */

export interface MaskPoint {
  readonly x: number;
  readonly y: number;
}
export type Area = readonly MaskPoint[];
export type Mask = readonly Area[];

/** As the server has them. */
export const MOST_AREAS = 64;
export const MOST_POINTS = 512;
export const FEWEST_POINTS = 3;
/** What is drawn smaller, in fractions of the picture, was no drawing. */
export const SMALLEST = 0.01;
/** A ten-thousandth of a picture is less than half a sample of any camera's. */
const PARTS = 10_000;

function snapped(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * PARTS) / PARTS;
}

export function point(x: number, y: number): MaskPoint {
  return { x: snapped(x), y: snapped(y) };
}

export function countPoints(mask: Mask): number {
  return mask.reduce((sum, area) => sum + area.length, 0);
}

export function hasRoom(mask: Mask, points: number): boolean {
  return countPoints(mask) + points <= MOST_POINTS;
}

/** The area between two corners; null for one that is too small to have been meant. */
export function rectangle(a: MaskPoint, b: MaskPoint): Area | null {
  const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
  const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
  if (right - left < SMALLEST || bottom - top < SMALLEST) return null;
  return [point(left, top), point(right, top), point(right, bottom), point(left, bottom)];
}

export function replaceArea(mask: Mask, at: number, area: Area): Mask {
  return mask.map((each, n) => (n === at ? area : each));
}

export function removeArea(mask: Mask, at: number): Mask {
  return mask.filter((_, n) => n !== at);
}

export function movePoint(area: Area, at: number, to: MaskPoint): Area {
  return area.map((each, n) => (n === at ? point(to.x, to.y) : each));
}

/** A point behind `at`, in the middle of the edge there. */
export function insertPoint(area: Area, at: number): Area {
  const [a, b] = [area[at], area[(at + 1) % area.length]];
  if (!a || !b) return area;
  return [...area.slice(0, at + 1), middle(a, b), ...area.slice(at + 1)];
}

export function middle(a: MaskPoint, b: MaskPoint): MaskPoint {
  return point((a.x + b.x) / 2, (a.y + b.y) / 2);
}

/** Without this point; the same area if it would enclose nothing then. */
export function removePoint(area: Area, at: number): Area {
  return area.length > FEWEST_POINTS ? area.filter((_, n) => n !== at) : area;
}

/** Moved as a whole, as far as it stays within the picture. */
export function moveArea(area: Area, dx: number, dy: number): Area {
  const [xs, ys] = [area.map((p) => p.x), area.map((p) => p.y)];
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return area.map((p) => point(p.x + x, p.y + y));
}

/** Whether a point lies in an area: even-odd, as the server fills it. */
export function isInside(area: Area, { x, y }: MaskPoint): boolean {
  let odd = false;
  area.forEach((a, n) => {
    const b = area[(n + 1) % area.length] ?? a;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) odd = !odd;
  });
  return odd;
}

export function sameMask(a: Mask, b: Mask): boolean {
  return showMask(a) === showMask(b);
}

/** As the command line has it: points with spaces between, areas with semicolons. */
export function showMask(mask: Mask): string {
  return mask.map((area) => area.map((p) => `${p.x},${p.y}`).join(" ")).join("; ");
}

/** The mask of such a text; null for what is none. */
export function parseMask(text: string): Mask | null {
  if (text.trim() === "" || text.trim() === "none") return [];
  const areas = text.split(";").map((part) =>
    part
      .trim()
      .split(/\s+/)
      .map((word) => /^(\d*\.?\d+),(\d*\.?\d+)$/.exec(word))
      .map((match) => (match ? { x: Number(match[1]), y: Number(match[2]) } : null)),
  );
  const mask: MaskPoint[][] = [];
  for (const area of areas) {
    const points = area.filter((p) => p !== null && p.x <= 1 && p.y <= 1).filter((p) => p !== null);
    if (points.length < area.length || points.length < FEWEST_POINTS) return null;
    mask.push(points);
  }
  return mask.length <= MOST_AREAS && countPoints(mask) <= MOST_POINTS ? mask : null;
}

/** What the server told, read with care. */
export function readMask(value: unknown): Mask {
  if (!Array.isArray(value)) return [];
  const number = (v: unknown): v is number => typeof v === "number" && v >= 0 && v <= 1;
  return value.slice(0, MOST_AREAS).flatMap((area: unknown) => {
    if (!Array.isArray(area)) return [];
    const points = area.slice(0, MOST_POINTS).flatMap((p: unknown) => (Array.isArray(p) && number(p[0]) && number(p[1]) ? [{ x: p[0], y: p[1] }] : []));
    return points.length >= FEWEST_POINTS ? [points] : [];
  });
}

/** As the server takes it. */
export interface MaskBody {
  readonly mask: readonly (readonly (readonly [number, number])[])[];
}

export function maskBody(mask: Mask): MaskBody {
  return { mask: mask.map((area) => area.map((p) => [p.x, p.y] as const)) };
}
