/**
 * Local time of a zone.  The day has 23, 24 or 25 hours; an hour of the clock may come twice or not at all, and so may
 * half of one.  Offsets are asked of the platform once per quarter of an hour, where all changes happen.
 */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const QUARTER = 15 * MINUTE;
const MOST_CACHED = 20_000;

export interface Local {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

/** The clock is put forward (`by` > 0: what it skips is missing) or back (`by` < 0: what it shows again is repeated). */
export interface Change {
  readonly at: number;
  readonly by: number;
}

export class Zone {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #offsets = new Map<number, number>();
  readonly #changes = new Map<number, number | null>();

  /** By IANA name; the browser's own without one.  Throws RangeError for a name that the platform does not know. */
  constructor(readonly name?: string) {
    this.#format =
      name === undefined
        ? null
        : new Intl.DateTimeFormat("en-US", {
            timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
          });
  }

  /** What to add to UTC. */
  offset(utc: number): number {
    const key = Math.floor(utc / QUARTER);
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    if (this.#offsets.size > MOST_CACHED) this.#offsets.clear();
    const found = this.#ask(key * QUARTER);
    this.#offsets.set(key, found);
    return found;
  }

  #ask(utc: number): number {
    if (!this.#format) return -new Date(utc).getTimezoneOffset() * MINUTE;
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(utc)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts as Partial<Record<string, number>>;
    return Date.UTC(year, month - 1, day, hour, minute, second) - utc;
  }

  local(utc: number): Local {
    const date = new Date(utc + this.offset(utc));
    return {
      year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), hour: date.getUTCHours(), minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(), ms: date.getUTCMilliseconds(), weekday: date.getUTCDay(),
    };
  }

  /** All instants at which a clock there shows this: none in a missing hour, two in a repeated one. */
  instants(year: number, month: number, day: number, hour = 0, minute = 0, second = 0, ms = 0): number[] {
    const shown = Date.UTC(year, month - 1, day, hour, minute, second, ms);
    const offsets = new Set([this.offset(shown - DAY), this.offset(shown + DAY)]);
    const found = [...offsets].map((offset) => shown - offset).filter((utc) => utc + this.offset(utc) === shown);
    return found.sort((a, b) => a - b);
  }

  /** The first of them; where there is none, as far behind the change as it would have been. */
  at(year: number, month: number, day: number, hour = 0, minute = 0, second = 0, ms = 0): number {
    const [first] = this.instants(year, month, day, hour, minute, second, ms);
    if (first !== undefined) return first;
    const shown = Date.UTC(year, month - 1, day, hour, minute, second, ms);
    return shown - this.offset(shown - DAY);
  }

  /** Of the local day `days` after the one that holds `utc`. */
  startOfDay(utc: number, days = 0): number {
    const { year, month, day } = this.local(utc);
    const wanted = Date.UTC(year, month - 1, day + days);
    const date = new Date(wanted);
    const start = this.at(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
    // where midnight itself is missing the day begins at the change
    const [change] = this.changes(start - 2 * HOUR, start + 1);
    return change && change.by > 0 && change.at + this.offset(change.at) >= wanted ? change.at : start;
  }

  /** Changes of the clock in a span, in order. */
  changes(from: number, to: number): Change[] {
    const list: Change[] = [];
    for (let day = Math.floor(from / DAY); day * DAY < to; day++) {
      const at = this.#changeOf(day);
      if (at !== null && at >= from && at < to) list.push({ at, by: this.offset(at) - this.offset(at - 1) });
    }
    return list;
  }

  #changeOf(day: number): number | null {
    const known = this.#changes.get(day);
    if (known !== undefined) return known;
    let low = day * DAY - 1;
    let high = (day + 1) * DAY - 1;
    const after = this.offset(high);
    let found: number | null = null;
    if (this.offset(low) !== after) {
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (this.offset(middle) === after) high = middle;
        else low = middle;
      }
      found = high;
    }
    if (this.#changes.size > MOST_CACHED) this.#changes.clear();
    this.#changes.set(day, found);
    return found;
  }

  /** Whether the clock shows this time of day twice. */
  repeated(utc: number): boolean {
    const { year, month, day, hour, minute, second, ms } = this.local(utc);
    return this.instants(year, month, day, hour, minute, second, ms).length > 1;
  }
}
