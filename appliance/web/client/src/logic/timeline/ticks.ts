/**
 * Marks of the ruler, in local time.  Steps up to an hour go on through a change of the clock, so that a repeated hour
 * is there twice and a missing one not at all; longer ones stand where the clock shows them.
 */

import type { Axis } from "./axis";
import { spanOf, xOf } from "./axis";
import { DAY, HOUR, MINUTE, SECOND, type Change, type Zone } from "./zone";

/** Between two labels, in pixels. */
export const LABEL_PX = 72;
const MINOR_PX = 6;

export type Unit = "tenth" | "second" | "minute" | "hour" | "day" | "month" | "year";

export interface Step {
  readonly unit: Unit;
  /** How many of the unit. */
  readonly count: number;
  /** About how long. */
  readonly ms: number;
  /** What stands between two of them, without a label. */
  readonly minor: readonly number[];
}

const step = (unit: Unit, count: number, each: number, ...minor: number[]): Step => ({ unit, count, ms: count * each, minor });

const MONTH = 30 * DAY;
export const STEPS: readonly Step[] = [
  step("tenth", 1, 100, 20), step("tenth", 2, 100, 50, 100), step("tenth", 5, 100, 100), step("second", 1, SECOND, 200, 500), step("second", 2, SECOND, 500, SECOND),
  step("second", 5, SECOND, SECOND), step("second", 10, SECOND, 2 * SECOND, 5 * SECOND), step("second", 30, SECOND, 5 * SECOND, 10 * SECOND),
  step("minute", 1, MINUTE, 10 * SECOND, 30 * SECOND), step("minute", 2, MINUTE, 30 * SECOND, MINUTE), step("minute", 5, MINUTE, MINUTE),
  step("minute", 10, MINUTE, 2 * MINUTE, 5 * MINUTE), step("minute", 30, MINUTE, 5 * MINUTE, 10 * MINUTE), step("hour", 1, HOUR, 10 * MINUTE, 30 * MINUTE),
  step("hour", 2, HOUR, 30 * MINUTE, HOUR), step("hour", 3, HOUR, HOUR), step("hour", 6, HOUR, HOUR, 3 * HOUR), step("hour", 12, HOUR, 3 * HOUR, 6 * HOUR),
  step("day", 1, DAY, 6 * HOUR, 12 * HOUR), step("day", 2, DAY, DAY), step("day", 7, DAY, DAY), step("month", 1, MONTH, 7 * DAY), step("month", 3, MONTH, MONTH), step("year", 1, 366 * DAY, MONTH),
];

export interface Tick {
  readonly at: number;
  readonly x: number;
  readonly step: Step;
  readonly major: boolean;
  /** Its clock shows 00:00 of a day. */
  readonly midnight: boolean;
}

/** The finest step whose labels stand far enough apart. */
export function stepFor(msPerPx: number): Step {
  return STEPS.find((s) => s.ms / msPerPx >= LABEL_PX) ?? (STEPS.at(-1) as Step);
}

/** All instants in [from, to] at which a step of the clock begins. */
export function instants(zone: Zone, unit: Unit, count: number, ms: number, from: number, to: number): number[] {
  const out: number[] = [];
  if (unit === "year" || unit === "month") {
    const { year, month } = zone.local(from);
    const every = unit === "year" ? 12 * count : count;
    for (let k = Math.floor((year * 12 + month - 1) / every) * every; ; k += every) {
      const at = zone.at(Math.floor(k / 12), (k % 12) + 1, 1);
      if (at > to) return out;
      if (at >= from) out.push(at);
    }
  }
  if (ms > HOUR) {
    // by the clock of each day
    const hours = unit === "day" ? 24 : ms / HOUR;
    const days = unit === "day" ? count : 1;
    for (let start = zone.startOfDay(from); start <= to; start = zone.startOfDay(start, 1)) {
      const { year, month, day } = zone.local(start);
      // counted since the epoch's Monday, so that every other day is the same whatever is shown
      if (days > 1 && (Math.floor(Date.UTC(year, month - 1, day) / DAY) + 3) % days !== 0) continue;
      for (let hour = 0; hour < 24; hour += hours) {
        const all = hour === 0 ? [start] : zone.instants(year, month, day, hour);
        for (const at of all) if (at >= from && at <= to) out.push(at);
      }
    }
    return out.sort((a, b) => a - b);
  }
  const next = (at: number): number => {
    const offset = zone.offset(at);
    return Math.ceil((at + offset) / ms) * ms - offset;
  };
  for (let at = next(from); at <= to; ) {
    // behind a change of the clock the marks may stand elsewhere
    const again = next(at);
    if (again !== at) {
      at = again;
      continue;
    }
    out.push(at);
    at = next(at + 1);
  }
  return out;
}

export function ticks(axis: Axis, zone: Zone): Tick[] {
  const chosen = stepFor(axis.msPerPx);
  const { from, to } = spanOf(axis);
  // one that stands before the left end may reach in with its label
  const margin = LABEL_PX * axis.msPerPx;
  const out: Tick[] = [];
  const tick = (at: number, major: boolean): Tick => {
    const { hour, minute, second, ms } = zone.local(at);
    return { at, x: xOf(axis, at), step: chosen, major, midnight: hour + minute + second + ms === 0 };
  };
  let last = -Infinity;
  for (const at of instants(zone, chosen.unit, chosen.count, chosen.ms, from - margin, to + margin)) {
    const x = xOf(axis, at);
    // of two that a change of the clock brings together the first has the label
    const major = x - last >= LABEL_PX - 0.5;
    if (major) last = x;
    out.push(tick(at, major));
  }
  const minor = chosen.minor.find((ms) => ms / axis.msPerPx >= MINOR_PX);
  if (minor !== undefined) {
    const majors = new Set(out.map((t) => t.at));
    const unit: Unit = minor === MONTH ? "month" : minor >= DAY ? "day" : "hour";
    for (const at of instants(zone, unit, unit === "day" ? minor / DAY : 1, minor, from, to)) if (!majors.has(at)) out.push(tick(at, false));
  }
  return out.sort((a, b) => a.at - b.at);
}

/** Changes of the clock that can be seen. */
export function clockChanges(axis: Axis, zone: Zone): (Change & { readonly x: number })[] {
  const { from, to } = spanOf(axis);
  return zone.changes(from, to).map((change) => ({ ...change, x: xOf(axis, change.at) }));
}
