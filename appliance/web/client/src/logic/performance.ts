/** The performance settings as a form: what is typed, and what is wrong with it before the server says so (PER-1 to PER-3). */

import { amount, isRecord } from "./messages";
import { isWithin, whole, type Range, type Typed } from "./settings-values";

export interface Load {
  readonly level: number;
  readonly cpuPercent: number;
  readonly kbps: number;
}

export const MODES = ["quality", "performance", "bandwidth"] as const;
export const LEVELS = [1, 2, 3] as const;

const RANGES: Readonly<Record<string, Range>> = {
  max_fps: { least: 1, most: 60 },
  max_width: { least: 160, most: 7680 },
  max_height: { least: 90, most: 4320 },
  cpu_percent: { least: 10, most: 95, off: true },
  bandwidth_kbps: { least: 100, most: 10_000_000, off: true },
};

/** What is wrong with a field; `than`: with which level it is compared, `value`: what that has. */
export type Problem =
  | { readonly kind: "range"; readonly least: number; readonly most: number; readonly off: boolean }
  | { readonly kind: "below" | "size" | "above"; readonly than: number; readonly value: string }
  | { readonly kind: "threshold" };

/** Without these it is another tab. */
export const NEEDS: readonly string[] = ["direct", "level1.max_fps"];

export function readLoad(value: unknown): Load | null {
  const level = isRecord(value) ? value["level"] : null;
  if (!isRecord(level)) return null;
  const number = amount(level["number"]);
  return number === null ? null : { level: number, cpuPercent: amount(level["cpu_percent"]) ?? 0, kbps: amount(level["kbps"]) ?? 0 };
}

export function problemsOf(typed: Typed): Record<string, Problem> {
  const found: Record<string, Problem> = {};
  const of = (level: number, name: string): number => whole(typed[`level${level}.${name}`]);
  for (const level of LEVELS) {
    for (const [name, range] of Object.entries(RANGES)) {
      if (typed[`level${level}.${name}`] === undefined) continue;
      if (!isWithin(of(level, name), range)) found[`level${level}.${name}`] = { kind: "range", least: range.least, most: range.most, off: range.off ?? false };
    }
  }
  const on = LEVELS.filter((level) => typed[`level${level}.enabled`] === true);
  on.forEach((level, at) => {
    const put = (name: string, problem: Problem): void => {
      found[`level${level}.${name}`] ??= problem;
    };
    if (level > 1 && of(level, "cpu_percent") === 0 && of(level, "bandwidth_kbps") === 0) put("cpu_percent", { kind: "threshold" });
    const than = on[at - 1];
    if (than === undefined) return;
    if (of(level, "max_fps") >= of(than, "max_fps")) put("max_fps", { kind: "below", than, value: String(of(than, "max_fps")) });
    const [wide, high, wideBefore, highBefore] = [of(level, "max_width"), of(level, "max_height"), of(than, "max_width"), of(than, "max_height")];
    const same = wide === wideBefore && high === highBefore;
    const size: Problem = { kind: "size", than, value: `${wideBefore}×${highBefore}` };
    if (same || wide > wideBefore) put("max_width", size);
    else if (high > highBefore) put("max_height", size);
    for (const name of ["cpu_percent", "bandwidth_kbps"]) {
      const [value, before] = [of(level, name), of(than, name)];
      if (value > 0 && before > 0 && value <= before) put(name, { kind: "above", than, value: String(before) });
    }
  });
  return found;
}
