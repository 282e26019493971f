/** The tab *Cameras*: all of them with how they are; one is added or changed beside the list (phone: instead of it). */

import { useEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { cameraPath, cameraSettingsPath } from "../app/router";
import { isDemo, isInside, placeOf } from "../logic/camera-address";
import type { AdminCamera } from "../logic/camera-admin";
import type { Camera } from "../logic/cameras";
import { AdminApi } from "../net/admin";
import { ApiError, Unreachable } from "../net/api";
import { Button, EmptyState, IconButton } from "../ui/controls";
import { useStore, useTitle } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { useKeys } from "../ui/use-keys";
import { CameraEditor } from "./camera-editor";
import { Thumbnail } from "./camera-picture";
import { removeCamera } from "./camera-remove";
import { streamFigures } from "./camera-words";
import { PageLink } from "./page-link";
import { reasonText, recordingTrouble } from "./texts";

const NEW = "new";
/** Events come in bunches; the list is asked for once. */
const REFETCH_MS = 300;

function useAdminCameras() {
  const model = useModel();
  const live = useStore(model.cameras);
  const [cameras, setCameras] = useState<readonly AdminCamera[] | null>(null);
  const [failed, setFailed] = useState(false);
  const load = async (): Promise<void> => {
    try {
      setCameras(await new AdminApi(model.api).cameras());
      setFailed(false);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) model.sessionEnded();
      else if (error instanceof ApiError || error instanceof Unreachable) setFailed(true);
      else throw error;
    }
  };
  const first = useRef(true);
  useEffect(() => {
    const timer = setTimeout(() => void load(), first.current ? 0 : REFETCH_MS);
    first.current = false;
    return () => clearTimeout(timer);
  }, [live]);
  const put = (camera: AdminCamera): void =>
    setCameras((list) => {
      const known = list ?? [];
      return known.some((each) => each.id === camera.id) ? known.map((each) => (each.id === camera.id ? camera : each)) : [...known, camera];
    });
  return { cameras, failed, load, put, live };
}

export function CameraSettings({ item }: { item: string | null }) {
  const model = useModel();
  const { t } = useI18n();
  const prefs = useStore(model.prefs);
  const leaving = useStore(model.leaving);
  const { cameras, failed, load, put, live } = useAdminCameras();
  const list = useRef<HTMLUListElement>(null);
  const last = useRef<string | null>(null);
  const shown = (cameras ?? []).filter((camera) => !leaving.has(camera.id));
  const open = item === NEW ? null : shown.find((camera) => camera.id === item);
  const title = item === NEW ? t("Add a camera") : (open?.name ?? t("Cameras"));
  const health = (id: string): Camera | undefined => live?.find((camera) => camera.id === id);

  useTitle(title);
  useEffect(() => {
    // one that was removed, or never was
    if (item !== null && item !== NEW && cameras !== null && open === undefined) model.router.replace(cameraSettingsPath());
  }, [item, cameras, open]);
  useEffect(() => {
    if (item !== null) last.current = item;
    else if (last.current !== null) list.current?.querySelector<HTMLElement>(`[data-camera="${CSS.escape(last.current)}"] a`)?.focus();
  }, [item]);

  const back = (): void => model.router.back(item === null ? "/" : cameraSettingsPath());
  useKeys(prefs.characterKeys, (command) => {
    if (command !== "back") return false;
    back();
    return true;
  });

  const done = (camera: AdminCamera): void => {
    put(camera);
    if (item === NEW) {
      model.router.replace(cameraSettingsPath());
      model.toasts.add("good", t("{name} added.", { name: camera.name }), { label: t("Watch"), run: () => model.router.go(cameraPath(camera.id)) });
      void model.loadCameras();
    } else {
      model.toasts.add("good", t("Saved. In force."));
    }
  };
  const editor = item !== null && (item === NEW ? cameras !== null : open !== undefined);
  return (
    <div class={`page-main${editor ? " with-item" : ""}`}>
      <div class="topbar">
        {editor && <IconButton icon="back" look="btn quiet ic only-narrow" label={t("Back to the cameras")} hint="Esc" onClick={back} />}
        <h1 class="ell">
          <span class="only-wide-text">{t("Cameras")}</span>
          <span class="only-narrow-text">{title}</span>
        </h1>
        <span class="grow" />
        {shown.length > 0 && item !== NEW && (
          <PageLink path={cameraSettingsPath(NEW)} class="btn primary list-add">
            <Icon name="plus" />
            {t("Add a camera")}
          </PageLink>
        )}
      </div>
      <div class="scroll">
        <div class={`page split${shown.length === 0 ? " alone" : ""}`}>
          {!(item === NEW && shown.length === 0) && (
            <section class="cam-list" aria-label={t("Cameras")}>
              {failed && cameras === null && (
                <EmptyState icon="warning" title={t("The cameras could not be loaded.")}>
                  <Button onClick={() => void load()}>{t("Try again")}</Button>
                </EmptyState>
              )}
              {cameras !== null && shown.length === 0 && (
                <EmptyState icon="camera" title={t("No cameras yet.")}>
                  <PageLink path={cameraSettingsPath(NEW)} class="btn primary">
                    <Icon name="plus" />
                    {t("Add a camera")}
                  </PageLink>
                </EmptyState>
              )}
              {shown.length > 0 && (
                <ul ref={list} class="card devs">
                  {shown.map((camera) => (
                    <Row key={camera.id} camera={camera} live={health(camera.id)} current={camera.id === item} />
                  ))}
                </ul>
              )}
            </section>
          )}
          {editor && (
            <CameraEditor
              key={item}
              camera={open ?? null}
              cameras={cameras ?? []}
              lost={open !== undefined && open !== null && health(open.id)?.health === "lost"}
              done={done}
              remove={() => {
                if (!open) return;
                removeCamera(model, open);
                model.router.replace(cameraSettingsPath());
              }}
            />
          )}
        </div>
      </div>
    </div>
  );
}

/** Normal has no colour: only what is missing is marked. */
function Row({ camera, live, current }: { camera: AdminCamera; live: Camera | undefined; current: boolean }) {
  const i18n = useI18n();
  const { t } = i18n;
  const lost = live?.health === "lost";
  const [main, sub] = camera.streams;
  const figures = camera.streams.map((stream) => streamFigures(i18n, stream)).find(Boolean) ?? "";
  const why = lost ? (reasonText(i18n, live.reason) ?? t("Fanal goes on trying.")) : figures;
  const unrecorded = live === undefined ? null : recordingTrouble(i18n, live);
  const url = main?.url ?? "";
  const place = isDemo(url) ? t("Demo") : isInside(url) ? t("File") : placeOf(url);
  return (
    <li data-camera={camera.id}>
      <PageLink path={cameraSettingsPath(camera.id)} class={`dev${current ? " on" : ""}`} current={current}>
        <Thumbnail id={camera.id} lost={lost} />
        <span class="grow">
          <b class="ell name">{camera.name}</b>
          <span class="sm muted facts">{[place, unrecorded, why].filter(Boolean).join(" · ")}</span>
        </span>
        {!lost && camera.streams.some((stream) => stream.advice.length > 0) && (
          <span class="chip">
            <Icon name="info" />
            {t("Advice")}
          </span>
        )}
        {!lost && unrecorded !== null && (
          <span class="chip attn" title={unrecorded}>
            <Icon name="record" look="attn" />
            {t("Not recording")}
          </span>
        )}
        {lost ? (
          <span class="chip attn">
            <Icon name="warning" look="attn" />
            {t("Lost")}
          </span>
        ) : (
          sub !== undefined && <span class="chip only-desk">{t("2 streams")}</span>
        )}
        <Icon name="right" />
      </PageLink>
    </li>
  );
}
