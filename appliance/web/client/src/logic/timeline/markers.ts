/** Events, alarms and bookmarks as pins; what stands closer than 8 px is one pin with a number. */

import type { Marker, MarkerKind } from "./contract";

export const MERGE_PX = 8;
/** A pin with a number is wider, and takes in what it would cover. */
export const NUMBER_PX = 20;

export interface Pin {
  /** Of the first of them. */
  readonly at: number;
  /** Of the last of them. */
  readonly last: number;
  /** The most urgent there is in it. */
  readonly kind: MarkerKind;
  readonly markers: readonly Marker[];
}

const URGENCY: Readonly<Record<MarkerKind, number>> = { bookmark: 0, event: 1, alarm: 2 };

/** `markers` in order of time. */
export function pins(markers: readonly Marker[], msPerPx: number): Pin[] {
  const out: { at: number; last: number; kind: MarkerKind; markers: Marker[] }[] = [];
  const near = MERGE_PX * msPerPx;
  for (const marker of markers) {
    const pin = out.at(-1);
    const covered = pin !== undefined && pin.markers.length > 1 && marker.at - (pin.at + pin.last) / 2 < NUMBER_PX * msPerPx;
    if (pin && (covered || marker.at - pin.last < near)) {
      pin.markers.push(marker);
      pin.last = marker.at;
      if (URGENCY[marker.kind] > URGENCY[pin.kind]) pin.kind = marker.kind;
    } else out.push({ at: marker.at, last: marker.at, kind: marker.kind, markers: [marker] });
  }
  return out;
}

/** Where a pin stands: in the middle of what it stands for. */
export function pinAt(pin: Pin): number {
  return (pin.at + pin.last) / 2;
}

/** The index of the first pin at or after an instant. */
export function firstPin(list: readonly Pin[], at: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pinAt(list[middle] as Pin) >= at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The nearest pin no further than `reach` ms from an instant. */
export function pinNear(list: readonly Pin[], at: number, reach: number): Pin | null {
  const i = firstPin(list, at);
  const [before, after] = [list[i - 1], list[i]];
  const best = !before ? after : !after ? before : at - pinAt(before) <= pinAt(after) - at ? before : after;
  return best && Math.abs(pinAt(best) - at) <= reach ? best : null;
}

const KNOWN = new WeakMap<readonly Marker[], { msPerPx: number; pins: Pin[] }>();

/** The pins of a list that nobody changes; the last scale's are kept. */
export function pinsOf(markers: readonly Marker[], msPerPx: number): readonly Pin[] {
  const known = KNOWN.get(markers);
  if (known?.msPerPx === msPerPx) return known.pins;
  const made = pins(markers, msPerPx);
  KNOWN.set(markers, { msPerPx, pins: made });
  return made;
}
