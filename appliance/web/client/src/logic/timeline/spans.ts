/** Spans of time: sets of them are kept in order and apart from each other. */

import type { Span } from "./contract";

/** In order, with what touches or overlaps joined, and gaps shorter than `join` closed. */
export function normalise(spans: readonly Span[], join = 0): Span[] {
  const sorted = spans.filter((s) => s.to > s.from).sort((a, b) => a.from - b.from);
  const out: { from: number; to: number }[] = [];
  for (const span of sorted) {
    const last = out.at(-1);
    if (last && span.from - last.to <= join) last.to = Math.max(last.to, span.to);
    else out.push({ from: span.from, to: span.to });
  }
  return out;
}

/** Index of the first span that ends after `at`; the number of spans if there is none. */
export function firstAfter(spans: readonly Span[], at: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).to > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function holds(spans: readonly Span[], at: number): boolean {
  const span = spans[firstAfter(spans, at)];
  return span !== undefined && span.from <= at;
}

export function clip(spans: readonly Span[], { from, to }: Span): Span[] {
  const out: Span[] = [];
  for (let i = firstAfter(spans, from); i < spans.length; i++) {
    const span = spans[i] as Span;
    if (span.from >= to) break;
    out.push({ from: Math.max(span.from, from), to: Math.min(span.to, to) });
  }
  return out;
}

/** What of `whole` is in none of the spans. */
export function missing(spans: readonly Span[], whole: Span): Span[] {
  const out: Span[] = [];
  let at = whole.from;
  for (const span of clip(spans, whole)) {
    if (span.from > at) out.push({ from: at, to: span.from });
    at = span.to;
  }
  if (at < whole.to) out.push({ from: at, to: whole.to });
  return out;
}

export function length(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + span.to - span.from, 0);
}
