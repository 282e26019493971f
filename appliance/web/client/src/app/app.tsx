/** The application: which page is shown, and what stands around and over it. */

import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { CameraPage } from "../pages/camera-page";
import { LivePage, NoVideo } from "../pages/live-page";
import { SignInPage } from "../pages/sign-in-page";
import { AccountSheet, PasswordSheet } from "../parts/account";
import { Announcements } from "../parts/announcements";
import { OfflineBanner, PasswordBanner, UpdateBanner } from "../parts/banners";
import { ErrorBoundary } from "../parts/error-boundary";
import { Rail, TabBar } from "../parts/frame";
import { useTheme } from "../parts/language-theme";
import { OnDemand } from "../parts/on-demand";
import { ShortcutSheet } from "../parts/shortcut-sheet";
import { SignInCard } from "../parts/sign-in-card";
import type { Store } from "../logic/store";
import { useStore, useTitle } from "../ui/hooks";
import { Sprite } from "../ui/icons";
import { ToastHost } from "../ui/toast-host";
import { useKeys } from "../ui/use-keys";
import { I18nContext, ModelContext, useI18n, useModel } from "./context";
import { playbackPath } from "./router";
import type { Model, Sheet } from "./model";

/** Loaded when it is first opened: most people never do. */
const settingsPage = (): Promise<ComponentType> => import("../pages/settings-page").then((m) => m.SettingsPage);
const playbackPage = (): Promise<ComponentType> => import("../pages/playback-page").then((m) => m.PlaybackPage);
const statusPage = (): Promise<ComponentType> => import("../pages/status-page").then((m) => m.StatusPage);

export function App({ model, install }: { model: Model; install: Store<(() => void) | null> }) {
  const i18n = useStore(model.i18n);
  return (
    <ModelContext.Provider value={model}>
      <I18nContext.Provider value={i18n}>
        <Sprite />
        <Shell install={install} />
        <ToastHost />
        <Announcements />
      </I18nContext.Provider>
    </ModelContext.Provider>
  );
}

function Shell({ install }: { install: Store<(() => void) | null> }) {
  const model = useModel();
  const session = useStore(model.session);
  const { language } = useStore(model.i18n);
  const theme = useTheme();
  useLayoutEffect(() => {
    document.documentElement.lang = language === "xx" ? "en" : language;
  }, [language]);
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    const surface = getComputedStyle(document.documentElement).getPropertyValue("--bg").trim();
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", surface);
  }, [theme]);
  useStore(model.router.path);

  if (session.state === "unknown") return <Unknown />;
  if (session.state === "out") return <SignInPage />;
  return <Inside install={install} ended={session.state === "ended" ? session.session.user.name : null} />;
}

/** Before anything is known: only what keeps it from being known. */
function Unknown() {
  const model = useModel();
  const { t } = useI18n();
  useTitle(useStore(model.connection).state === "down" ? t("No connection") : null);
  return (
    <main class="main">
      <h1 class="vh">Fanal</h1>
      <OfflineBanner />
    </main>
  );
}

function Inside({ install, ended }: { install: Store<(() => void) | null>; ended: string | null }) {
  const model = useModel();
  const { route } = model.router;
  const prefs = useStore(model.prefs);
  const offer = useStore(install);
  const theme = useTheme();
  const session = useStore(model.session);
  const administer = (session.state === "in" || session.state === "ended") && session.session.administer;
  const open = useStore(model.sheet);
  const setOpen = (sheet: Sheet): void => model.sheet.set(sheet);
  const [bars, setBars] = useState(false);
  useEffect(() => {
    const hidden = (route.page === "settings" || route.page === "status") && !administer;
    if (route.page === "unknown" || route.page === "sign-in" || hidden) model.router.replace("/");
  }, [route.page, administer]);

  // the page that plays has these keys for something else
  useKeys(prefs.characterKeys && ended === null && route.page !== "playback", (command) => {
    if (ended !== null) return false;
    switch (command) {
      case "help":
        setOpen("keys");
        return true;
      case "theme":
        model.prefs.update((p) => ({ ...p, theme: theme === "dark" ? "light" : "dark" }));
        return true;
      case "go-live":
        model.router.go("/");
        return true;
      case "go-playback":
        model.router.go(playbackPath([], null));
        return true;
      case "go-settings":
        if (administer) model.router.go("/settings");
        return administer;
      default:
        return false;
    }
  });

  const close = (): void => setOpen(null);
  const frame = { page: route.page, account: () => setOpen("account") };
  return (
    <>
      <div class={`app${bars ? " bars" : ""}`} inert={ended !== null}>
        <Rail {...frame} />
        <main class="main">
          <OfflineBanner />
          <PasswordBanner change={() => setOpen("password")} />
          <UpdateBanner />
          <ErrorBoundary key={route.page}>
            {route.page === "settings" && administer ? (
              <OnDemand load={settingsPage} />
            ) : route.page === "status" && administer ? (
              <OnDemand load={statusPage} />
            ) : !model.host.able ? (
              <NoVideo />
            ) : route.page === "playback" ? (
              <OnDemand load={playbackPage} />
            ) : route.page === "camera" ? (
              <CameraPage id={route.id} />
            ) : (
              <LivePage toggleBars={setBars} />
            )}
          </ErrorBoundary>
        </main>
        <TabBar {...frame} />
      </div>
      {ended !== null && (
        <div class="guard" role="dialog" aria-modal="true" aria-labelledby="ended-title">
          <SignInCard ended={ended} />
        </div>
      )}
      {open === "account" && (
        <AccountSheet close={close} changePassword={() => setOpen("password")} showKeys={() => setOpen("keys")} install={offer} />
      )}
      {open === "password" && <PasswordSheet close={close} />}
      {open === "keys" && <ShortcutSheet close={close} />}
    </>
  );
}
