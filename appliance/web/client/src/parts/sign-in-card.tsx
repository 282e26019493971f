/** The card to sign in with: on its own page, and over the page when the session has ended (ui.md §10). */

import { useEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import * as format from "../logic/format";
import { ApiError, retryAfter, Unreachable } from "../net/api";
import { Button, ErrorText, Field, Note } from "../ui/controls";
import { useSecond, useStore } from "../ui/hooks";
import { Icon } from "../ui/icons";

interface CardProps {
  /** The user whose session ended; null for the page. */
  readonly ended: string | null;
}

export function SignInCard({ ended }: CardProps) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const server = useStore(model.server);
  const form = useRef<HTMLFormElement>(null);
  const [user, setUser] = useState(ended ?? "");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  /** Wall time; null while nobody is locked out. */
  const [lockedUntil, setLockedUntil] = useState<number | null>(null);
  const locked = lockedUntil !== null && lockedUntil > Date.now();
  useSecond(locked);

  const focus = (name: string): void => form.current?.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.focus();
  useEffect(() => focus(ended === null ? "username" : "password"), []);

  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (busy) return;
    // a password manager may have filled the fields without saying so
    const data = new FormData(form.current ?? undefined);
    const name = String(data.get("username") ?? user).trim();
    const secret = String(data.get("password") ?? password);
    if (name === "" || secret === "") {
      focus(name === "" ? "username" : "password");
      return;
    }
    setBusy(true);
    setError(null);
    try {
      await model.signIn(name, secret);
      return;
    } catch (fault) {
      if (fault instanceof ApiError && fault.code === "locked") {
        setLockedUntil(Date.now() + retryAfter(fault) * 1000);
      } else if (fault instanceof ApiError && fault.status === 401) {
        setError(t("User name or password is not right."));
      } else if (fault instanceof Unreachable) {
        setError(t("The server does not answer. Check your connection and try again."));
      } else if (fault instanceof ApiError) {
        setError(t("The server could not sign you in. Try again in a moment."));
      } else {
        throw fault;
      }
      setPassword("");
      setBusy(false);
    }
    focus("password");
  };

  return (
    <div class="card door-card">
      <div class="door-head">
        <span class="mark">
          <Icon name="fanal" size="l" />
        </span>
        <div class="grow">
          {ended === null ? <h1>{server?.name ?? "Fanal"}</h1> : <h2 id="ended-title">{t("Your session has ended")}</h2>}
          <p class="sm muted">{ended === null ? t("Fanal video server") : t("Sign in to go on where you were.")}</p>
        </div>
      </div>
      {locked && <Locked until={lockedUntil} />}
      <form ref={form} class="door-form" method="post" action="/sign-in" onSubmit={(e) => void submit(e)}>
        <Field label={t("User name")} name="username" autocomplete="username" value={user} change={setUser} readOnly={locked} />
        {!locked && (
          <>
            <Field label={t("Password")} name="password" autocomplete="current-password" secret value={password} change={setPassword} maxLength={1024} />
            {error !== null && <ErrorText text={error} />}
          </>
        )}
        <Button kind="primary" block type="submit" disabled={locked || busy}>
          {locked ? t("Sign in again at {time}", { time: format.shortClock(i18n, lockedUntil + 59_000) }) : busy ? t("Signing in…") : t("Sign in")}
        </Button>
        {locked && <p class="sm muted">{t("In a hurry? An administrator can help you.")}</p>}
        {ended !== null && !locked && (
          <Button kind="quiet" onClick={() => void model.signOut()}>
            {t("Use another account")}
          </Button>
        )}
      </form>
    </div>
  );
}

export function Locked({ until }: { until: number }) {
  const { t } = useI18n();
  const left = format.wait((until - Date.now()) / 1000);
  return (
    <Note kind="bad" icon="lock">
      <b role="alert">{t("Too many wrong passwords")}</b>
      <p>
        {t("For safety, this account waits {time}.", { time: left })} {t("Live video already open elsewhere goes on.")}
      </p>
    </Note>
  );
}
