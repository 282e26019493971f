/** One tab of the settings as a form: read, typed into, saved as a whole (ui.md §11). */

import { useEffect, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { changesOf, typedOf, type Typed, type Values } from "../logic/settings-values";
import { AdminApi } from "../net/admin";
import { ApiError, Unreachable } from "../net/api";
import { refusal } from "./camera-words";

export interface SettingsTab<P> {
  /** Null until it was read. */
  readonly saved: Values | null;
  readonly typed: Typed;
  readonly set: (key: string) => (value: boolean | string) => void;
  readonly problems: Readonly<Record<string, P>>;
  /** It could not be read. */
  readonly failed: boolean;
  readonly read: () => Promise<void>;
  readonly save: () => Promise<boolean>;
  readonly undo: () => void;
  readonly saving: boolean;
  /** What the server has against it. */
  readonly refused: string;
  readonly changes: number;
  readonly wrong: number;
  /** For what else is asked of the server: the session may be over.  Throws what is nobody's business here. */
  readonly troubled: (error: unknown) => void;
}

export function useSettingsTab<P>(tab: string, needs: readonly string[], problemsOf: (typed: Typed) => Record<string, P>): SettingsTab<P> {
  const model = useModel();
  const i18n = useI18n();
  const [saved, setSaved] = useState<Values | null>(null);
  const [typed, setTyped] = useState<Typed>({});
  const [failed, setFailed] = useState(false);
  const [saving, setSaving] = useState(false);
  const [refused, setRefused] = useState("");
  const api = new AdminApi(model.api);
  const troubled = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 401) model.sessionEnded();
    else if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
  };
  const read = async (): Promise<void> => {
    try {
      const values = await api.settings(tab, needs);
      setSaved(values);
      setTyped(typedOf(values));
      setFailed(false);
    } catch (error) {
      troubled(error);
      setFailed(true);
    }
  };
  useEffect(() => void read(), []);
  const problems = saved === null ? {} : problemsOf(typed);
  const changes = saved === null ? {} : changesOf(typed, saved);
  const wrong = Object.keys(problems).length;
  const save = async (): Promise<boolean> => {
    if (wrong > 0) {
      const first = Object.keys(typed).find((key) => problems[key] !== undefined) ?? "";
      document.querySelector<HTMLElement>(`[name="${CSS.escape(first)}"]`)?.focus();
      return false;
    }
    setSaving(true);
    setRefused("");
    try {
      await api.saveSettings(tab, changes);
      await read();
      model.toasts.add("good", i18n.t("Saved. In force."));
      return true;
    } catch (error) {
      troubled(error);
      setRefused(error instanceof ApiError ? [error.detail, error.hint].filter(Boolean).join(" ") : refusal(i18n, error).text);
      return false;
    } finally {
      setSaving(false);
    }
  };
  return {
    saved,
    typed,
    set: (key) => (value) => setTyped((before) => ({ ...before, [key]: value })),
    problems,
    failed,
    read,
    save,
    undo: () => {
      if (saved !== null) setTyped(typedOf(saved));
      setRefused("");
    },
    saving,
    refused,
    changes: Object.keys(changes).length,
    wrong,
    troubled,
  };
}
