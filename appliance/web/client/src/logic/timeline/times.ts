/** Times, days and lengths in words: of one zone and one language, made once. */

import type { Translator } from "../../i18n/translator";
import { locale, THIN } from "../format";
import type { Tick } from "./ticks";
import { DAY, HOUR, MINUTE, SECOND, type Zone } from "./zone";

export class Times {
  readonly #formats = new Map<string, Intl.DateTimeFormat>();

  constructor(
    private readonly i18n: Translator,
    readonly zone: Zone,
  ) {}

  #format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    let format = this.#formats.get(name);
    if (!format) {
      const zone = this.zone.name === undefined ? {} : { timeZone: this.zone.name };
      this.#formats.set(name, (format = new Intl.DateTimeFormat(locale(this.i18n), { ...options, ...zone })));
    }
    return format;
  }

  /** `14:18:36`; in an hour that comes twice, with the zone's name. */
  clock(at: number): string {
    const { hour, minute, second } = this.zone.local(at);
    const text = `${two(hour)}:${two(minute)}:${two(second)}`;
    return this.zone.repeated(at) ? `${text} ${this.zoneName(at)}` : text;
  }

  /** `14:18` */
  short(at: number): string {
    const { hour, minute } = this.zone.local(at);
    return `${two(hour)}:${two(minute)}`;
  }

  /** `.240` */
  thousandths(at: number): string {
    return `.${String(this.zone.local(at).ms).padStart(3, "0")}`;
  }

  /** `CEST`, `UTC+2` */
  zoneName(at: number): string {
    const parts = this.#format("zone", { timeZoneName: "short", hour: "numeric" }).formatToParts(at);
    return parts.find((p) => p.type === "timeZoneName")?.value ?? "";
  }

  /** `Thu 12 March` */
  day(at: number): string {
    return this.#format("day", { weekday: "short", day: "numeric", month: "long" }).format(at).replace(",", "");
  }

  /** `12 March` */
  date(at: number): string {
    return this.#format("date", { day: "numeric", month: "long" }).format(at);
  }

  /** `Thursday 12 March 2026` */
  wholeDay(at: number): string {
    return this.#format("whole", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(at).replace(",", "");
  }

  /** `March 2026` */
  month(at: number): string {
    return this.#format("month", { month: "long", year: "numeric" }).format(at);
  }

  /** `Mon`, for the head of a calendar. */
  weekday(at: number, width: "narrow" | "short" | "long"): string {
    return this.#format(`weekday ${width}`, { weekday: width }).format(at);
  }

  /** `12 Mar, 14:18:36`, with the year where it is not this one. */
  moment(at: number, now: number): string {
    const year = this.zone.local(at).year !== this.zone.local(now).year;
    const date = this.#format(year ? "short date, year" : "short date", { day: "numeric", month: "short", ...(year ? { year: "numeric" } : {}) });
    return `${date.format(at)}, ${this.clock(at)}`;
  }

  /** What stands at a mark of the ruler. */
  tick(tick: Tick): string {
    const { unit } = tick.step;
    if (unit === "year") return String(this.zone.local(tick.at).year);
    if (unit === "month") {
      const { year, month } = this.zone.local(tick.at);
      return month === 1 ? String(year) : this.#format("tick month", { month: "short" }).format(tick.at);
    }
    if (unit === "day" || (tick.midnight && unit !== "second" && unit !== "tenth")) return this.#format("tick day", { day: "numeric", month: "short" }).format(tick.at);
    if (unit === "hour" || unit === "minute") return this.short(tick.at);
    const { hour, minute, second, ms } = this.zone.local(tick.at);
    const text = `${two(hour)}:${two(minute)}:${two(second)}`;
    return unit === "tenth" ? `${text}.${Math.floor(ms / 100)}` : text;
  }

  /** `6 min 36 s`, `2 h 5 min`, `3 d 4 h`; the two largest parts.  A day of recording has 24 hours, or 25. */
  duration(ms: number): string {
    const { t } = this.i18n;
    const rounded = ms < HOUR ? Math.round(ms / SECOND) * SECOND : ms < 2 * DAY ? Math.round(ms / MINUTE) * MINUTE : Math.round(ms / HOUR) * HOUR;
    const parts: string[] = [];
    let rest = rounded;
    for (const [each, unit] of [[DAY, t("d")], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]] as const) {
      if (each === DAY && rounded < 2 * DAY) continue;
      const n = Math.floor(rest / each);
      rest -= n * each;
      if (n > 0) parts.push(`${n}${THIN}${unit}`);
    }
    return parts.length === 0 ? `0${THIN}s` : parts.slice(0, 2).join(" ");
  }
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
