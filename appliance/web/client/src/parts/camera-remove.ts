/** Removing a camera: it leaves the list at once, and the server when the toast is gone (ui.md §1.6). */

import type { Model } from "../app/model";
import type { AdminCamera } from "../logic/camera-admin";
import { AdminApi } from "../net/admin";
import { ApiError, Unreachable } from "../net/api";

export function removeCamera(model: Model, camera: AdminCamera): void {
  const set = (leaving: boolean): void =>
    model.leaving.update((ids) => {
      const next = new Set(ids);
      if (leaving) next.add(camera.id);
      else next.delete(camera.id);
      return next;
    });
  const { t } = model.i18n.get();
  set(true);
  model.toasts.addUndo(t("{name} removed.", { name: camera.name }), t("Undo"), () => set(false), async () => {
    try {
      await new AdminApi(model.api).removeCamera(camera.id);
    } catch (error) {
      const gone = error instanceof ApiError && error.code === "no_camera";
      if (!gone) {
        if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
        set(false);
        model.toasts.add("bad", model.i18n.get().t("{name} could not be removed. Try again in a moment.", { name: camera.name }));
        return;
      }
    }
    // it stays in the set: no other will ever have its id, and the list may still be on its way
    await model.loadCameras();
  });
}
