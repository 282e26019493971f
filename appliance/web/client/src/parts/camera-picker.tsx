/** Which cameras are played: one, or up to nine in step. */

import { useI18n } from "../app/context";
import { MOST_IN_STEP } from "../app/router";
import type { Camera } from "../logic/cameras";
import { Button } from "../ui/controls";
import { useMedia } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Sheet } from "../ui/sheet";

interface PickerProps {
  readonly cameras: readonly Camera[];
  readonly chosen: readonly string[];
  readonly choose: (ids: readonly string[]) => void;
  readonly open: boolean;
  readonly setOpen: (open: boolean) => void;
}

export function CameraPicker({ cameras, chosen, choose, open, setOpen }: PickerProps) {
  const { t, tn } = useI18n();
  const only = chosen.length === 1 ? cameras.find((c) => c.id === chosen[0]) : undefined;
  const phone = useMedia("(max-width: 760px)");
  const full = chosen.length >= MOST_IN_STEP;
  return (
    <>
      <Button class="pick" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name={chosen.length > 1 ? "step" : "camera"} />
        <span class="ell">{only ? only.name : phone ? t("{n} in step", { n: chosen.length }) : tn("{n} camera in step", "{n} cameras in step", chosen.length)}</span>
        <Icon name="down" size="s" />
      </Button>
      {cameras.length > chosen.length && !full && (
        <Button kind="quiet" class="only-desk" aria-haspopup="dialog" onClick={() => setOpen(true)}>
          <Icon name="plus" />
          {t("Add camera")}
        </Button>
      )}
      {open && (
        <Sheet title={t("Cameras in step")} place="side" close={() => setOpen(false)}>
          <p class="hint">{t("Up to {n} cameras are played by one clock.", { n: MOST_IN_STEP })}</p>
          <ul class="pick-list">
            {cameras.map((camera) => {
              const on = chosen.includes(camera.id);
              return (
                <li key={camera.id}>
                  <label class="pick-row">
                    <input
                      type="checkbox"
                      checked={on}
                      // one always stays
                      disabled={on ? chosen.length === 1 : full}
                      onChange={() => choose(on ? chosen.filter((id) => id !== camera.id) : [...chosen, camera.id])}
                    />
                    <span class="grow ell">{camera.name}</span>
                  </label>
                  <Button kind="quiet" title={t("Only {name}", { name: camera.name })} onClick={() => (choose([camera.id]), setOpen(false))}>
                    {t("Only this")}
                  </Button>
                </li>
              );
            })}
          </ul>
        </Sheet>
      )}
    </>
  );
}
