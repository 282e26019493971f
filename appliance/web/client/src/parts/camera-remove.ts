/**
 * Removing a camera (ui.md §1.6).  The server hears of it at once and waits: it counts whatever becomes of this page,
 * and pages that show the camera hear that it is leaving.  When the toast is gone there is nothing to wait for any more.
 */

import type { Model } from "../app/model";
import type { AdminCamera } from "../logic/camera-admin";
import { AdminApi } from "../net/admin";
import { ApiError, Unreachable } from "../net/api";

/** The server's time to think again: longer than the toast stands, even one that is held. */
export const REMOVAL_S = 60;

export function removeCamera(model: Model, camera: AdminCamera): void {
  const api = new AdminApi(model.api);
  const set = (leaving: boolean): void =>
    model.leaving.update((ids) => {
      const next = new Set(ids);
      if (leaving) next.add(camera.id);
      else next.delete(camera.id);
      return next;
    });
  /** Whether the server answered; a camera that is not there any more is removed, too. */
  const tell = async (deed: Promise<void>): Promise<boolean> => {
    try {
      await deed;
      return true;
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
      return error instanceof ApiError && error.code === "no_camera";
    }
  };
  const { t } = model.i18n.get();
  set(true);
  const asked = tell(api.removeCamera(camera.id, REMOVAL_S));
  const failed = (): void => {
    set(false);
    model.toasts.add("bad", model.i18n.get().t("{name} could not be removed. Try again in a moment.", { name: camera.name }));
  };
  const undo = async (): Promise<void> => {
    set(false);
    await asked; // or this would overtake it
    if (!(await tell(api.keepCamera(camera.id)))) {
      model.toasts.add("bad", model.i18n.get().t("{name} will be removed: the server did not answer.", { name: camera.name }));
    }
    await model.loadCameras();
  };
  const gone = async (): Promise<void> => {
    // it stays in the set: no other will ever have its id, and the list may still be on its way
    if (await tell(api.removeCamera(camera.id))) await model.loadCameras();
    else if (!(await asked)) failed();
  };
  const toast = model.toasts.addUndo(t("{name} removed.", { name: camera.name }), t("Undo"), () => void undo(), gone);
  void asked.then((well) => {
    if (!well && model.toasts.drop(toast)) failed();
  });
}
