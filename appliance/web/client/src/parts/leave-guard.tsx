/** Leaving with changes asks (ui.md §11). */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { useStore } from "../ui/hooks";
import { Button } from "../ui/controls";
import { Sheet } from "../ui/sheet";

interface GuardProps {
  /** There is something to lose. */
  readonly active: boolean;
  /** True when it is saved; null where it cannot be saved yet. */
  readonly save: (() => Promise<boolean>) | null;
  /** What is not saved; a camera, if not given. */
  readonly words?: string;
}

export function LeaveGuard({ active, save, words }: GuardProps) {
  const { router } = useModel();
  const { t } = useI18n();
  const wanted = useStore(router.held);
  const release = useRef<() => void>(() => undefined);
  const [busy, setBusy] = useState(false);
  // before anything else can be pressed
  useLayoutEffect(() => {
    if (!active) return undefined;
    release.current = router.hold();
    return () => {
      release.current();
      router.held.set(null);
    };
  }, [active]);
  if (wanted === null || !active) return null;
  const leave = (): void => {
    release.current();
    router.held.set(null);
    router.go(wanted);
  };
  return (
    <Sheet title={t("Leave without saving?")} place="middle" close={() => router.held.set(null)}>
      <p class="muted">{words ?? (save === null ? t("This camera is not added yet.") : t("The changes to this camera are not saved."))}</p>
      <div class="row wrap leave">
        <Button kind="quiet" onClick={leave}>
          {t("Discard")}
        </Button>
        <Button onClick={() => router.held.set(null)}>{t("Stay")}</Button>
        {save !== null && (
          <Button
            kind="primary"
            disabled={busy}
            onClick={() => {
              setBusy(true);
              void save().then((saved) => {
                setBusy(false);
                if (saved) leave();
                else router.held.set(null);
              });
            }}
          >
            {t("Save")}
          </Button>
        )}
      </div>
    </Sheet>
  );
}
