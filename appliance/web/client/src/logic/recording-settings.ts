/** The settings of all recordings as a form. */

import { amount, isRecord, text } from "./messages";
import { isWithin, whole, type Range, type Typed } from "./settings-values";

export const LIMITS: Readonly<Record<"retention_days" | "max_gb" | "keep_free_gb" | "seeks_per_user" | "exports_per_user", Range>> = {
  retention_days: { least: 1, most: 3650 },
  max_gb: { least: 1, most: 1_000_000, off: true },
  keep_free_gb: { least: 1, most: 10_000, off: true },
  seeks_per_user: { least: 1, most: 100 },
  exports_per_user: { least: 1, most: 20 },
};
export type Limit = keyof typeof LIMITS;
/** Without these it is another tab. */
export const NEEDS = Object.keys(LIMITS) as Limit[];

export function limitsExceeded(typed: Typed): Record<string, Range> {
  return Object.fromEntries(NEEDS.filter((key) => !isWithin(whole(typed[key]), LIMITS[key])).map((key) => [key, LIMITS[key]]));
}

/** What there is now. */
export interface Stock {
  readonly bytes: number;
  readonly bytesPerDay: number;
  /** Milliseconds since 1970; null where nothing is recorded yet. */
  readonly oldest: number | null;
  readonly disk: number;
  readonly free: number;
}

export function readStock(value: unknown): Stock | null {
  if (!isRecord(value)) return null;
  const [bytes, disk, free] = [amount(value["bytes"]), amount(value["disk_bytes"]), amount(value["free_bytes"])];
  if (bytes === null || disk === null || free === null) return null;
  const oldest = Date.parse(text(value["oldest"], 64) ?? "");
  return { bytes, disk, free, bytesPerDay: (amount(value["bytes_per_second"]) ?? 0) * 86_400, oldest: Number.isNaN(oldest) ? null : oldest };
}
