import { describe, expect, it } from "vitest";
import { bestPlain, gridLayout, neighbour, pinchColumns, type GridInput } from "./grid";

const desktop: GridInput = {
  count: 1, width: 1340, height: 780, gap: 4, form: "desktop", choice: "auto", columns: null, page: 0,
};
const phone: GridInput = { ...desktop, width: 390, height: 680, gap: 2, form: "portrait" };

function overlaps(tiles: readonly { x: number; y: number; w: number; h: number }[]): boolean {
  return tiles.some((a, i) =>
    tiles.some((b, j) => i < j && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
  );
}

describe("the grid", () => {
  it("shows every camera once, inside the page, 16:9 and without overlap, for any count and window", () => {
    for (const form of ["desktop", "landscape"] as const) {
      for (const [width, height] of [[1340, 780], [844, 390], [600, 900], [3440, 1300], [320, 256]] as const) {
        for (let count = 1; count <= 40; count++) {
          const layout = gridLayout({ ...desktop, form, width, height, count });
          expect(layout.tiles.length).toBe(Math.min(16, count));
          expect(overlaps(layout.tiles)).toBe(false);
          for (const t of layout.tiles) {
            expect(t.x).toBeGreaterThanOrEqual(0);
            expect(t.x + t.w).toBeLessThanOrEqual(width + 1);
            expect(t.y + t.h).toBeLessThanOrEqual(height + 1);
            expect(Math.abs(t.w - (t.h * 16) / 9)).toBeLessThanOrEqual(5); // a large tile also covers gaps
          }
        }
      }
    }
  });

  it("follows the table on a desktop", () => {
    const columns = (count: number): number => new Set(gridLayout({ ...desktop, count }).tiles.map((t) => t.x)).size;
    expect(columns(2)).toBe(2);
    expect(columns(4)).toBe(2);
    expect(columns(7)).toBe(3);
    expect(columns(9)).toBe(3);
    expect(columns(10)).toBe(4);
    expect(columns(16)).toBe(4);
    const three = gridLayout({ ...desktop, count: 3 }).tiles;
    expect(three[0]!.w).toBeGreaterThan(1.9 * three[1]!.w);
    expect(three[1]!.x).toBe(three[2]!.x);
    const six = gridLayout({ ...desktop, count: 6 }).tiles;
    expect(six[0]!.w).toBeGreaterThan(1.9 * six[1]!.w);
    expect(six[3]!.y).toBe(six[5]!.y);
  });

  it("stacks two cameras in a window that is taller than wide", () => {
    const [a, b] = gridLayout({ ...desktop, width: 600, height: 900, count: 2 }).tiles;
    expect(a!.x).toBe(b!.x);
  });

  it("shows pages of sixteen, and keeps the size of the tiles on the last one", () => {
    const full = gridLayout({ ...desktop, count: 40 });
    const last = gridLayout({ ...desktop, count: 40, page: 7 });
    expect([full.pages, last.page, last.first, last.tiles.length]).toEqual([3, 2, 32, 8]);
    expect(last.tiles[0]!.w).toBe(full.tiles[0]!.w);
  });

  it("keeps the number of cells that was chosen", () => {
    const nine = gridLayout({ ...desktop, count: 3, choice: 9 });
    expect(nine.tiles[0]!.w).toBe(gridLayout({ ...desktop, count: 9, choice: 9 }).tiles[0]!.w);
    expect(gridLayout({ ...desktop, count: 3, choice: 1 }).pages).toBe(3);
  });

  it("scrolls on a phone held upright, the first camera over the whole width", () => {
    const layout = gridLayout({ ...phone, count: 9 });
    expect(layout.tiles[0]!.w).toBe(390);
    expect(layout.tiles[1]!.w).toBe(194);
    expect(layout.pages).toBe(1);
    expect(gridLayout({ ...phone, count: 40 }).tiles.length).toBe(40);
    expect(gridLayout({ ...phone, count: 4 }).tiles.every((t) => t.w === 390)).toBe(true);
    expect(gridLayout({ ...phone, count: 4, width: 700 }).tiles[0]!.w).toBe(349);
    expect(gridLayout({ ...phone, count: 9, columns: 3 }).tiles[0]!.w).toBeLessThan(130);
  });

  it("puts the grid in the middle of a phone on its side", () => {
    const { tiles } = gridLayout({ ...desktop, form: "landscape", width: 844, height: 390, count: 9, gap: 2 });
    expect(tiles[0]!.x).toBeGreaterThan(50);
    expect(Math.abs(844 - (tiles[2]!.x + tiles[2]!.w) - tiles[0]!.x)).toBeLessThanOrEqual(1);
  });

  it("is empty without cameras or room", () => {
    expect(gridLayout({ ...desktop, count: 0 }).tiles).toEqual([]);
    expect(gridLayout({ ...desktop, count: 3, height: 0 }).tiles).toEqual([]);
  });

  it("chooses the plain grid with the widest tiles", () => {
    for (let count = 1; count <= 16; count++) {
      const chosen = bestPlain(count, 1340, 780, 4);
      const width = (c: number): number => {
        const r = Math.ceil(count / c);
        return Math.min((1340 - (c - 1) * 4) / c, ((780 - (r - 1) * 4) / r) * (16 / 9));
      };
      const widest = Math.max(...Array.from({ length: count }, (_, i) => width(i + 1)));
      expect(width(chosen.columns)).toBeGreaterThanOrEqual(widest - 0.6);
    }
  });

  it("moves between tiles with the arrows, also round a large one", () => {
    const six = gridLayout({ ...desktop, count: 6 }).tiles;
    expect(neighbour(six, 0, "right")).toBe(1);
    expect(neighbour(six, 2, "left")).toBe(0);
    expect(neighbour(six, 0, "down")).toBe(3);
    expect(neighbour(six, 4, "right")).toBe(5);
    expect(neighbour(six, 5, "right")).toBe(5);
    expect(neighbour(six, 5, "up")).toBe(2);
  });

  it("changes columns by pinching, within limits", () => {
    expect(pinchColumns(2, 1.6, "portrait")).toBe(1);
    expect(pinchColumns(1, 1.6, "portrait")).toBe(1);
    expect(pinchColumns(2, 0.5, "portrait")).toBe(3);
    expect(pinchColumns(3, 1.1, "portrait")).toBe(3);
    expect(pinchColumns(4, 0.5, "landscape")).toBe(4);
  });
});
