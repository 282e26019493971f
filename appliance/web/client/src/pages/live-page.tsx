/** Live: every camera the user may see (ui.md §4). */

import { useEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { cameraPath, cameraSettingsPath } from "../app/router";
import { mayListen, mayWatch, type Camera } from "../logic/cameras";
import * as format from "../logic/format";
import { neighbour, type Choice, type Form, type GridLayout } from "../logic/grid";
import { FindCamera } from "../parts/find-camera";
import { Grid } from "../parts/grid";
import { PageLink } from "../parts/page-link";
import { takeSnapshot, toggleSound } from "../parts/snapshot";
import { troubles } from "../parts/texts";
import { Button, EmptyState, IconButton, Segmented } from "../ui/controls";
import { fullscreenPossible, toggleFullscreen, useFullscreen } from "../ui/fullscreen";
import { useStore, useTitle } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { useKeys } from "../ui/use-keys";

/** On a phone on its side the bars come over the picture for so long. */
const BARS_MS = 3000;

export function LivePage({ toggleBars }: { toggleBars: (shown: boolean) => void }) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const cameras = useStore(model.cameras);
  const prefs = useStore(model.prefs);
  const whole = useFullscreen();
  const [selected, setSelected] = useState<string | null>(model.lastCamera);
  const [page, setPage] = useState(0);
  const [summoned, setSummoned] = useState(0);
  const [pages, setPages] = useState({ page: 0, pages: 1 });
  const layout = useRef<{ layout: GridLayout; form: Form } | null>(null);
  const barsTimer = useRef<ReturnType<typeof setTimeout> | null>(null);

  useTitle(t("All cameras"));
  useEffect(
    () => () => {
      if (barsTimer.current !== null) clearTimeout(barsTimer.current);
      toggleBars(false);
    },
    [],
  );

  const list = cameras ?? [];
  const open = (camera: Camera): void => {
    model.lastCamera = camera.id;
    model.router.go(cameraPath(camera.id));
  };
  const turn = (by: number): void => setPage(Math.min(Math.max(0, pages.page + by), pages.pages - 1));
  const showBars = (): void => {
    if (layout.current?.form !== "landscape") return;
    if (barsTimer.current !== null) clearTimeout(barsTimer.current);
    toggleBars(true);
    barsTimer.current = setTimeout(() => toggleBars(false), BARS_MS);
  };

  useKeys(prefs.characterKeys, (command) => {
    const current = layout.current?.layout;
    const at = list.findIndex((c) => c.id === selected);
    const camera = list[at];
    switch (command) {
      case "find":
        setSummoned((n) => n + 1);
        return true;
      case "left":
      case "right":
      case "up":
      case "down": {
        if (!current || current.tiles.length === 0) return false;
        const here = at < current.first ? 0 : Math.min(at - current.first, current.tiles.length - 1);
        const next = camera ? neighbour(current.tiles, here, command) : 0;
        setSelected(list[current.first + next]?.id ?? null);
        return true;
      }
      case "open":
        if (camera) open(camera);
        return camera !== undefined;
      case "page-up":
        turn(-1);
        return true;
      case "page-down":
        turn(1);
        return true;
      case "fullscreen":
        if (fullscreenPossible()) toggleFullscreen();
        return true;
      case "details":
        model.prefs.update((p) => ({ ...p, details: !p.details }));
        return true;
      case "snapshot":
        if (camera && mayWatch(camera)) void takeSnapshot(model, camera);
        return camera !== undefined;
      case "sound":
        if (camera && mayListen(camera)) toggleSound(model, camera);
        return camera !== undefined;
      case "why":
        if (camera) {
          model.lastCamera = camera.id;
          model.router.go(`${cameraPath(camera.id)}`);
          model.whyOpen.set(true);
        }
        return camera !== undefined;
      case "back":
        setSelected(null);
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
        return true;
      default: {
        const n = /^camera-(\d)$/.exec(command)?.[1];
        const wanted = n === undefined ? undefined : list[Number(n) - 1];
        if (wanted) open(wanted);
        return wanted !== undefined;
      }
    }
  });

  const choices: { value: Choice; label: string }[] = [
    { value: "auto", label: t("Auto") },
    ...([1, 4, 9, 16] as const).map((value) => ({ value, label: String(value) })),
  ];
  return (
    <>
      <div class="topbar">
        <h1 class="ell">{t("All cameras")}</h1>
        {list.length > 0 && (
          <>
            <div class="only-desk">
              <Segmented
                label={t("Cameras on screen")}
                value={prefs.choice}
                options={choices}
                choose={(choice) => {
                  model.prefs.update((p) => ({ ...p, choice }));
                  setPage(0);
                }}
              />
            </div>
            <span class="grow" />
            <FindCamera cameras={list} open={open} summoned={summoned} />
            <IconButton
              icon="info"
              label={t("Details on every picture")}
              hint="D"
              pressed={prefs.details}
              onClick={() => model.prefs.update((p) => ({ ...p, details: !p.details }))}
            />
            {fullscreenPossible() && (
              <IconButton icon={whole ? "unwhole" : "whole"} label={whole ? t("Leave the whole screen") : t("Whole screen")} hint="F" onClick={toggleFullscreen} />
            )}
          </>
        )}
      </div>
      {cameras !== null && cameras.length === 0 ? (
        <NoCameras />
      ) : (
        <Grid
          cameras={list}
          selected={selected}
          select={setSelected}
          open={open}
          page={page}
          turn={turn}
          laidOut={(now, form) => {
            layout.current = { layout: now, form };
            setPages((before) => (before.page === now.page && before.pages === now.pages ? before : { page: now.page, pages: now.pages }));
          }}
          tapped={showBars}
        />
      )}
      {list.length > 0 && <Strip cameras={list} page={pages.page} pages={pages.pages} turn={turn} />}
    </>
  );
}

function NoCameras() {
  const model = useModel();
  const { t } = useI18n();
  const session = useStore(model.session);
  const administer = session.state === "in" && session.session.administer;
  if (!administer) {
    return <EmptyState icon="camera" title={t("You may not watch any camera yet. Ask your administrator.")} />;
  }
  return (
    <EmptyState icon="camera" title={t("No cameras yet.")}>
      <p class="muted">{t("Fanal needs the address of one. It shows you its picture before you add it.")}</p>
      <PageLink path={cameraSettingsPath("new")} class="btn primary">
        <Icon name="plus" />
        {t("Add a camera")}
      </PageLink>
    </EmptyState>
  );
}

interface StripProps {
  readonly cameras: readonly Camera[];
  readonly page: number;
  readonly pages: number;
  readonly turn: (by: number) => void;
}

/** How many cameras, what is wrong, how much comes in. */
function Strip({ cameras, page, pages, turn }: StripProps) {
  const model = useModel();
  const i18n = useI18n();
  const { t, tn } = i18n;
  const figure = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const write = (): void => {
      if (figure.current) figure.current.textContent = format.rate(i18n, model.host.rate());
    };
    write();
    return model.host.onSecond(write);
  }, [i18n]);
  const wrong = troubles(i18n, cameras);
  return (
    <div class={`strip${pages > 1 ? " paged" : ""}`}>
      <span>{tn("{n} camera", "{n} cameras", cameras.length)}</span>
      {wrong !== null && (
        <span class="row">
          <span class="attn row">
            <Icon name="warning" size="s" />
          </span>
          <span>{wrong}</span>
        </span>
      )}
      <span ref={figure} class="num" />
      <span class="grow" />
      {pages > 1 && (
        <nav class="row" aria-label={t("Pages of cameras")}>
          <IconButton icon="left" label={t("Previous page")} hint="PgUp" disabled={page === 0} onClick={() => turn(-1)} />
          <span class="num">{t("Page {page} of {pages}", { page: page + 1, pages })}</span>
          <IconButton icon="right" label={t("Next page")} hint="PgDn" disabled={page === pages - 1} onClick={() => turn(1)} />
        </nav>
      )}
    </div>
  );
}

/** The browser has no way to play live video. */
export function NoVideo() {
  const { t } = useI18n();
  return (
    <EmptyState page icon="warning" title={t("This browser cannot play live video.")}>
      <p class="muted">{t("Use a current Chrome, Edge, Firefox or Safari.")}</p>
      <Button onClick={() => location.reload()}>{t("Reload page")}</Button>
    </EmptyState>
  );
}
