/** The span that is selected for a copy, a bookmark or an investigation. */

import type { Span } from "./contract";
import { MINUTE, SECOND } from "./zone";

const LEAST = SECOND;
/** What `I` selects where nothing is, and `O` before it. */
const FIRST = MINUTE;

/** Two instants in any order; never shorter than a second. */
export function between(a: number, b: number): Span {
  const from = Math.min(a, b);
  return { from, to: Math.max(a, b, from + LEAST) };
}

/** `I`: it begins here.  What ended before that ends a minute after. */
export function beginAt(selection: Span | null, at: number, now: number): Span {
  const to = selection && selection.to > at ? selection.to : Math.min(at + FIRST, Math.max(now, at + LEAST));
  return between(at, to);
}

/** `O`: it ends here. */
export function endAt(selection: Span | null, at: number): Span {
  return between(selection && selection.from < at ? selection.from : at - FIRST, at);
}

export type Handle = "from" | "to";

/** A handle drawn over the other one takes its place. */
export function dragHandle(selection: Span, handle: Handle, at: number): { readonly selection: Span; readonly handle: Handle } {
  const fixed = handle === "from" ? selection.to : selection.from;
  const crossed = handle === "from" ? at > fixed : at < fixed;
  const moved = crossed ? (handle === "from" ? "to" : "from") : handle;
  if (moved === "from") return { selection: { from: Math.min(at, fixed - LEAST), to: fixed }, handle: moved };
  return { selection: { from: fixed, to: Math.max(at, fixed + LEAST) }, handle: moved };
}
