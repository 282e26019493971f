/** Which of the three arrangements a window gets (ui.md §4). */

import type { Form } from "./grid";

export interface Screen {
  readonly width: number;
  readonly height: number;
  /** Fingers rather than a mouse. */
  readonly touch: boolean;
}

export function formOf({ width, height, touch }: Screen): Form {
  if (width > height && height <= 500) return "landscape";
  if (width <= 760 || (touch && height > width)) return "portrait";
  return "desktop";
}
