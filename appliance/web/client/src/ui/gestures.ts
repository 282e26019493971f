/** Pointers of an element → gestures.  Buttons and fields inside it keep their own. */

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { Gestures, type Gesture } from "../logic/gesture";
import { useLatest } from "./hooks";

export function useGestures(
  ref: RefObject<HTMLElement | null>,
  handle: (gesture: Gesture, target: HTMLElement | null) => void,
): void {
  const latest = useLatest(handle);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const gestures = new Gestures();
    const listening = new AbortController();
    const { signal } = listening;
    let target: HTMLElement | null = null;
    let timer: ReturnType<typeof setTimeout> | null = null;

    const say = (list: readonly Gesture[]): void => {
      for (const gesture of list) latest.current(gesture, target);
    };
    const at = (e: PointerEvent): { x: number; y: number } => {
      const box = element.getBoundingClientRect();
      return { x: e.clientX - box.left, y: e.clientY - box.top };
    };
    const wait = (): void => {
      if (timer !== null) clearTimeout(timer);
      const { deadline } = gestures;
      timer = deadline === null ? null : setTimeout(() => say(gestures.due(performance.now())), deadline - performance.now());
    };
    element.addEventListener(
      "pointerdown",
      (e) => {
        if (e.button !== 0) return;
        const origin = e.target instanceof HTMLElement || e.target instanceof SVGElement ? e.target : null;
        if (origin?.closest("button, a, input, select")) return;
        target = origin instanceof HTMLElement ? origin : null;
        gestures.down(e.pointerId, at(e), performance.now());
        wait();
      },
      { signal },
    );
    element.addEventListener(
      "pointermove",
      (e) => {
        const list = gestures.move(e.pointerId, at(e));
        // captured only once it is a movement: a captured pointer would take the click from what is below
        if (list.length > 0 && !element.hasPointerCapture(e.pointerId)) element.setPointerCapture(e.pointerId);
        say(list);
        wait();
      },
      { signal },
    );
    element.addEventListener(
      "pointerup",
      (e) => {
        say(gestures.up(e.pointerId, performance.now(), e.pointerType !== "mouse"));
        wait();
      },
      { signal },
    );
    element.addEventListener(
      "pointercancel",
      (e) => {
        gestures.cancel(e.pointerId);
        wait();
      },
      { signal },
    );
    // a long press is ours
    element.addEventListener("contextmenu", (e) => (e as PointerEvent).pointerType === "touch" && e.preventDefault(), { signal });
    return () => {
      listening.abort();
      if (timer !== null) clearTimeout(timer);
    };
  }, []);
}
