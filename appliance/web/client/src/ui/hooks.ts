/** Ties between stores, time and rendering. */

import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type { Store } from "../logic/store";

/** The value of a store; renders again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, render] = useReducer<number, void>((n) => n + 1, 0);
  const seen = useRef<T>(store.get());
  seen.current = store.get();
  useLayoutEffect(() => {
    // it may have changed between rendering and now
    if (!Object.is(seen.current, store.get())) render();
    return store.subscribe(() => render());
  }, [store]);
  return store.get();
}

/** Renders once a second while `active`. */
export function useSecond(active = true): void {
  const [, render] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => render(), 1000);
    return () => clearInterval(timer);
  }, [active]);
}

/** Looks at once, then again and again while somebody sees the page. */
export function useLooking(look: () => Promise<void>, everyMs: number): void {
  const latest = useLatest(look);
  useEffect(() => {
    void latest.current();
    const timer = setInterval(() => {
      if (!document.hidden) void latest.current();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

/** The page's title: *what – Fanal*.  Null leaves the one before. */
export function useTitle(what: string | null): void {
  useEffect(() => {
    if (what !== null) document.title = `${what} – Fanal`;
  }, [what]);
}

/** The latest value of something, for handlers that live longer than a rendering. */
export function useLatest<T>(value: T): { readonly current: T } {
  const ref = useRef(value);
  ref.current = value;
  return ref;
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [, render] = useReducer<number, void>((n) => n + 1, 0);
  useLayoutEffect(() => {
    const list = matchMedia(query);
    const changed = (): void => render();
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, [query]);
  return matchMedia(query).matches;
}
