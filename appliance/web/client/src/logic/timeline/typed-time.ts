/**
 * Times as people type them: `14:18`, `14h18`, `9`, `2:30 pm`, `yesterday 9`, `hier 9`, `12/3 14:18`, `12 mars 9h`,
 * `monday 9`, `il y a 5 min`, `2026-03-12 14:18`.  English and French are understood whatever the page speaks.  The day
 * stands before the month, as everywhere in the product.
 */

import { DAY, HOUR, MINUTE, SECOND, type Zone } from "./zone";

export type Typed =
  /** `also`: the other instant at which the clock shows this, where it does so twice. */
  | { readonly kind: "time"; readonly at: number; readonly also: number | null; readonly missing: boolean }
  | { readonly kind: "future"; readonly at: number }
  | { readonly kind: "unknown" };

const UNKNOWN: Typed = { kind: "unknown" };

/** Without accents, in lower case, with single spaces. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[\u2018\u2019]/g, "'").replace(/[\s\u202f,]+/g, " ").trim();
}

const MONTHS: readonly RegExp[] = [
  /^jan/, /^(feb|fev)/, /^mar/, /^(apr|avr)/, /^(may|mai)/, /^(june?|juin)$/, /^(july?|juil)/, /^(aug|aout)/, /^sep/, /^oct/, /^nov/, /^dec/,
];
const WEEKDAYS: readonly RegExp[] = [/^(sun|dim)/, /^(mon|lun)/, /^(tue|mar)/, /^(wed|mer)/, /^(thu|jeu)/, /^(fri|ven)/, /^(sat|sam)/];
const DAYS_BACK: Readonly<Record<string, number>> = {
  today: 0, "aujourd'hui": 0, aujourdhui: 0, yesterday: -1, hier: -1, "avant-hier": -2, "avant hier": -2, "day before yesterday": -2,
};
const UNITS: readonly (readonly [RegExp, number])[] = [[/^s(ec(onde?s?)?)?$/, SECOND], [/^m(in(ute?s?)?)?$/, MINUTE], [/^h(ours?|eures?)?$/, HOUR], [/^(d(ays?)?|j(ours?)?)$/, DAY]];

interface Clock {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function clock(text: string): Clock | null {
  if (/^(noon|midi)$/.test(text)) return { hour: 12, minute: 0, second: 0 };
  if (/^(midnight|minuit)$/.test(text)) return { hour: 0, minute: 0, second: 0 };
  const found = /^(\d{1,2})(?:\s*[:h.]\s*(\d{2})?(?:\s*(?:[:m.]|min)\s*(\d{2})\s*s?)?)?\s*(am|pm)?$/.exec(text);
  if (!found) return null;
  const [, h, m, s, half] = found;
  let hour = Number(h);
  const minute = Number(m ?? 0);
  const second = Number(s ?? 0);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half === "pm" ? 12 : 0);
  }
  return hour < 24 && minute < 60 && second < 60 ? { hour, minute, second } : null;
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function exists({ year, month, day }: Day): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** A day without a year is the last one that has begun. */
function dated(zone: Zone, now: number, day: number, month: number, year: string | undefined): Day | null {
  if (year !== undefined) {
    const whole = { year: year.length === 2 ? 2000 + Number(year) : Number(year), month, day };
    return exists(whole) ? whole : null;
  }
  const today = zone.local(now);
  // the 29th of February may be some years ago
  for (let back = 0; back < 9; back++) {
    const whole = { year: today.year - back, month, day };
    if (exists(whole) && zone.at(whole.year, month, day) <= now) return whole;
  }
  return null;
}

/** Splits what names a day off the front.  `day` is null where nothing does; undefined where no such day exists. */
function dayOf(text: string, zone: Zone, now: number): { readonly day: Day | null; readonly rest: string } | undefined {
  const back = (days: number, rest: string): { day: Day; rest: string } => ({ day: zone.local(zone.startOfDay(now, days)), rest });
  for (const [word, days] of Object.entries(DAYS_BACK)) {
    if (text === word || text.startsWith(`${word} `)) return back(days, text.slice(word.length).trim());
  }
  let found = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:$|[t ]+(.*)$)/.exec(text);
  if (found) {
    const day = dated(zone, now, Number(found[3]), Number(found[2]), found[1]);
    return day ? { day, rest: found[4] ?? "" } : undefined;
  }
  found = /^(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?(?:$| +(.*)$)/.exec(text);
  // 14.18 alone is a time
  if (found && !(text.includes(".") && found[3] === undefined && found[4] === undefined)) {
    const day = dated(zone, now, Number(found[1]), Number(found[2]), found[3]);
    return day ? { day, rest: found[4] ?? "" } : undefined;
  }
  found = /^(?:le )?(\d{1,2})(?:er|st|nd|rd|th)? ([a-z]{3,})\.?(?: (\d{4}))?(?:$| +(.*)$)/.exec(text);
  const month = found ? MONTHS.findIndex((m) => m.test(found?.[2] ?? "")) : -1;
  if (found && month >= 0) {
    const day = dated(zone, now, Number(found[1]), month + 1, found[3]);
    return day ? { day, rest: found[4] ?? "" } : undefined;
  }
  found = /^(?:last )?([a-z]{3,})\.?(?: dernier)?(?:$| +(.*)$)/.exec(text);
  const weekday = found ? WEEKDAYS.findIndex((w) => w.test(found?.[1] ?? "") && (found?.[1] ?? "").length < 10) : -1;
  if (found && weekday >= 0) return back(-((zone.local(now).weekday - weekday + 7) % 7 || 7), found[2] ?? "");
  return { day: null, rest: text };
}

/** `5 min ago`, `il y a 2 h`, `-30 s`. */
function ago(text: string): number | null {
  const found = /^(?:-|\u2212|il y a )\s*(\d{1,4})\s*([a-z]+)$/.exec(text) ?? /^(\d{1,4})\s*([a-z]+) ago$/.exec(text);
  const unit = found && UNITS.find(([word]) => word.test(found[2] ?? ""));
  return found && unit ? Number(found[1]) * unit[1] : null;
}

/** `shown` is the instant on screen: a time without a day is one of its day. */
export function readTime(typed: string, zone: Zone, shown: number, now: number): Typed {
  const text = plain(typed);
  if (text === "" || text.length > 60) return UNKNOWN;
  if (text === "now" || text === "maintenant" || text === "live" || text === "direct") return { kind: "time", at: now, also: null, missing: false };
  const back = ago(text);
  if (back !== null) return { kind: "time", at: now - back, also: null, missing: false };
  const named = dayOf(text, zone, now);
  if (!named) return UNKNOWN;
  const day = named.day ?? zone.local(shown);
  const rest = named.rest.replace(/^(?:at|a|vers) /, "");
  if (named.day !== null && rest === "") {
    const at = zone.startOfDay(zone.at(day.year, day.month, day.day, 12));
    return at > now ? { kind: "future", at } : { kind: "time", at, also: null, missing: false };
  }
  const time = clock(rest);
  if (!time) return UNKNOWN;
  const { hour, minute, second } = time;
  const all = zone.instants(day.year, day.month, day.day, hour, minute, second);
  const at = all[0] ?? zone.at(day.year, day.month, day.day, hour, minute, second);
  if (at > now) return { kind: "future", at };
  const also = all[1] !== undefined && all[1] <= now ? all[1] : null;
  return { kind: "time", at, also, missing: all.length === 0 };
}
