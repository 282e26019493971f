/** Keys of the page that plays → its commands. */

import { useEffect } from "preact/hooks";
import type { PlaybackCommand } from "../logic/timeline/contract";
import { playbackCommand } from "../logic/timeline/playback-keys";
import { useLatest } from "./hooks";
import { typing } from "./use-keys";

/** `handle` returns true for a command that it took. */
export function usePlaybackKeys(characters: boolean, handle: (command: PlaybackCommand, event: KeyboardEvent) => boolean): void {
  const latest = useLatest({ characters, handle });
  useEffect(() => {
    const pressed = (e: KeyboardEvent): void => {
      // what is open over the page has the keys for itself
      if (e.defaultPrevented || e.isComposing || document.querySelector("dialog[open]")) return;
      const onButton = e.target instanceof HTMLElement && e.target.closest("button, a") !== null;
      if (onButton && (e.key === "Enter" || e.key === " ")) return;
      const key = { key: e.key, shift: e.shiftKey, ctrl: e.ctrlKey, alt: e.altKey, meta: e.metaKey, typing: typing(e.target) };
      const command = playbackCommand(key, latest.current.characters);
      if (command !== null && latest.current.handle(command, e)) e.preventDefault();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
