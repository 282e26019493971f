/**
 * Digital zoom: which part of the picture is seen.  `x`, `y` are the centre of the part, from 0 to 1 of the picture;
 * screen coordinates are CSS pixels from the top left corner of the stage.
 */

export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 };
export const MOST_ZOOM = 8;
export const ZOOM_STEP = 1.5;

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}

/** The same zoom with its part kept inside the picture. */
export function bounded(zoom: Zoom): Zoom {
  const scale = clamp(zoom.scale, 1, MOST_ZOOM);
  const half = 0.5 / scale;
  return { scale, x: clamp(zoom.x, half, 1 - half), y: clamp(zoom.y, half, 1 - half) };
}

/** Zoom by `factor` so that what is under `point` stays under it. */
export function zoomAt(zoom: Zoom, stage: Size, point: Point, factor: number): Zoom {
  const scale = clamp(zoom.scale * factor, 1, MOST_ZOOM);
  const dx = point.x / stage.width - 0.5;
  const dy = point.y / stage.height - 0.5;
  return bounded({ scale, x: zoom.x + dx / zoom.scale - dx / scale, y: zoom.y + dy / zoom.scale - dy / scale });
}

/** Move the picture by so many screen pixels. */
export function pan(zoom: Zoom, stage: Size, dx: number, dy: number): Zoom {
  return bounded({ ...zoom, x: zoom.x - dx / (stage.width * zoom.scale), y: zoom.y - dy / (stage.height * zoom.scale) });
}

/** A CSS transform for an element as large as the stage, with `transform-origin: 0 0`. */
export function transform(zoom: Zoom, stage: Size): string {
  if (zoom.scale === 1) return "none";
  const tx = stage.width * (0.5 - zoom.x * zoom.scale);
  const ty = stage.height * (0.5 - zoom.y * zoom.scale);
  return `translate(${tx.toFixed(2)}px, ${ty.toFixed(2)}px) scale(${zoom.scale.toFixed(4)})`;
}

/** The part that is seen, as fractions of the picture. */
export function part(zoom: Zoom): { left: number; top: number; size: number } {
  const size = 1 / zoom.scale;
  return { left: zoom.x - size / 2, top: zoom.y - size / 2, size };
}

/** The box of a picture shown whole (`contain`) in a stage. */
export function contained(stage: Size, picture: Size): { x: number; y: number; width: number; height: number } {
  const scale = Math.min(stage.width / picture.width, stage.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (stage.width - width) / 2, y: (stage.height - height) / 2, width, height };
}
