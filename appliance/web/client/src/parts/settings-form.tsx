/** A tab of the settings on the screen: its title, and the form that is saved as a whole (ui.md §11). */

import type { ComponentChildren } from "preact";
import { useI18n } from "../app/context";
import { Button, EmptyState, ErrorText, Field } from "../ui/controls";
import { useTitle } from "../ui/hooks";
import { LeaveGuard } from "./leave-guard";
import { SaveBar } from "./save-bar";
import type { SettingsTab } from "./use-settings-tab";

interface FormProps {
  readonly tab: SettingsTab<unknown>;
  readonly title: string;
  /** What is said to somebody who leaves with changes. */
  readonly unsaved: string;
  readonly children: ComponentChildren;
}

export function SettingsForm({ tab, title, unsaved, children }: FormProps) {
  const { t } = useI18n();
  useTitle(title);
  return (
    <div class="page-main">
      <div class="topbar">
        <h1 class="ell">{title}</h1>
      </div>
      <div class="scroll">
        <div class="page">
          {tab.failed && tab.saved === null && (
            <EmptyState icon="warning" title={t("The settings could not be loaded.")}>
              <Button onClick={() => void tab.read()}>{t("Try again")}</Button>
            </EmptyState>
          )}
          {tab.saved !== null && (
            <form
              class="perf"
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                void tab.save();
              }}
            >
              {children}
              {tab.refused !== "" && <ErrorText text={tab.refused} />}
              <SaveBar changes={tab.changes} wrong={tab.wrong} saving={tab.saving} undo={tab.undo} />
              <LeaveGuard active={tab.changes > 0 && !tab.saving} save={tab.save} words={unsaved} />
            </form>
          )}
        </div>
      </div>
    </div>
  );
}

interface FieldProps<P> {
  readonly tab: SettingsTab<P>;
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problemText: (problem: P) => string;
}

/** A number of it. */
export function SettingsField<P>({ tab, name, label, hint, problemText }: FieldProps<P>) {
  const before = String(tab.saved?.[name] ?? "");
  const value = String(tab.typed[name] ?? "");
  const problem = tab.problems[name];
  return (
    <Field
      label={label}
      name={name}
      autocomplete="off"
      value={value}
      change={tab.set(name)}
      maxLength={9}
      was={value === before ? null : before}
      error={problem === undefined ? null : problemText(problem)}
      {...(hint === undefined ? {} : { hint })}
    />
  );
}
