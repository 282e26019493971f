/** The whole screen, where the browser can give it (not on an iPhone). */

import { useEffect, useReducer } from "preact/hooks";

export function fullscreenPossible(): boolean {
  return document.fullscreenEnabled === true;
}

export function toggleFullscreen(): void {
  // a refusal (no permission, not in a tap) leaves everything as it is
  if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
  else void document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => undefined);
}

export function useFullscreen(): boolean {
  const [, render] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => {
    const changed = (): void => render();
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  return document.fullscreenElement !== null;
}
