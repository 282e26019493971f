/** A picture saved as a file: of transcoded ones the one that is shown, else one of now, at the stream's full size. */

import type { Model } from "../app/model";
import { snapshotName, type Camera } from "../logic/cameras";
import { Zone } from "../logic/timeline/zone";
import { ApiError } from "../net/api";

/** A saved picture can be opened from its toast for so long. */
const KEPT_MS = 60_000;

export async function takeSnapshot(model: Model, camera: Camera): Promise<void> {
  const { t } = model.i18n.get();
  const values = { name: camera.name };
  const player = model.host.player(camera.id);
  const shown = player.view.get().phase === "live" ? player.jpeg : null;
  const shownAt = shown && player.figures(performance.now()).pictureUtc;
  let picture: Blob;
  try {
    picture = shown ?? (await model.api.snapshot(camera.id));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      model.sessionEnded();
      return;
    }
    const denied = error instanceof ApiError && error.status === 403;
    model.toasts.add(
      "bad",
      denied
        ? t("You may not take a snapshot of {name}.", values)
        : t("No snapshot of {name}: there is no picture now. Try again when it is back.", values),
    );
    return;
  }
  savePicture(model, camera, picture, shownAt ?? Date.now());
}

/** Save a picture of a camera as a file that is named by its time, in UTC milliseconds. */
export function savePicture(model: Model, camera: Camera, picture: Blob, at: number): void {
  const { t, zone } = model.i18n.get();
  const values = { name: camera.name };
  const address = URL.createObjectURL(picture);
  const link = document.createElement("a");
  link.href = address;
  link.download = snapshotName(camera.name, at, new Zone(zone));
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
  model.toasts.add("good", t("Snapshot of {name} saved.", values), {
    label: t("Open"),
    run: () => window.open(address, "_blank", "noopener"),
  });
}

/** Sound of this camera on, or off if it was on.  Call it inside the tap or key that asks for it. */
export function toggleSound(model: Model, camera: Camera): void {
  model.setSound(model.sound.get() === camera.id ? null : camera.id);
}
