/** Numbers, rates and times as people of a language write them (ui.md §15). */

import type { Translator } from "../i18n/translator";

/** A narrow space that does not break, before units and in French before `: ; ? !`. */
export const THIN = "\u202f";

/** English has the day before the month here, as nobody can take it for the other. */
export function locale(i18n: Translator): string {
  return i18n.language === "xx" || i18n.language === "en" ? "en-GB" : i18n.language;
}

export function number(i18n: Translator, value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(i18n), { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

/** Bytes per second: `268 kB/s`, `1.9 MB/s`. */
export function rate(i18n: Translator, bytesPerSecond: number): string {
  const kilo = bytesPerSecond / 1000;
  if (kilo < 999.5) return `${number(i18n, kilo)}${THIN}${i18n.t("kB/s")}`;
  return `${number(i18n, kilo / 1000, 1)}${THIN}${i18n.t("MB/s")}`;
}

/** Bytes: `640 MB`, `5.2 GB`, `1.8 TB`, in thousands as on the label of a disk. */
export function bytes(i18n: Translator, value: number): string {
  const giga = value / 1e9;
  if (giga < 0.9995) return `${number(i18n, value / 1e6)}${THIN}${i18n.t("MB")}`;
  const [size, unit] = giga < 999.5 ? [giga, i18n.t("GB")] : [giga / 1000, i18n.t("TB")];
  return `${number(i18n, size, size < 99.95 ? 1 : 0)}${THIN}${unit}`;
}

/** `0.42 s` */
export function seconds(i18n: Translator, value: number, digits = 1): string {
  return `${number(i18n, value, digits)}${THIN}s`;
}

/** `12 ms`, `0.4 s` */
export function elapsed(i18n: Translator, ms: number): string {
  return ms < 100 ? `${number(i18n, ms)}${THIN}ms` : seconds(i18n, ms / 1000);
}

export function fps(i18n: Translator, value: number): string {
  const near = Math.round(value);
  const text = value < 9.5 && Math.abs(value - near) > 0.15 ? number(i18n, value, 1) : number(i18n, near);
  return `${text}${THIN}${i18n.t("fps")}`;
}

/** `1280×720` */
export function size(width: number, height: number): string {
  return `${Math.round(width)}×${Math.round(height)}`;
}

/** A time in the reader's language and the site's time zone. */
function time(i18n: Translator, utcMs: number, options: Intl.DateTimeFormatOptions): string {
  const zone = i18n.zone === undefined ? {} : { timeZone: i18n.zone };
  return new Intl.DateTimeFormat(locale(i18n), { hourCycle: "h23", ...options, ...zone }).format(utcMs);
}

/** `14:03:27` on the site's clock. */
export function clock(i18n: Translator, utcMs: number): string {
  return time(i18n, utcMs, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** `14:16` on the site's clock. */
export function shortClock(i18n: Translator, utcMs: number): string {
  return time(i18n, utcMs, { hour: "2-digit", minute: "2-digit" });
}

/** `12 Mar 2026` of a date as ISO 8601 has it, wherever the reader is. */
export function day(i18n: Translator, isoDate: string): string {
  const at = Date.parse(`${isoDate}T00:00Z`);
  if (!Number.isFinite(at)) return isoDate;
  return new Intl.DateTimeFormat(locale(i18n), { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(at);
}

/** `12 Mar 2026, 14:16` on the site's clock. */
export function dayAndClock(i18n: Translator, utcMs: number): string {
  return time(i18n, utcMs, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** The name of a day of the week, counted from Monday. */
export function weekday(i18n: Translator, day: number, length: "short" | "long"): string {
  // 3 January 2000 was a Monday
  return new Intl.DateTimeFormat(locale(i18n), { weekday: length, timeZone: "UTC" }).format(Date.UTC(2000, 0, 3 + day));
}

/** `12 min 40 s`, `40 s` */
export function wait(wholeSeconds: number): string {
  const total = Math.max(0, Math.ceil(wholeSeconds));
  const minutes = Math.floor(total / 60);
  const rest = `${total % 60}${THIN}s`;
  return minutes > 0 ? `${minutes}${THIN}min${THIN}${rest}` : rest;
}

/** `4 min`, `2 h 5 min`, `3 days`: how long, to the nearest that matters. */
export function length(i18n: Translator, ms: number): string {
  const total = Math.round(ms / 1000);
  if (total < 60) return `${total}${THIN}s`;
  const minutes = Math.round(total / 60);
  if (minutes < 60) return `${minutes}${THIN}min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return i18n.tn("{n} day", "{n} days", Math.round(hours / 24));
  return minutes % 60 === 0 ? `${hours}${THIN}h` : `${hours}${THIN}h${THIN}${minutes % 60}${THIN}min`;
}

/** `9 March` on the site's clock. */
export function dayInMonth(i18n: Translator, utcMs: number): string {
  return time(i18n, utcMs, { day: "numeric", month: "long" });
}

/** Whether two instants are of one day on the site's clock. */
export function sameDay(i18n: Translator, a: number, b: number): boolean {
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "numeric", year: "numeric" };
  return time(i18n, a, options) === time(i18n, b, options);
}

const CODECS: Readonly<Record<string, string>> = { h264: "H.264", h265: "H.265", hevc: "H.265", mpeg4: "MPEG-4", mjpeg: "MJPEG" };

export function codecName(codec: string | null): string {
  return codec === null ? "–" : (CODECS[codec.toLowerCase()] ?? codec);
}

/** `LM` for *Léa Martin* or `lea.martin`. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)].map((w) => [...(w ?? "")][0] ?? "") : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toLocaleUpperCase();
}
