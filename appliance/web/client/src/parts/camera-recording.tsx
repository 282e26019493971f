/** When a camera is recorded, and how long that is kept: a part of the camera's form. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useI18n } from "../app/context";
import type { Translator } from "../i18n/translator";
import * as format from "../logic/format";
import {
  changedRecording, inMode, MODES, RANGES, recordingBody, recordingFaults, type Amount, type Mode, type Recording, type RecordingBody,
} from "../logic/recording";
import { Field, Segmented, Switch } from "../ui/controls";
import type { Words } from "./camera-words";
import { ScheduleEditor } from "./schedule-editor";

export interface RecordingForm {
  readonly draft: Recording;
  readonly saved: Recording;
  readonly edit: (change: Partial<Recording>) => void;
  /** How many of its fields are changed. */
  readonly changes: number;
  readonly faults: ReadonlySet<keyof Recording>;
  /** For the body of the camera: nothing if nothing changed. */
  readonly body: { readonly recording?: RecordingBody };
  readonly undo: () => void;
}

/** What is typed about it.  What somebody else changed meanwhile is taken over where nothing was typed. */
export function useRecording(saved: Recording): RecordingForm {
  const [draft, setDraft] = useState(saved);
  const before = useRef(saved);
  useEffect(() => {
    const last = before.current;
    before.current = saved;
    if (changedRecording(saved, last).length === 0) return;
    setDraft((d) => ({ ...saved, ...Object.fromEntries(changedRecording(d, last).map((name) => [name, d[name]])) }));
  });
  const changes = changedRecording(draft, saved).length;
  return {
    draft,
    saved,
    edit: (change) => setDraft((d) => ({ ...d, ...change })),
    changes,
    faults: recordingFaults(draft),
    body: changes === 0 ? {} : { recording: recordingBody(draft, saved) },
    undo: () => setDraft(saved),
  };
}

export function modeText({ t, tc }: Translator, mode: Mode): Words {
  switch (mode) {
    case "off":
      return { title: tc("recording", "Off"), detail: t("Nothing is recorded.") };
    case "continuous":
      return { title: tc("recording", "Always"), detail: t("Day and night.") };
    case "event":
      return { title: tc("recording", "Events"), detail: t("Only around events that other programs or people tell the server of.") };
    case "schedule":
      return { title: tc("recording", "Schedule"), detail: t("At these times of the week, and never else.") };
  }
}

function amountText(i18n: Translator, name: Amount): string {
  const { least, most } = RANGES[name];
  const range = { least: format.number(i18n, least, name === "gb" ? 1 : 0), most: format.number(i18n, most) };
  return name === "days" || name === "gb" ? i18n.t("Enter {least} to {most}, or nothing.", range) : i18n.t("Enter {least} to {most}.", range);
}

export function CameraRecording({ form, hasSub }: { form: RecordingForm; hasSub: boolean }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { draft, saved, edit, faults } = form;
  const mode = modeText(i18n, draft.mode);
  const amount = (name: Amount, label: string, hint?: string) => (
    <Field
      label={label}
      name={`recording.${name}`}
      autocomplete="off"
      value={draft[name]}
      change={(value) => edit({ [name]: value })}
      maxLength={12}
      was={draft[name] === saved[name] ? null : saved[name]}
      error={faults.has(name) ? amountText(i18n, name) : null}
      {...(hint === undefined ? {} : { hint })}
    />
  );
  return (
    <section class="rec" aria-label={t("Recording")}>
      <div class="field">
        <span class="lab" aria-hidden="true">
          {t("Recording")}
        </span>
        <Segmented
          label={t("Recording")}
          value={draft.mode}
          options={MODES.map((value) => ({ value, label: modeText(i18n, value).title }))}
          choose={(value) => edit(inMode(value, draft, saved))}
        />
        {draft.mode !== saved.mode && <p class="was">{t("was {value}", { value: modeText(i18n, saved.mode).title })}</p>}
        <p class="hint">{mode.detail}</p>
      </div>
      {draft.mode === "schedule" && <ScheduleEditor schedule={draft.schedule} change={(schedule) => edit({ schedule })} />}
      {draft.mode === "event" && (
        <div class="two">
          {amount("pre", t("Before an event, s"))}
          {amount("post", t("After it, s"))}
        </div>
      )}
      {draft.mode !== "off" && (
        <>
          {hasSub && <Switch label={t("Record the smaller stream, too")} hint={t("Lighter to play back on phones and over slow networks.")} on={draft.sub} change={(sub) => edit({ sub })} />}
          <div class="two">
            {amount("days", t("Keep for days"))}
            {amount("gb", t("Keep at most, GB"))}
          </div>
          <p class="hint">{t("Left empty: as set for all cameras under Recording.")}</p>
        </>
      )}
    </section>
  );
}
