/** What is selected and what can be done with it; where nothing is, how to select (ui.md §7). */

import { useI18n } from "../../app/context";
import type { SelectionBarProps } from "../../logic/timeline/contract";
import { beginAt, endAt } from "../../logic/timeline/selection";
import { Button } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { Download } from "./download";
import { useTimes } from "./timeline";
import { useWatched } from "./use-watched";

export function SelectionBar({ selection, cameras, camera, position, now, zone, onBookmark, onInvestigation }: SelectionBarProps) {
  const { t, tc } = useI18n();
  const times = useTimes(zone);
  const span = useWatched(selection, (s) => s);
  const ends = (
    <>
      <Button kind="quiet" title={`${t("Select from here")} (I)`} onClick={() => selection.set(beginAt(selection.get(), position.get(), now()))}>
        {t("From here")}
      </Button>
      <Button kind="quiet" title={`${t("Select up to here")} (O)`} onClick={() => selection.set(endAt(selection.get(), position.get()))}>
        {t("Up to here")}
      </Button>
    </>
  );
  if (!span) {
    return (
      <div class="selection-bar none" role="group" aria-label={t("Selection")}>
        <span class="muted grow">{t("Select a time to save it: drag on the ruler, or rest a finger on the timeline.")}</span>
        {ends}
      </div>
    );
  }
  return (
    <div class="selection-bar" role="group" aria-label={t("Selection")}>
      <p class="grow selected">
        <span>
          <b class="num">{times.duration(span.to - span.from)}</b> <span class="muted">{t("selected")}</span>
        </span>
        <span class="muted num sm only-desk">
          {times.clock(span.from)} – {times.clock(span.to)}
        </span>
      </p>
      <span class="row only-desk">{ends}</span>
      <Button kind="quiet" aria-label={t("Bookmark")} title={t("Bookmark")} onClick={() => onBookmark(span)}>
        <Icon name="bookmark" />
        <span class="only-desk">{t("Bookmark")}</span>
      </Button>
      <Download cameras={cameras} span={span} {...(camera === undefined ? {} : { camera })} />
      <Button kind="quiet" onClick={() => selection.set(null)}>
        {t("Clear")}
      </Button>
      {onInvestigation && (
        <Button kind="primary" onClick={() => onInvestigation(span)}>
          <Icon name="investigation" />
          <span class="only-desk">{t("Save as investigation")}</span>
          <span class="only-phone-text">{tc("investigation", "Save")}</span>
        </Button>
      )}
    </div>
  );
}
