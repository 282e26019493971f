/** Where the page begins. */

import { render } from "preact";
import { App } from "./app/app";
import { installOffer } from "./app/install";
import { Model } from "./app/model";
import { prefsStore } from "./app/prefs";
import { isCurrentPage, markShell, registerServiceWorker } from "./app/update";
import { ENGLISH, LANGUAGES, loadTranslator } from "./i18n/languages";
import { inZone } from "./i18n/translator";
import { Store } from "./logic/store";
import "./styles/index.css";

function storage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // refused by the browser's settings
  }
}

async function begin(): Promise<void> {
  markShell(document);
  const prefs = prefsStore(storage(), navigator.languages, LANGUAGES.map((l) => l.code));
  const i18n = new Store(ENGLISH);
  const speak = async (): Promise<void> => {
    const { language } = prefs.get();
    if (language === i18n.get().language) return;
    try {
      const next = await loadTranslator(language);
      if (prefs.get().language === language) i18n.update((now) => inZone(next, now.zone));
    } catch {
      // the network is away: English until the next choice
    }
  };
  prefs.subscribe(() => void speak());

  const model = new Model(window, prefs, i18n, () => isCurrentPage(document));
  const install = installOffer(window);
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no root");
  // the session is asked for while the language is loaded
  const started = model.start();
  await speak();
  if (import.meta.env.DEV && window.location.pathname === "/states") {
    const { States } = await import("./states/states");
    render(<States model={model} />, root);
    return;
  }
  render(<App model={model} install={install} />, root);
  registerServiceWorker(window);
  await started;
}

void begin();
