/** A copy of what was recorded: one file a camera and a format, made while it is loaded. */

import { useState } from "preact/hooks";
import { useI18n, useModel } from "../../app/context";
import type { Model } from "../../app/model";
import type { LaneCamera, Span } from "../../logic/timeline/contract";
import { rfc3339 } from "../../logic/timeline/answers";
import { ApiError } from "../../net/api";
import { Button } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { Popover } from "../../ui/popover";

const FORMATS = ["mp4", "mkv", "avi"] as const;
type Format = (typeof FORMATS)[number];
const ASK_MS = 15_000;

function fileOf(camera: string, format: Format, { from, to }: Span): string {
  const query = new URLSearchParams({ from: rfc3339(from), to: rfc3339(to) });
  return `/cameras/${encodeURIComponent(camera)}/recording.${format}?${query.toString()}`;
}

/** Asks for one byte first: a refusal is said here, and not saved as a file. */
async function download(model: Model, camera: LaneCamera, format: Format, span: Span): Promise<void> {
  const { t } = model.i18n.get();
  const path = fileOf(camera.id, format, span);
  const values = { name: camera.name };
  try {
    const answer = await model.api.open(path, AbortSignal.timeout(ASK_MS), { Range: "bytes=0-0", Accept: "*/*" });
    await answer.body?.cancel();
  } catch (error) {
    const code = error instanceof ApiError ? error.code : "";
    if (error instanceof ApiError && error.status === 401) return model.sessionEnded();
    if (code === "privacy_mask") {
      model.toasts.add("bad", t("{name} has a privacy mask: copies need the “Unmasked” right. Ask your administrator.", values));
    } else if (error instanceof ApiError && error.status === 403) {
      model.toasts.add("bad", t("You may not take copies of {name}. Ask your administrator for the “Export” right.", values));
    } else if (error instanceof ApiError && error.status === 404) model.toasts.add("bad", t("Nothing of {name} was recorded in this time.", values));
    else if (error instanceof ApiError && error.status === 429) model.toasts.add("bad", t("Too many copies at once. Wait until one is done."));
    else if (error instanceof ApiError) model.toasts.add("bad", t("No copy of {name}: {reason}", { ...values, reason: error.message }));
    else model.toasts.add("bad", t("The server did not answer. Try again."));
    return;
  }
  const link = document.createElement("a");
  link.href = `/api/v1${path}`;
  link.download = "";
  link.click();
}

interface DownloadProps {
  readonly cameras: readonly LaneCamera[];
  /** Stands first. */
  readonly camera?: string;
  readonly span: Span;
}

export function Download({ cameras, camera, span }: DownloadProps) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <div class="pop-host">
      <Button kind="quiet" aria-expanded={open} aria-label={t("Download")} title={t("Download")} onClick={() => setOpen(!open)}>
        <Icon name="download" />
        <span class="only-desk">{t("Download")}</span>
      </Button>
      {open && (
        <Popover label={t("Download")} place="above" close={() => setOpen(false)}>
          <DownloadList cameras={cameras} span={span} {...(camera === undefined ? {} : { camera })} />
        </Popover>
      )}
    </div>
  );
}

export function DownloadList({ cameras, camera, span }: DownloadProps) {
  const { t } = useI18n();
  const model = useModel();
  const sorted = [...cameras].sort((a, b) => Number(b.id === camera) - Number(a.id === camera));
  const may = sorted.filter((c) => c.export);
  return (
    <div class="downloads">
      {may.length === 0 && <p>{t("You may not take copies. Ask your administrator for the “Export” right.")}</p>}
      {may.map((one) => (
        <section key={one.id} aria-label={one.name}>
          <b class="ell">{one.name}</b>
          <div class="row">
            {FORMATS.map((format) => (
              <a
                key={format}
                class="btn"
                href={`/api/v1${fileOf(one.id, format, span)}`}
                download=""
                aria-label={t("Download {name} as {format}", { name: one.name, format: format.toUpperCase() })}
                onClick={(e) => {
                  // opened elsewhere on purpose: as the browser does
                  if (e.ctrlKey || e.metaKey || e.shiftKey) return;
                  e.preventDefault();
                  void download(model, one, format, span);
                }}
              >
                {format.toUpperCase()}
              </a>
            ))}
          </div>
        </section>
      ))}
      {may.length > 0 && may.length < sorted.length && <p class="hint">{t("Cameras you may not take copies of are not listed.")}</p>}
      {may.length > 0 && <p class="hint">{t("MP4 plays almost everywhere. MKV and AVI are for programs that ask for them.")}</p>}
    </div>
  );
}
