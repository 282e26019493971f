/** What is changed and not saved yet: how much, taking it back, and saving (ui.md §11).  Stands in the form that saves. */

import { useI18n } from "../app/context";
import { Button } from "../ui/controls";
import { Icon } from "../ui/icons";

interface SaveBarProps {
  readonly changes: number;
  /** Fields that cannot be saved as they are. */
  readonly wrong?: number;
  readonly saving: boolean;
  readonly undo: () => void;
}

export function SaveBar({ changes, wrong = 0, saving, undo }: SaveBarProps) {
  const { t, tn } = useI18n();
  if (changes === 0) return null;
  return (
    <div class="savebar">
      <b class="grow">
        {tn("{n} change", "{n} changes", changes)}
        {wrong > 0 && ` · ${tn("{n} field to correct", "{n} fields to correct", wrong)}`}
      </b>
      <Button kind="quiet" onClick={undo}>
        <Icon name="undo" />
        {t("Undo all")}
      </Button>
      <Button kind="primary" type="submit" disabled={saving}>
        {t("Save")}
      </Button>
    </div>
  );
}
