/** The values of one tab of the settings as a form: what is saved, what is typed, what of it changed. */

import { isRecord, text } from "./messages";

export type Values = Readonly<Record<string, boolean | number | string>>;
/** As typed: numbers are texts. */
export type Typed = Readonly<Record<string, boolean | string>>;

/** `needs`: without these (numbers, or switches) it is another tab, or none. */
export function readValues(value: unknown, needs: readonly string[]): Values | null {
  if (!isRecord(value)) return null;
  const found: Record<string, boolean | number | string> = {};
  for (const [key, each] of Object.entries(value).slice(0, 64)) {
    if (typeof each === "boolean" || typeof each === "number") found[key] = each;
    else if (text(each) !== null) found[key] = text(each) ?? "";
  }
  return needs.every((key) => typeof found[key] === "boolean" || typeof found[key] === "number") ? found : null;
}

export function typedOf(values: Values): Typed {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typeof value === "number" ? String(value) : value]));
}

/** What was changed, as the server takes it. */
export function changesOf(typed: Typed, saved: Values): Record<string, boolean | number | string> {
  const changed = Object.entries(typed).filter(([key, value]) => typedOf(saved)[key] !== value);
  return Object.fromEntries(changed.map(([key, value]) => [key, typeof saved[key] === "number" ? Number(value) : value]));
}

/** A whole number as typed, else NaN. */
export function whole(value: boolean | string | undefined): number {
  return typeof value === "string" && /^\d{1,9}$/.test(value.trim()) ? Number(value) : NaN;
}

export interface Range {
  readonly least: number;
  readonly most: number;
  /** 0 stands for none. */
  readonly off?: boolean;
}

export function isWithin(value: number, { least, most, off = false }: Range): boolean {
  return (value >= least && value <= most) || (off && value === 0);
}
