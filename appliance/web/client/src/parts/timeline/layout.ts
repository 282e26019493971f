/** Where everything stands on the canvas, from its width and the number of cameras. */

export const RULER = 30;
const LANE_GAP = 6;
const NAMES = 148;
/** Below this the names stand in the lanes. */
const WIDE = 700;
const OVERVIEW = 34;

export interface Row {
  readonly y: number;
  readonly h: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Where time begins. */
  readonly left: number;
  readonly lanes: readonly Row[];
  /** Below the last lane. */
  readonly bottom: number;
  readonly overview: Row;
}

function laneHeight(index: number, count: number, middle: boolean): number {
  // on a phone the picture that is looked at has the tall lane
  if (middle) return count === 1 ? 64 : index === 0 ? 56 : 26;
  return count <= 4 ? 36 : count <= 6 ? 28 : 22;
}

export function layoutFor(width: number, cameras: number, middle: boolean): Layout {
  const lanes: Row[] = [];
  let y = RULER + 4;
  for (let i = 0; i < cameras; i++) {
    const h = laneHeight(i, cameras, middle);
    lanes.push({ y, h });
    y += h + LANE_GAP;
  }
  const bottom = y - LANE_GAP + 4;
  return { width, height: bottom + 10 + OVERVIEW, left: width >= WIDE ? NAMES : 0, lanes, bottom, overview: { y: bottom + 6, h: OVERVIEW - 14 } };
}

/** The lane at this height; between two the one above. */
export function laneAt(layout: Layout, y: number): number | null {
  if (y < RULER || y > layout.bottom) return null;
  for (let i = layout.lanes.length - 1; i >= 0; i--) if (y >= (layout.lanes[i] as Row).y - LANE_GAP) return i;
  return layout.lanes.length > 0 ? 0 : null;
}
