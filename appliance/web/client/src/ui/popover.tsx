/**
 * What opens beside its button and leaves the page as it is: a small panel on a desktop, a sheet on a phone.  Escape, a
 * press elsewhere and leaving it by the keyboard close it; the focus goes back to where it was.
 */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useLatest, useMedia } from "./hooks";

interface PopoverProps {
  readonly label: string;
  readonly place: "above" | "below";
  /** Which side of the button it keeps. */
  readonly align?: "start" | "end";
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** Stands in an element of class `pop-host`, together with its button. */
export function Popover({ label, place, align = "end", close, children }: PopoverProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const phone = useMedia("(max-width: 760px)");
  const latest = useLatest(close);
  // at once: what is typed next belongs here
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return undefined;
    const before = document.activeElement;
    if (phone) element.showModal();
    else {
      element.show();
      (element.querySelector<HTMLElement>("[data-first]") ?? element.querySelector<HTMLElement>("input, button, a"))?.focus();
    }
    const host = element.parentElement;
    // the button that opened it closes it by itself
    const outside = (e: Event): void => {
      if (e.target instanceof Node && !host?.contains(e.target)) latest.current();
    };
    const left = (e: FocusEvent): void => {
      if (e.relatedTarget instanceof Node && !host?.contains(e.relatedTarget)) latest.current();
    };
    document.addEventListener("pointerdown", outside);
    element.addEventListener("focusout", left);
    return () => {
      document.removeEventListener("pointerdown", outside);
      element.removeEventListener("focusout", left);
      const inside = element.contains(document.activeElement) || document.activeElement === document.body;
      element.close();
      if (inside && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [phone]);
  return (
    <dialog
      ref={dialog}
      class={`pop ${place} ${align}`}
      aria-label={label}
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
      onPointerDown={(e) => {
        if (phone && e.target === dialog.current) close();
      }}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.preventDefault();
        e.stopPropagation();
        close();
      }}
    >
      <div class="pop-body">{children}</div>
    </dialog>
  );
}
