/** The tab *Recording*: how long recordings are kept, how much room they take, and what one user may ask for at once. */

import { useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import * as format from "../logic/format";
import { limitsExceeded, NEEDS, type Limit, type Stock } from "../logic/recording-settings";
import type { Range } from "../logic/settings-values";
import { AdminApi } from "../net/admin";
import { useLooking } from "../ui/hooks";
import { SettingsField, SettingsForm } from "./settings-form";
import { useSettingsTab } from "./use-settings-tab";

/** How often it is asked what there is. */
const STOCK_MS = 10_000;

export function RecordingSettings() {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const tab = useSettingsTab("recording", NEEDS, limitsExceeded);
  const [stock, setStock] = useState<Stock | null>(null);
  useLooking(() => new AdminApi(model.api).stock().then(setStock, tab.troubled), STOCK_MS);
  const grows = stock !== null && stock.bytesPerDay > 0;

  const problemText = (range: Range): string => {
    const limits = { least: format.number(i18n, range.least), most: format.number(i18n, range.most) };
    return range.off ? t("Enter {least} to {most}, or 0.", limits) : t("Enter {least} to {most}.", limits);
  };
  const field = (key: Limit, label: string, hint?: string) => <SettingsField tab={tab} name={key} label={label} hint={hint} problemText={problemText} />;
  return (
    <SettingsForm tab={tab} title={t("Recording")} unsaved={t("The changes to the recording settings are not saved.")}>
      <section class="card" aria-labelledby="keep">
        <h2 id="keep">{t("What is kept")}</h2>
        {field("retention_days", t("Keep for days"), t("Older recordings are deleted, unless a camera has its own number of days."))}
        <div class="two">
          {field("max_gb", t("Keep at most, GB"), t("Of all cameras together. 0: as much as the disk has room for."))}
          {field("keep_free_gb", t("Leave free on the disk, GB"), t("When less is free, the oldest recordings are deleted."))}
        </div>
        {stock !== null && (
          <p class="hint" data-stock>
            {stock.oldest === null
              ? t("Nothing is recorded yet.")
              : t("Now {size} since {time}.", { size: format.bytes(i18n, stock.bytes), time: format.dayAndClock(i18n, stock.oldest) })}{" "}
            {grows && t("It grows by {size} a day.", { size: format.bytes(i18n, stock.bytesPerDay) })}{" "}
            {t("{free} of {disk} are free on the disk.", { free: format.bytes(i18n, stock.free), disk: format.bytes(i18n, stock.disk) })}
          </p>
        )}
        <p class="hint">{t("Whether a camera is recorded, and when, is set under Cameras.")}</p>
      </section>
      <section class="card" aria-labelledby="users">
        <h2 id="users">{t("What one user may do at once")}</h2>
        <div class="two">
          {field("exports_per_user", t("Downloads of recordings"))}
          {field("seeks_per_user", t("Jumps per second"), t("Of faster ones, the last counts."))}
        </div>
      </section>
    </SettingsForm>
  );
}
