/** A month as a calendar shows it, and how much of each day was recorded. */

import type { Span } from "./contract";
import { clip, length } from "./spans";
import { DAY, type Zone } from "./zone";

export interface Month {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
}

export interface CalendarDay {
  readonly from: number;
  readonly to: number;
  readonly day: number;
  /** Of the month shown, not of the ones beside it. */
  readonly inside: boolean;
}

export function monthOf(zone: Zone, at: number): Month {
  const { year, month } = zone.local(at);
  return { year, month };
}

export function addMonths({ year, month }: Month, by: number): Month {
  const k = year * 12 + month - 1 + by;
  return { year: Math.floor(k / 12), month: (k % 12) + 1 };
}

/** Whole weeks that hold the month; `first` is the weekday they begin with, 0 for Sunday. */
export function weeks(zone: Zone, { year, month }: Month, first = 1): CalendarDay[][] {
  const weekday = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
  const out: CalendarDay[][] = [];
  let day = 1 - ((weekday - first + 7) % 7);
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  while (day <= last) {
    const week: CalendarDay[] = [];
    for (let i = 0; i < 7; i++, day++) {
      const date = new Date(Date.UTC(year, month - 1, day));
      const noon = zone.at(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), 12);
      week.push({ from: zone.startOfDay(noon), to: zone.startOfDay(noon, 1), day: date.getUTCDate(), inside: day >= 1 && day <= last });
    }
    out.push(week);
  }
  return out;
}

/** 0 to 1; anything recorded at all can be seen. */
export function share(recorded: readonly Span[], { from, to }: Span): number {
  const part = length(clip(recorded, { from, to })) / (to - from);
  return part === 0 ? 0 : Math.max(0.04, Math.min(1, part));
}

/** The same day of another month, or its last one. */
export function sameDay(zone: Zone, at: number, months: number): number {
  const { day } = zone.local(at);
  const { year, month } = addMonths(monthOf(zone, at), months);
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return zone.startOfDay(zone.at(year, month, Math.min(day, last), 12));
}

/** Where to go on a day: to the same time of day if that was recorded, else to the first that was.  Null if nothing. */
export function placeOn(zone: Zone, recorded: readonly Span[], day: Span, shown: number): number | null {
  const there = clip(recorded, day);
  const first = there[0];
  if (!first) return null;
  const same = day.from + (shown - zone.startOfDay(shown));
  return there.some((s) => s.from <= same && same < s.to) ? same : first.from;
}

/** The recorded instant nearest to a day on which nothing was.  Null if nothing was recorded at all. */
export function nearest(recorded: readonly Span[], day: Span): number | null {
  let best: number | null = null;
  let far = Infinity;
  for (const span of recorded) {
    const before = span.to <= day.from;
    const distance = before ? day.from - span.to : Math.max(0, span.from - day.to);
    if (distance < far) {
      far = distance;
      // the last hour of what went before, or the beginning of what follows
      best = before ? Math.max(span.from, span.to - DAY / 24) : span.from;
    }
  }
  return best;
}
