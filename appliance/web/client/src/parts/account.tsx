/** The account: who is signed in, password, language, theme, keys, install, sign out. */

import { useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { ApiError, Unreachable } from "../net/api";
import { Button, ErrorText, Field, Switch } from "../ui/controls";
import * as format from "../logic/format";
import { useStore } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Sheet } from "../ui/sheet";
import { LanguagePicker, ThemeChoice } from "./language-theme";

interface AccountProps {
  readonly close: () => void;
  readonly changePassword: () => void;
  readonly showKeys: () => void;
  /** Null where the browser does not offer to install. */
  readonly install: (() => void) | null;
}

export function AccountSheet({ close, changePassword, showKeys, install }: AccountProps) {
  const model = useModel();
  const { t, tc } = useI18n();
  const session = useStore(model.session);
  const server = useStore(model.server);
  const prefs = useStore(model.prefs);
  if (session.state !== "in") return null;
  const { user } = session.session;
  const role = user.role === "administrator" ? tc("role", "Administrator") : user.role === "viewer" ? tc("role", "Viewer") : user.role;
  return (
    <Sheet title={t("Account")} place="account" close={close}>
      <div class="who">
        <span class="avatar" aria-hidden="true">
          {format.initials(user.name)}
        </span>
        <div class="grow">
          <b class="ell">{user.name}</b>
          <p class="sm muted ell">{[role, server?.name].filter(Boolean).join(" · ")}</p>
        </div>
      </div>
      <div class="opt">
        <span class="grow">{t("Language")}</span>
        <LanguagePicker />
      </div>
      <div class="opt wrap">
        <span class="grow">{t("Theme")}</span>
        <ThemeChoice />
      </div>
      <div class="only-mouse">
        <Switch
          label={t("Keys of one letter")}
          hint={t("Such as S for a snapshot. Switch off if you dictate to this device.")}
          on={prefs.characterKeys}
          change={(on) => model.prefs.update((p) => ({ ...p, characterKeys: on }))}
        />
      </div>
      <div class="menu">
        <Button kind="quiet" onClick={changePassword}>
          <Icon name="key" />
          {t("Change password")}
        </Button>
        <Button kind="quiet" class="only-mouse" onClick={showKeys}>
          <Icon name="keyboard" />
          {t("Keys and gestures")}
        </Button>
        {install && (
          <Button kind="quiet" onClick={install}>
            <Icon name="phone" />
            {t("Install Fanal on this device")}
          </Button>
        )}
        <Button
          kind="quiet"
          onClick={() => {
            close();
            void model.signOut();
          }}
        >
          <Icon name="signout" />
          {t("Sign out")}
        </Button>
      </div>
      <p class="xs faint">
        Fanal {__VERSION__}
        {server && server.version !== __VERSION__ ? ` · ${t("server {version}", { version: server.version })}` : ""}
      </p>
    </Sheet>
  );
}

export function PasswordSheet({ close }: { close: () => void }) {
  const model = useModel();
  const { t } = useI18n();
  const session = useStore(model.session);
  const [old, setOld] = useState("");
  const [replacement, setReplacement] = useState("");
  const [fault, setFault] = useState<{ field: string | null; text: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const user = session.state === "in" ? session.session.user.name : "";

  const words = (error: unknown): { field: string | null; text: string } => {
    if (error instanceof Unreachable) return { field: null, text: t("The server does not answer. Check your connection and try again.") };
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 429) return { field: "old", text: t("Too many wrong passwords. Wait a few minutes.") };
    if (error.field === "old" || error.code === "bad_credentials") return { field: "old", text: t("This is not your password.") };
    if (error.code === "weak_password") return { field: "new", text: t("Too easy to guess. Choose a few words that nobody expects.") };
    return { field: null, text: t("The server did not change the password. Try again in a moment.") };
  };
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (busy) return;
    if (old === "") return setFault({ field: "old", text: t("Enter your current password.") });
    if ([...replacement].length < 12) return setFault({ field: "new", text: t("Too short. Enter at least 12 characters.") });
    if (replacement === old) return setFault({ field: "new", text: t("This is your current password. Choose another one.") });
    setBusy(true);
    setFault(null);
    try {
      await model.changePassword(old, replacement);
      close();
      model.toasts.add("good", t("Password changed."));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && error.code !== "bad_credentials") {
        close();
        model.sessionEnded();
        return;
      }
      setFault(words(error));
      setBusy(false);
    }
    return undefined;
  };
  return (
    <Sheet title={t("Change password")} place="side" close={close}>
      <form class="door-form" method="post" action="/" onSubmit={(e) => void submit(e)}>
        <input class="vh" type="text" name="username" autocomplete="username" value={user} readOnly tabIndex={-1} aria-hidden="true" />
        <Field
          label={t("Current password")}
          name="old"
          autocomplete="current-password"
          secret
          value={old}
          change={setOld}
          error={fault?.field === "old" ? fault.text : null}
          maxLength={1024}
        />
        <Field
          label={t("New password")}
          name="new"
          autocomplete="new-password"
          secret
          value={replacement}
          change={setReplacement}
          hint={t("At least 12 characters. A sentence is easy to remember.")}
          error={fault?.field === "new" ? fault.text : null}
          maxLength={1024}
        />
        {fault && fault.field === null && <ErrorText text={fault.text} />}
        <Button kind="primary" block type="submit" disabled={busy}>
          {t("Change password")}
        </Button>
      </form>
    </Sheet>
  );
}
