/** `/sign-in` (ui.md §10). */

import { useI18n } from "../app/context";
import { LanguagePicker, ThemeButton } from "../parts/language-theme";
import { SignInCard } from "../parts/sign-in-card";
import { useTitle } from "../ui/hooks";
import { Icon } from "../ui/icons";

export function SignInPage() {
  const { t } = useI18n();
  useTitle(t("Sign in"));
  return (
    <main class="door">
      <SignInCard ended={null} />
      <footer class="door-foot">
        <Encrypted />
        <LanguagePicker />
        <ThemeButton />
      </footer>
    </main>
  );
}

/** What is missing gets the colour: an encrypted connection is said quietly. */
export function Encrypted() {
  const { t } = useI18n();
  const secure = window.location.protocol === "https:";
  return (
    <span class={`row sm ${secure ? "muted" : "attn"}`}>
      <Icon name={secure ? "lock" : "unlock"} size="s" />
      {secure ? t("Encrypted connection") : t("Not encrypted")}
    </span>
  );
}
