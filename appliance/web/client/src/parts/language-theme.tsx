/** Language and theme, chosen before or after signing in. */

import { useI18n, useModel } from "../app/context";
import { darkOrLight, type Theme } from "../app/prefs";
import { LANGUAGES } from "../i18n/languages";
import { Segmented } from "../ui/controls";
import { useMedia, useStore } from "../ui/hooks";
import { Icon } from "../ui/icons";

/** The browser's own list: small, known to every screen reader, right on a phone. */
export function LanguagePicker() {
  const model = useModel();
  const { t } = useI18n();
  const { language } = useStore(model.prefs);
  return (
    <span class="picker">
      <select
        aria-label={t("Language")}
        value={language}
        onChange={(e) => {
          const chosen = e.currentTarget.value;
          model.prefs.update((p) => ({ ...p, language: chosen }));
        }}
      >
        {LANGUAGES.map((l) => (
          <option key={l.code} value={l.code} lang={l.code === "xx" ? "en" : l.code}>
            {l.name}
          </option>
        ))}
      </select>
      <Icon name="down" size="s" />
    </span>
  );
}

export function useTheme(): "dark" | "light" {
  const { theme } = useStore(useModel().prefs);
  return darkOrLight(theme, useMedia("(prefers-color-scheme: light)"));
}

export function ThemeButton() {
  const model = useModel();
  const { t } = useI18n();
  const theme = useTheme();
  return (
    <button
      type="button"
      class="btn quiet"
      title={theme === "dark" ? t("Light colours") : t("Dark colours")}
      onClick={() => model.prefs.update((p) => ({ ...p, theme: theme === "dark" ? "light" : "dark" }))}
    >
      <Icon name="theme" />
      <span class="only-desk">{t("Theme")}</span>
      <span class="vh only-phone-text">{t("Theme")}</span>
    </button>
  );
}

export function ThemeChoice() {
  const model = useModel();
  const { t, tc } = useI18n();
  const { theme } = useStore(model.prefs);
  return (
    <Segmented<Theme>
      label={t("Theme")}
      value={theme}
      options={[
        { value: "dark", label: tc("theme", "Dark") },
        { value: "light", label: tc("theme", "Light") },
        { value: "system", label: tc("theme", "As the device") },
      ]}
      choose={(chosen) => model.prefs.update((p) => ({ ...p, theme: chosen }))}
    />
  );
}
