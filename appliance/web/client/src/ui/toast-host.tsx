/** Shows the toasts; time stands still while a pointer moved onto one, or the focus is on it. */

import { useEffect, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import type { Toast } from "../app/toasts";
import { Button, IconButton } from "./controls";
import { useStore } from "./hooks";
import { Icon } from "./icons";

const ICONS = { good: "check", bad: "warning", info: "info" } as const;

export function ToastView({ toast, close, act }: { toast: Toast; close: () => void; act: () => void }) {
  const { t } = useI18n();
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (toast.stays || held) return undefined;
    const timer = setTimeout(close, toast.shownMs);
    return () => clearTimeout(timer);
  }, [toast.stays, toast.shownMs, held, close]);
  useEffect(() => {
    if (toast.mostMs === undefined) return undefined;
    const timer = setTimeout(close, toast.mostMs);
    return () => clearTimeout(timer);
  }, [toast.mostMs, close]);
  const { action } = toast;
  return (
    <div
      class={`toast ${toast.kind}`}
      role={toast.kind === "bad" ? "alert" : "status"}
      // it appears where a pointer may rest from the press before: only one that moves over it is on it
      onPointerMove={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <Icon name={ICONS[toast.kind]} />
      <span class="grow">{toast.text}</span>
      {action && (
        <Button kind="quiet" onClick={act}>
          {action.label}
        </Button>
      )}
      <IconButton icon="close" label={t("Close")} onClick={close} />
    </div>
  );
}

export function ToastHost() {
  const { toasts } = useModel();
  const list = useStore(toasts.list);
  return (
    <div class="toasts">
      {list.map((toast) => (
        <Kept key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function Kept({ toast }: { toast: Toast }) {
  const { toasts } = useModel();
  const [close] = useState(() => () => toasts.close(toast.id));
  return <ToastView toast={toast} close={close} act={() => toasts.act(toast.id)} />;
}
