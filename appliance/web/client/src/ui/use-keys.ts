/** Keys of the page → commands of whoever is shown. */

import { useEffect } from "preact/hooks";
import { Keys, type Command } from "../logic/keys";
import { useLatest } from "./hooks";

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** `handle` returns true for a command that it took. */
export function useKeys(characters: boolean, handle: (command: Command, event: KeyboardEvent) => boolean): void {
  const latest = useLatest({ characters, handle });
  useEffect(() => {
    const keys = new Keys();
    const pressed = (e: KeyboardEvent): void => {
      // what is open over the page has the keys for itself
      if (e.defaultPrevented || e.isComposing || document.querySelector("dialog[open]")) return;
      const onButton = e.target instanceof HTMLElement && e.target.closest("button, a") !== null;
      if (onButton && (e.key === "Enter" || e.key === " ")) return;
      const key = { key: e.key, ctrl: e.ctrlKey, alt: e.altKey, meta: e.metaKey, typing: typing(e.target) };
      const command = keys.command(key, performance.now(), latest.current.characters);
      if (command !== null && latest.current.handle(command, e)) e.preventDefault();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
