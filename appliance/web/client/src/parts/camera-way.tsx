/** How a camera is reached: what most people never need to know, folded. */

import { useState } from "preact/hooks";
import { useI18n } from "../app/context";
import type { Draft, FieldName } from "../logic/camera-draft";
import { isHttp, isSecure, showFingerprint, WAYS } from "../logic/camera-options";
import { ErrorText, Field, Segmented } from "../ui/controls";
import { wayText } from "./camera-words";

interface CameraWayProps {
  readonly draft: Draft;
  readonly saved: Draft | null;
  readonly error: (field: FieldName) => string | null;
  readonly edit: (field: FieldName) => (value: string) => void;
  readonly left: () => void;
}

export function CameraWay({ draft, saved, error, edit, left }: CameraWayProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const [opened, setOpened] = useState(false);
  const way = wayText(i18n, draft.transport);
  const secure = isSecure(draft.url);
  const http = isHttp(draft.url);
  const wrong = error("transport");
  const open = opened || wrong !== null || error("fingerprint") !== null;
  const changed = saved !== null && saved.transport !== draft.transport;
  const pin = saved !== null && saved.fingerprint !== draft.fingerprint ? showFingerprint(saved.fingerprint) : null;
  const said = [draft.transport === "auto" ? "" : way.title, secure && draft.fingerprint !== "" ? t("one certificate trusted") : ""];
  if (http && !secure) return null;
  return (
    <details class="way" open={open} onToggle={(e) => setOpened(e.currentTarget.open)}>
      <summary class="sm muted">{[t("Connection"), ...said].filter(Boolean).join(" · ")}</summary>
      {!http && (
        <div class="field ways">
          <span class="lab" aria-hidden="true">
            {t("How pictures come")}
          </span>
          <Segmented
            label={t("How pictures come")}
            value={draft.transport}
            options={WAYS.map((value) => ({ value, label: wayText(i18n, value).title }))}
            choose={edit("transport")}
          />
          {changed && <p class="was">{t("was {value}", { value: wayText(i18n, saved.transport).title })}</p>}
          <p class="hint">{way.detail}</p>
          {wrong !== null && <ErrorText text={wrong} />}
        </div>
      )}
      {secure && (
        <Field
          label={t("Fingerprint of the trusted certificate")}
          name="fingerprint"
          autocomplete="off"
          value={showFingerprint(draft.fingerprint)}
          change={edit("fingerprint")}
          left={left}
          hint={t("SHA-256, as the camera’s own page shows it. Left empty, an authority has to vouch for the camera.")}
          error={error("fingerprint")}
          was={pin}
          maxLength={128}
        />
      )}
    </details>
  );
}
