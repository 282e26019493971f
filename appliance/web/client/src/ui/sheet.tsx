/**
 * What opens beside or below the page: a panel on a desktop, a sheet from the bottom on a phone.  The browser's own
 * dialog keeps the focus inside and gives it back afterwards; Escape and a press beside it close it.
 */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useI18n } from "../app/context";
import { IconButton } from "./controls";

interface SheetProps {
  readonly title: string;
  readonly place: "account" | "side" | "middle";
  readonly close: () => void;
  readonly children: ComponentChildren;
}

export function Sheet({ title, place, close, children }: SheetProps) {
  const { t } = useI18n();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`sheet ${place}`}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
      onPointerDown={(e) => {
        if (e.target === dialog.current) close();
      }}
    >
      <div class="sheet-body">
        <header class="sheet-head">
          <h2 class="grow" id={id}>
            {title}
          </h2>
          <IconButton icon="close" label={t("Close")} hint="Esc" onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
