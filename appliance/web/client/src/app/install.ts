/** Installing on the device, where the browser offers it. */

import { Store } from "../logic/store";

interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
}

/** What installs, once the browser has said that it could; null before, after, and elsewhere. */
export function installOffer(scope: Window): Store<(() => void) | null> {
  const offer = new Store<(() => void) | null>(null);
  scope.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer.set(() => {
      offer.set(null);
      // a refusal is an answer too
      void (event as InstallEvent).prompt().catch(() => undefined);
    });
  });
  scope.addEventListener("appinstalled", () => offer.set(null));
  return offer;
}
