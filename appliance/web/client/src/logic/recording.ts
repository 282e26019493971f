/** How a camera is recorded, as a form: what is typed, what is wrong with it before the server says so, what is sent. */

import { amount, isRecord, text } from "./messages";

export const MODES = ["off", "continuous", "event", "schedule"] as const;
export type Mode = (typeof MODES)[number];
/** As the server calls them, Monday first. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

/** Some days, from a time to a time; one that ends before it begins ends on the next day. */
export interface Times {
  readonly days: readonly Day[];
  readonly from: string;
  readonly to: string;
}

/** As typed: numbers are texts; of the last two an empty one leaves it to the settings of all cameras. */
export interface Recording {
  readonly mode: Mode;
  readonly sub: boolean;
  readonly schedule: readonly Times[];
  readonly pre: string;
  readonly post: string;
  readonly days: string;
  readonly gb: string;
}

export const NOT_RECORDED: Recording = { mode: "off", sub: false, schedule: [], pre: "5", post: "30", days: "", gb: "" };
export const USUAL_TIMES: Times = { days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" };
export const MOST_TIMES = 64;

export const RANGES = {
  pre: { least: 0, most: 30 },
  post: { least: 1, most: 3600 },
  days: { least: 1, most: 3650 },
  gb: { least: 0.1, most: 1_000_000 },
} as const;
export type Amount = keyof typeof RANGES;

const NAMES: Readonly<Record<keyof Recording, string>> = {
  mode: "mode", sub: "sub", schedule: "schedule", pre: "pre_s", post: "post_s", days: "retention_days", gb: "max_gb",
};

function readTimes(value: unknown): Times | null {
  if (!isRecord(value) || !Array.isArray(value["days"])) return null;
  const given: unknown[] = value["days"];
  const days = DAYS.filter((day) => given.includes(day));
  const from = text(value["from"], 5);
  const to = text(value["to"], 5);
  return from === null || to === null || days.length === 0 ? null : { days, from, to: to === "24:00" ? "00:00" : to };
}

export function readRecording(value: unknown): Recording {
  if (!isRecord(value)) return NOT_RECORDED;
  const typed = (each: unknown): string => (amount(each) === null ? "" : String(each));
  const spans = Array.isArray(value["schedule"]) ? value["schedule"].slice(0, MOST_TIMES) : [];
  return {
    mode: MODES.find((mode) => mode === value["mode"]) ?? "off",
    sub: value["sub"] === true,
    schedule: spans.map(readTimes).filter((each) => each !== null),
    pre: typed(value["pre_s"]),
    post: typed(value["post_s"]),
    days: typed(value["retention_days"]),
    gb: typed(value["max_gb"]),
  };
}

function numberOf(typed: string, name: Amount): number {
  const trimmed = typed.trim().replace(",", ".");
  return (name === "gb" ? /^\d{1,7}(\.\d{1,3})?$/ : /^\d{1,7}$/).test(trimmed) ? Number(trimmed) : NaN;
}

/** Which fields cannot be saved as they are.  Of the schedule: it is followed and empty, or some of it says nothing. */
export function recordingFaults(draft: Recording): ReadonlySet<keyof Recording> {
  const faults = new Set<keyof Recording>();
  for (const name of ["pre", "post", "days", "gb"] as const) {
    if (draft[name].trim() === "" && (name === "days" || name === "gb")) continue;
    const value = numberOf(draft[name], name);
    if (!(value >= RANGES[name].least && value <= RANGES[name].most)) faults.add(name);
  }
  if ((draft.mode === "schedule" && draft.schedule.length === 0) || draft.schedule.some(timesFault)) faults.add("schedule");
  return faults;
}

const SHOWN: Readonly<Record<Mode, readonly (keyof Recording)[]>> = {
  off: [],
  continuous: ["days", "gb"],
  event: ["pre", "post", "days", "gb"],
  schedule: ["schedule", "days", "gb"],
};

/** Another mode.  What is wrong and not shown in it goes back to what it was: nobody could find it. */
export function inMode(mode: Mode, draft: Recording, saved: Recording): Recording {
  const usual = mode === "schedule" && draft.schedule.length === 0 ? [USUAL_TIMES] : draft.schedule;
  const next: Recording = { ...draft, mode, schedule: usual };
  const hidden = [...recordingFaults(next)].filter((name) => !SHOWN[mode].includes(name));
  return { ...next, ...Object.fromEntries(hidden.map((name) => [name, saved[name]])) };
}

/** Without a day, without a time, or from a time to the same (but for the whole day). */
export function timesFault({ days, from, to }: Times): boolean {
  return days.length === 0 || !/^\d\d:\d\d$/.test(from) || !/^\d\d:\d\d$/.test(to) || (from === to && from !== "00:00");
}

export function changedRecording(draft: Recording, saved: Recording): (keyof Recording)[] {
  return (Object.keys(NAMES) as (keyof Recording)[]).filter((name) => JSON.stringify(draft[name]) !== JSON.stringify(saved[name]));
}

export type RecordingBody = Readonly<Record<string, unknown>>;

/** What of it changed, as the server takes it. */
export function recordingBody(draft: Recording, saved: Recording): RecordingBody {
  const value = (name: keyof Recording): unknown => {
    if (name === "days" || name === "gb") return draft[name].trim() === "" ? null : numberOf(draft[name], name);
    return name === "pre" || name === "post" ? numberOf(draft[name], name) : draft[name];
  };
  return Object.fromEntries(changedRecording(draft, saved).map((name) => [NAMES[name], value(name)]));
}
