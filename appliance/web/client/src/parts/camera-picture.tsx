/** The picture of a camera that is set up: of its test, else as it looks now, else an empty frame. */

import { useEffect, useState } from "preact/hooks";
import { useI18n } from "../app/context";
import type { AdminCamera } from "../logic/camera-admin";
import { Icon } from "../ui/icons";

export function snapshotPath(id: string, width: number): string {
  return `/api/v1/cameras/${encodeURIComponent(id)}/snapshot.jpg?width=${width}`;
}

interface PictureProps {
  readonly camera: AdminCamera | null;
  readonly lost: boolean;
  /** Of a test. */
  readonly picture: string | null;
  readonly busy: boolean;
}

export function CameraPicture({ camera, lost, picture, busy }: PictureProps) {
  const { t } = useI18n();
  const now = camera === null || lost ? null : snapshotPath(camera.id, 800);
  const [broken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [now, picture]);
  const shown = picture ?? (broken ? null : now);
  return (
    <div class={`ed-pic${busy ? " busy" : shown === null ? " blank" : ""}`}>
      {shown !== null ? (
        <img src={shown} alt={picture !== null ? t("Test picture") : t("Picture of {name}", { name: camera?.name ?? "" })} onError={() => setBroken(true)} />
      ) : (
        !busy && (
          <span class="ed-none">
            <Icon name="camera" size="l" />
            <span class="sm">{camera === null ? t("The test picture appears here") : t("No picture at the moment")}</span>
          </span>
        )
      )}
      {busy && <span class="spin" aria-hidden="true" />}
    </div>
  );
}

/** A small one for a row of a list. */
export function Thumbnail({ id, lost }: { id: string; lost: boolean }) {
  const [broken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [id, lost]);
  if (lost || broken) {
    return (
      <span class="nopic">
        <Icon name={lost ? "warning" : "camera"} look={lost ? "attn" : ""} />
      </span>
    );
  }
  return <img class="thumb" src={snapshotPath(id, 160)} width={64} height={36} alt="" loading="lazy" onError={() => setBroken(true)} />;
}
