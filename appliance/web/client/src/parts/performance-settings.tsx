/** The tab *Performance*: how video is sent, and the levels that limit what is transcoded (PER-1 to PER-3). */

import { useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import type { Translator } from "../i18n/translator";
import * as format from "../logic/format";
import { LEVELS, MODES, NEEDS, problemsOf, type Load, type Problem } from "../logic/performance";
import { AdminApi } from "../net/admin";
import { Segmented, Switch } from "../ui/controls";
import { useLooking } from "../ui/hooks";
import { SettingsField, SettingsForm } from "./settings-form";
import { useSettingsTab } from "./use-settings-tab";

/** How often the load is asked for. */
const LOAD_MS = 5000;

function problemText({ t }: Translator, problem: Problem): string {
  switch (problem.kind) {
    case "range":
      return problem.off
        ? t("Enter {least} to {most}, or 0 for no threshold.", { least: problem.least, most: problem.most })
        : t("Enter {least} to {most}.", { least: problem.least, most: problem.most });
    case "below":
      return t("Must be below level {level} ({value}).", { level: problem.than, value: problem.value });
    case "size":
      return t("Must be smaller than level {level} ({value}), and larger on neither side.", { level: problem.than, value: problem.value });
    case "above":
      return t("Must be above level {level} ({value}), or 0 for no threshold.", { level: problem.than, value: problem.value });
    case "threshold":
      return t("Set one of the thresholds: without any the level never applies.");
  }
}

export function PerformanceSettings() {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const [load, setLoad] = useState<Load | null>(null);
  const tab = useSettingsTab("performance", NEEDS, problemsOf);
  const { typed, set } = tab;
  useLooking(() => new AdminApi(model.api).load().then(setLoad, tab.troubled), LOAD_MS);

  const on = (key: string): boolean => typed[key] === true;
  const field = (key: string, label: string, hint?: string) => (
    <SettingsField key={key} tab={tab} name={key} label={label} hint={hint} problemText={(problem) => problemText(i18n, problem)} />
  );
  const modes = {
    quality: { label: t("Quality"), hint: t("The smallest stream that fills the tile.") },
    performance: { label: t("Server"), hint: t("A smaller stream than the tile would show, to spare the server.") },
    bandwidth: { label: t("Low bandwidth"), hint: t("The smallest stream there is.") },
  };
  const mode = MODES.find((each) => each === typed["adaptive_mode"]) ?? "quality";
  return (
    <SettingsForm tab={tab} title={t("Performance")} unsaved={t("The changes to the performance settings are not saved.")}>
      <section class="card" aria-labelledby="perf-video">
        <h2 id="perf-video">{t("Live video")}</h2>
        <Switch
          label={t("Direct streaming")}
          hint={t("Send what the camera sends, as it is, to browsers that can play it. Off: everything is transcoded.")}
          on={on("direct")}
          change={set("direct")}
        />
        <Switch
          label={t("Adaptive streaming")}
          hint={t("Of a camera with several streams, send the one that fits.")}
          on={on("adaptive")}
          change={set("adaptive")}
        />
        {on("adaptive") && (
          <div class="field">
            <span class="lab">{t("Which stream fits")}</span>
            <Segmented
              label={t("Which stream fits")}
              value={mode}
              options={MODES.map((value) => ({ value, label: modes[value].label }))}
              choose={set("adaptive_mode")}
            />
            <p class="hint">{modes[mode].hint}</p>
          </div>
        )}
      </section>
      {LEVELS.map((level) => (
        <section key={level} class="card" aria-labelledby={`perf-${level}`}>
          <h2 id={`perf-${level}`} class="row">
            <span class="grow">{t("Level {level}", { level })}</span>
            {load?.level === level && <span class="chip acc">{t("In force")}</span>}
          </h2>
          <Switch
            label={level === 1 ? t("Limit what is transcoded, always") : t("Allow less while the server is busy")}
            on={on(`level${level}.enabled`)}
            change={set(`level${level}.enabled`)}
          />
          {on(`level${level}.enabled`) && (
            <>
              {level > 1 && (
                <div class="two">
                  {field(
                    `level${level}.cpu_percent`,
                    t("Processor threshold, %"),
                    load === null ? undefined : t("Now {value}. 0: no threshold.", { value: `${format.number(i18n, load.cpuPercent)}${format.THIN}%` }),
                  )}
                  {field(
                    `level${level}.bandwidth_kbps`,
                    t("Bandwidth threshold, kbit/s"),
                    load === null ? undefined : t("Now {value}. 0: no threshold.", { value: format.number(i18n, load.kbps) }),
                  )}
                </div>
              )}
              {field(`level${level}.max_fps`, t("Pictures per second at most"))}
              <div class="two">
                {field(`level${level}.max_width`, t("Longer side at most, px"))}
                {field(`level${level}.max_height`, t("Shorter side at most, px"))}
              </div>
            </>
          )}
        </section>
      ))}
    </SettingsForm>
  );
}
