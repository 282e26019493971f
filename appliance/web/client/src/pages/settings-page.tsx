/** Settings (ui.md §11): the tabs there are, one of them open.  Loaded on demand. */

import "../styles/settings.css";
import { useEffect } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import type { Translator } from "../i18n/translator";
import { CameraSettings } from "../parts/camera-settings";
import { PageLink } from "../parts/page-link";
import { PerformanceSettings } from "../parts/performance-settings";
import { RecordingSettings } from "../parts/recording-settings";
import { useStore } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";

interface Tab {
  readonly name: string;
  readonly label: string;
  readonly icon: IconName;
}

function groups({ t, tc }: Translator): readonly { readonly title: string; readonly tabs: readonly Tab[] }[] {
  return [{ title: tc("settings", "Video"), tabs: [
    { name: "cameras", label: t("Cameras"), icon: "camera" },
    { name: "recording", label: t("Recording"), icon: "record" },
    { name: "performance", label: t("Performance"), icon: "bars" },
  ] }];
}

export function SettingsPage() {
  const model = useModel();
  const i18n = useI18n();
  const { tc } = i18n;
  useStore(model.router.path);
  const { route } = model.router;
  const all = groups(i18n);
  const tabs = all.flatMap((group) => group.tabs);
  const tab = route.page === "settings" ? tabs.find((each) => each.name === route.tab) : undefined;
  useEffect(() => {
    if (route.page === "settings" && tab === undefined) model.router.replace(`/settings/${tabs[0]?.name ?? ""}`);
  });
  if (route.page !== "settings" || tab === undefined) return null;
  return (
    <div class="set">
      <nav class="snav" aria-label={tc("page", "Settings")}>
        {all.map((group) => (
          <section key={group.title}>
            <h2 class="grp">{group.title}</h2>
            {group.tabs.map((each) => (
              <PageLink key={each.name} path={`/settings/${each.name}`} class="stab" current={each === tab}>
                <Icon name={each.icon} />
                {each.label}
              </PageLink>
            ))}
          </section>
        ))}
      </nav>
      {tab.name === "performance" ? <PerformanceSettings /> : tab.name === "recording" ? <RecordingSettings /> : <CameraSettings item={route.item} />}
    </div>
  );
}
