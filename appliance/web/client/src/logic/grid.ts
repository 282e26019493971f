/**
 * Where each camera's tile stands on the page.  Pure: sizes in CSS pixels in, rectangles out (ui.md §4).
 *
 * A camera count has its own arrangement (one large and two small, a large one in a corner, a plain grid); on a window
 * of unusual shape the plain grid with the largest tiles replaces it as soon as that shows clearly more picture.
 */

export type Form = "desktop" | "portrait" | "landscape";
/** Cameras on a page: as many as fit well, or a number chosen in the top bar. */
export type Choice = "auto" | 1 | 4 | 9 | 16;

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface GridInput {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly gap: number;
  readonly form: Form;
  readonly choice: Choice;
  /** Columns chosen by pinching on a phone; null is the arrangement for this number of cameras. */
  readonly columns: number | null;
  /** The page asked for, from 0. */
  readonly page: number;
}

export interface GridLayout {
  /** Index in the list of cameras of the first tile on this page. */
  readonly first: number;
  /** One rectangle per camera on this page, in order. */
  readonly tiles: readonly Rect[];
  readonly page: number;
  readonly pages: number;
  /** Height of the content; more than the given height means that the page scrolls. */
  readonly height: number;
}

const RATIO = 16 / 9;
export const PAGE = 16;
/** A plain grid replaces a count's own arrangement when it shows this much more picture. */
const CLEARLY_MORE = 1.25;
/** From this width on a portrait tablet shows four cameras as 2×2 instead of stacked. */
const WIDE_PORTRAIT = 600;

/** Cells of a grid: column, row, columns wide, rows high. */
interface Cell {
  readonly c: number;
  readonly r: number;
  readonly span: number;
}

interface Pattern {
  readonly columns: number;
  readonly rows: number;
  readonly cells: readonly Cell[];
}

function plain(count: number, columns: number): Pattern {
  const cells = Array.from({ length: count }, (_, i) => ({ c: i % columns, r: Math.floor(i / columns), span: 1 }));
  return { columns, rows: Math.max(1, Math.ceil(count / columns)), cells };
}

/** One large tile in the top left corner of three columns, the others around it. */
function mosaic(count: number): Pattern {
  const around: Cell[] = [
    { c: 2, r: 0, span: 1 },
    { c: 2, r: 1, span: 1 },
    { c: 0, r: 2, span: 1 },
    { c: 1, r: 2, span: 1 },
    { c: 2, r: 2, span: 1 },
  ];
  const rows = count <= 3 ? 2 : 3;
  return { columns: 3, rows, cells: [{ c: 0, r: 0, span: 2 }, ...around.slice(0, count - 1)] };
}

/** The first tile over the whole width, the others in two columns below. */
function firstWide(count: number): Pattern {
  const rest = Array.from({ length: count - 1 }, (_, i) => ({ c: i % 2, r: 2 + Math.floor(i / 2), span: 1 }));
  return { columns: 2, rows: 2 + Math.ceil((count - 1) / 2), cells: [{ c: 0, r: 0, span: 2 }, ...rest] };
}

/** The largest 16:9 unit cell of a pattern within width × height; a height of Infinity means that it may scroll. */
function unit(pattern: Pattern, width: number, height: number, gap: number): { w: number; h: number } {
  const w = (width - (pattern.columns - 1) * gap) / pattern.columns;
  const h = (height - (pattern.rows - 1) * gap) / pattern.rows;
  const chosen = Math.max(0, Math.min(w, h * RATIO));
  return { w: chosen, h: chosen / RATIO };
}

function shown(pattern: Pattern, width: number, height: number, gap: number): number {
  const { w, h } = unit(pattern, width, height, gap);
  return pattern.cells.reduce((sum, cell) => sum + w * h * cell.span * cell.span, 0);
}

/** The plain grid with the largest tiles; of equals the one with the fewest empty cells. */
export function bestPlain(count: number, width: number, height: number, gap: number): Pattern {
  let best = plain(count, 1);
  let bestWidth = unit(best, width, height, gap).w;
  for (let columns = 2; columns <= count; columns++) {
    const candidate = plain(count, columns);
    const w = unit(candidate, width, height, gap).w;
    const emptier = candidate.columns * candidate.rows < best.columns * best.rows;
    if (w > bestWidth + 0.5 || (Math.abs(w - bestWidth) <= 0.5 && emptier)) {
      best = candidate;
      bestWidth = w;
    }
  }
  return best;
}

function desktopPattern(count: number): Pattern {
  if (count <= 1) return plain(count, 1);
  if (count === 2 || count === 4) return plain(count, 2);
  if (count === 3 || count === 5 || count === 6) return mosaic(count);
  return plain(count, count <= 9 ? 3 : 4);
}

function landscapePattern(count: number): Pattern {
  if (count === 5 || count === 6) return plain(count, 3);
  return desktopPattern(count);
}

function portraitPattern(count: number, width: number): Pattern {
  if (count <= 2) return plain(count, 1);
  if (count === 3) return firstWide(3);
  if (count === 4) return plain(4, width >= WIDE_PORTRAIT ? 2 : 1);
  return count <= 9 ? firstWide(count) : plain(count, 2);
}

function place(pattern: Pattern, width: number, height: number, gap: number, middle: boolean): Rect[] {
  const { w, h } = unit(pattern, width, height, gap);
  const total = pattern.columns * w + (pattern.columns - 1) * gap;
  const tall = pattern.rows * h + (pattern.rows - 1) * gap;
  const left = Math.max(0, (width - total) / 2);
  const top = middle && Number.isFinite(height) ? Math.max(0, (height - tall) / 2) : 0;
  return pattern.cells.map(({ c, r, span }) => {
    // rounded by edges, so that neighbours keep the same gap whatever the window's width
    const x = Math.round(left + c * (w + gap));
    const y = Math.round(top + r * (h + gap));
    const right = Math.round(left + c * (w + gap) + span * w + (span - 1) * gap);
    const bottom = Math.round(top + r * (h + gap) + span * h + (span - 1) * gap);
    return { x, y, w: right - x, h: bottom - y };
  });
}

function bottomOf(tiles: readonly Rect[]): number {
  return tiles.reduce((max, t) => Math.max(max, t.y + t.h), 0);
}

export function gridLayout(input: GridInput): GridLayout {
  const { count, width, height, gap, form } = input;
  if (count <= 0 || width <= 0 || height <= 0) return { first: 0, tiles: [], page: 0, pages: 1, height: 0 };

  if (form === "portrait") {
    const pattern = input.columns === null ? portraitPattern(count, width) : plain(count, input.columns);
    const tiles = place(pattern, width, Infinity, gap, false);
    return { first: 0, tiles, page: 0, pages: 1, height: bottomOf(tiles) };
  }

  const side = form === "landscape" && input.columns !== null ? input.columns : null;
  const chosen = form === "desktop" && input.choice !== "auto" ? input.choice : null;
  const perPage = side !== null ? side * side : (chosen ?? PAGE);
  const pages = Math.max(1, Math.ceil(count / perPage));
  const page = Math.min(Math.max(0, input.page), pages - 1);
  const first = page * perPage;
  const here = Math.min(perPage, count - first);

  let pattern: Pattern;
  if (side !== null || chosen !== null) {
    const columns = Math.round(Math.sqrt(perPage));
    pattern = { columns, rows: columns, cells: plain(here, columns).cells };
  } else if (pages > 1) {
    // a last page that is not full keeps the size of the others
    pattern = { columns: 4, rows: 4, cells: plain(here, 4).cells };
  } else {
    const own = form === "landscape" ? landscapePattern(here) : desktopPattern(here);
    const other = bestPlain(here, width, height, gap);
    pattern = shown(other, width, height, gap) > CLEARLY_MORE * shown(own, width, height, gap) ? other : own;
  }
  const tiles = place(pattern, width, height, gap, form === "landscape");
  return { first, tiles, page, pages, height: bottomOf(tiles) };
}

export type Direction = "left" | "right" | "up" | "down";

/** The tile that an arrow key reaches from tile `from`; `from` itself at the edge. */
export function neighbour(tiles: readonly Rect[], from: number, direction: Direction): number {
  const origin = tiles[from];
  if (!origin) return from;
  const ox = origin.x + origin.w / 2;
  const oy = origin.y + origin.h / 2;
  let best = from;
  let bestCost = Infinity;
  tiles.forEach((tile, i) => {
    if (i === from) return;
    const horizontal = direction === "left" || direction === "right";
    const ahead =
      direction === "left"
        ? tile.x + tile.w <= origin.x + 1
        : direction === "right"
          ? tile.x >= origin.x + origin.w - 1
          : direction === "up"
            ? tile.y + tile.h <= origin.y + 1
            : tile.y >= origin.y + origin.h - 1;
    if (!ahead) return;
    const dx = Math.abs(tile.x + tile.w / 2 - ox);
    const dy = Math.abs(tile.y + tile.h / 2 - oy);
    const cost = horizontal ? dx + 3 * dy : dy + 3 * dx;
    if (cost < bestCost - 0.5) {
      bestCost = cost;
      best = i;
    }
  });
  return best;
}

/** The next number of columns while pinching: spreading shows fewer and larger tiles. */
export function pinchColumns(current: number, scale: number, form: Form): number {
  const [least, most] = form === "landscape" ? [2, 4] : [1, 3];
  if (scale > 1.25) return Math.max(least, current - 1);
  if (scale < 0.8) return Math.min(most, current + 1);
  return current;
}
