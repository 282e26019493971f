/** Ties between watched values and rendering. */

import { useEffect, useLayoutEffect, useReducer, useRef, type Inputs } from "preact/hooks";
import type { Watched } from "../../logic/timeline/contract";
import { useLatest } from "../../ui/hooks";

/** What is made of a watched value; renders again only when that has changed. */
export function useWatched<T, P>(watched: Watched<T>, pick: (value: T) => P): P {
  const [, render] = useReducer<number, void>((n) => n + 1, 0);
  const latest = useLatest(pick);
  const value = pick(watched.get());
  const seen = useRef(value);
  seen.current = value;
  useLayoutEffect(() => {
    const look = (): void => {
      if (!Object.is(latest.current(watched.get()), seen.current)) render();
    };
    look();
    return watched.subscribe(look);
  }, [watched]);
  return value;
}

/** Writes a watched value into the page, at most once a frame, without rendering. */
export function useWritten<T>(watched: Watched<T>, write: (value: T) => void, inputs: Inputs): void {
  useLayoutEffect(() => {
    let frame = 0;
    write(watched.get());
    const end = watched.subscribe(() => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        write(watched.get());
      });
    });
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, [watched, ...inputs]);
}

export interface Loaded<T> {
  readonly value: T | null;
  readonly failed: boolean;
}

/** What a promise brings; what came before is shown until then. */
export function useLoaded<T>(ask: () => Promise<T>, inputs: Inputs): Loaded<T> {
  const state = useRef<Loaded<T>>({ value: null, failed: false });
  const [, render] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => {
    let wanted = true;
    ask().then(
      (value) => {
        if (!wanted) return;
        state.current = { value, failed: false };
        render();
      },
      () => {
        if (!wanted) return;
        state.current = { value: null, failed: true };
        render();
      },
    );
    return () => {
      wanted = false;
    };
  }, inputs);
  return state.current;
}
