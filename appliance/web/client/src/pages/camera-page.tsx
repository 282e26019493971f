/** One camera (ui.md §6): the picture, and over it what can be done. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { cameraPath, playbackPath } from "../app/router";
import { mayListen, mayPlayBack, mayWatch, type Camera } from "../logic/cameras";
import * as format from "../logic/format";
import { pan, transform, WHOLE, zoomAt, ZOOM_STEP, type Point, type Size, type Zoom } from "../logic/zoom";
import { Overview, ZoomControls } from "../parts/digital-zoom";
import { takeSnapshot, toggleSound } from "../parts/snapshot";
import { messageOf, phaseWord } from "../parts/texts";
import { WhyPanel } from "../parts/why-panel";
import { RecordingDot, TileChips } from "../parts/tile";
import type { LivePlayer } from "../player/live-player";
import { Button, EmptyState, IconButton } from "../ui/controls";
import { fullscreenPossible, toggleFullscreen, useFullscreen } from "../ui/fullscreen";
import { useGestures } from "../ui/gestures";
import { useLatest, useSecond, useStore, useTitle } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";
import { useKeys } from "../ui/use-keys";

/** The chrome fades after so long without input. */
const FADE_MS = 3000;

export function CameraPage({ id }: { id: string }) {
  const model = useModel();
  const { t } = useI18n();
  const cameras = useStore(model.cameras);
  const camera = cameras?.find((c) => c.id === id);
  useTitle(camera?.name ?? t("Camera"));
  if (cameras === null) return <div class="cam" />;
  if (!camera) {
    return (
      <div class="cam gone">
        <EmptyState page icon="camera" title={t("This camera is not here any more.")}>
          <Button onClick={() => model.router.back("/")}>{t("All cameras")}</Button>
        </EmptyState>
      </div>
    );
  }
  return <OneCamera camera={camera} cameras={cameras} />;
}

function OneCamera({ camera, cameras }: { camera: Camera; cameras: readonly Camera[] }) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const player = model.host.player(camera.id);
  const view = useStore(player.view);
  const prefs = useStore(model.prefs);
  const why = useStore(model.whyOpen);
  const sound = useStore(model.sound) === camera.id;
  const whole = useFullscreen();
  const root = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLElement>(null);
  const slot = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState<Zoom>(WHOLE);
  const [zooming, setZooming] = useState(false);
  const [size, setSize] = useState<Size>({ width: 1, height: 1 });
  const fade = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useLatest({ zoom, size, why });
  const watchable = cameras.filter(mayWatch);
  const at = watchable.findIndex((c) => c.id === camera.id);

  useLayoutEffect(() => {
    if (!slot.current || !mayWatch(camera)) return undefined;
    return model.host.attach(camera.id, slot.current);
  }, [camera.id, mayWatch(camera)]);
  useLayoutEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    model.lastCamera = camera.id;
    setZoom(WHOLE);
    setZooming(false);
    return () => player.setZoom(false);
  }, [camera.id]);
  const zoomed = zoom.scale > 1;
  useEffect(() => player.setZoom(zoomed), [player, zoomed]);
  const word = phaseWord(i18n, view.phase);
  useEffect(() => {
    if (view.phase !== "connecting" && view.phase !== "paused") model.say(camera.id, `${camera.name}, ${word}`);
  }, [word, camera.id]);

  // ---- the chrome fades ----
  const wake = (): void => {
    root.current?.removeAttribute("data-idle");
    if (fade.current !== null) clearTimeout(fade.current);
    fade.current = setTimeout(() => {
      const focused = document.activeElement?.closest(".head, .dock, .zoomer") ?? null;
      const visibly = focused !== null && document.activeElement?.matches(":focus-visible") === true;
      if (visibly || latest.current.why) wake();
      else root.current?.setAttribute("data-idle", "");
    }, FADE_MS);
  };
  useEffect(() => {
    wake();
    return () => {
      if (fade.current !== null) clearTimeout(fade.current);
      model.whyOpen.set(false);
    };
  }, []);

  // ---- moving about ----
  const leave = (): void => model.router.back("/");
  const step = (by: number): void => {
    const next = watchable[(at + by + watchable.length) % watchable.length];
    if (next && next.id !== camera.id) model.router.replace(cameraPath(next.id));
  };
  const zoomBy = (factor: number, point?: Point): void => {
    const { size: now } = latest.current;
    setZoom((z) => zoomAt(z, now, point ?? { x: now.width / 2, y: now.height / 2 }, factor));
    if (factor > 1) setZooming(true);
  };
  const reset = (): void => setZoom(WHOLE);
  // what was on screen a moment ago, as most who press this saw something
  const playBack = (): void => model.router.go(playbackPath([camera.id], model.aMomentAgo()));

  useGestures(stage, (gesture) => {
    const { zoom: now, size: box } = latest.current;
    switch (gesture.kind) {
      case "tap":
        if (gesture.touch && root.current && !root.current.hasAttribute("data-idle")) {
          if (fade.current !== null) clearTimeout(fade.current);
          root.current.setAttribute("data-idle", "");
        } else wake();
        break;
      case "double":
        if (now.scale > 1) reset();
        else zoomBy(2.5, gesture.at);
        wake();
        break;
      case "drag":
        if (now.scale > 1) setZoom((z) => pan(z, box, gesture.dx, gesture.dy));
        break;
      case "pinch":
        setZoom((z) => zoomAt(pan(z, box, gesture.dx, gesture.dy), box, gesture.at, gesture.factor));
        setZooming(true);
        break;
      case "swipe":
        if (now.scale > 1) break;
        if (gesture.direction === "left") step(1);
        if (gesture.direction === "right") step(-1);
        if (gesture.direction === "down") leave();
        break;
    }
  });
  useEffect(() => {
    const element = stage.current;
    // not passive: the wheel zooms here, it does not scroll
    const wheel = (e: WheelEvent): void => {
      if (e.target instanceof Element && e.target.closest(".head, .dock")) return;
      e.preventDefault();
      const box = element?.getBoundingClientRect();
      if (box) zoomBy(Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.002)), { x: e.clientX - box.left, y: e.clientY - box.top });
      wake();
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  }, []);

  useKeys(prefs.characterKeys, (command) => {
    wake();
    const { zoom: now, size: box } = latest.current;
    const far = 80;
    switch (command) {
      case "back":
        if (now.scale > 1) reset();
        else if (why) model.whyOpen.set(false);
        else leave();
        return true;
      case "left":
      case "right":
        if (now.scale > 1) setZoom((z) => pan(z, box, command === "left" ? far : -far, 0));
        else step(command === "left" ? -1 : 1);
        return true;
      case "up":
      case "down":
        if (now.scale > 1) setZoom((z) => pan(z, box, 0, command === "up" ? far : -far));
        return true;
      case "page-up":
        step(-1);
        return true;
      case "page-down":
        step(1);
        return true;
      case "zoom-in":
        zoomBy(ZOOM_STEP);
        return true;
      case "zoom-out":
        zoomBy(1 / ZOOM_STEP);
        return true;
      case "fullscreen":
        if (fullscreenPossible()) toggleFullscreen();
        return true;
      case "snapshot":
        if (mayWatch(camera)) void takeSnapshot(model, camera);
        return true;
      case "sound":
        if (mayListen(camera)) toggleSound(model, camera);
        return true;
      case "why":
        model.whyOpen.set(!why);
        return true;
      default: {
        const n = /^camera-(\d)$/.exec(command)?.[1];
        const wanted = n === undefined ? undefined : cameras[Number(n) - 1];
        if (wanted && wanted.id !== camera.id) model.router.replace(cameraPath(wanted.id));
        return wanted !== undefined;
      }
    }
  });

  return (
    <div ref={root} class={`cam${why ? " with-why" : ""}`} onPointerMove={(e) => e.pointerType === "mouse" && wake()} onFocusIn={wake}>
      <section ref={stage} class={`stage${zoomed ? " zoomed" : ""}`} aria-label={`${camera.name}, ${word}`}>
        <div ref={slot} class="slot" style={{ transform: transform(zoom, size) }} />
        <StageMessage player={player} />
        <div class="stage-chips">
          <TileChips camera={camera} view={view} sound={view.sound} size="l" />
        </div>
        {zoomed && <Overview zoom={zoom} player={player} />}
      </section>
      <header class="head">
        <IconButton icon="back" look="gbtn" label={t("Back to all cameras")} hint="Esc" onClick={leave} />
        <div class="nm grow">
          <h1 class="ell">
            <RecordingDot camera={camera} />
            {camera.name}
          </h1>
          <LiveClock player={player} />
        </div>
        {watchable.length > 1 && (
          <>
            <IconButton icon="left" look="gbtn only-wide" label={t("Previous camera")} hint="←" onClick={() => step(-1)} />
            <IconButton icon="right" look="gbtn only-wide" label={t("Next camera")} hint="→" onClick={() => step(1)} />
          </>
        )}
        <IconButton icon="why" look="gbtn" label={t("Why do I see this?")} hint="W" pressed={why} onClick={() => model.whyOpen.set(!why)} />
        {fullscreenPossible() && (
          <IconButton
            icon={whole ? "unwhole" : "whole"}
            look="gbtn"
            label={whole ? t("Leave the whole screen") : t("Whole screen")}
            hint="F"
            onClick={toggleFullscreen}
          />
        )}
      </header>
      {(zooming || zoomed) && <ZoomControls zoom={zoom} by={zoomBy} reset={reset} />}
      <div class="dock" role="toolbar" aria-label={camera.name}>
        {watchable.length > 1 && <DockButton icon="left" label={t("Previous")} hint="←" look="only-upright" press={() => step(-1)} />}
        {mayWatch(camera) && <DockButton icon="snapshot" label={t("Snapshot")} hint="S" press={() => void takeSnapshot(model, camera)} />}
        {mayListen(camera) && (
          <DockButton icon={sound ? "sound" : "mute"} label={t("Sound")} hint="A" pressed={sound} press={() => toggleSound(model, camera)} />
        )}
        <DockButton
          icon="zoom"
          label={t("Zoom")}
          hint="+ -"
          pressed={zooming || zoomed}
          press={() => {
            if (zooming || zoomed) {
              setZooming(false);
              reset();
            } else zoomBy(2);
          }}
        />
        {mayPlayBack(camera) && <DockButton icon="playback" label={t("Play back")} hint="G P" press={playBack} />}
        {watchable.length > 1 && <DockButton icon="right" label={t("Next")} hint="→" look="only-upright" press={() => step(1)} />}
      </div>
      {why && <WhyPanel camera={camera} player={player} zoomIn={() => zoomBy(2)} close={() => model.whyOpen.set(false)} />}
    </div>
  );
}

interface DockProps {
  readonly icon: IconName;
  readonly label: string;
  readonly hint: string;
  readonly pressed?: boolean;
  readonly look?: string;
  readonly press: () => void;
}

function DockButton({ icon, label, hint, pressed, look = "", press }: DockProps) {
  return (
    <button
      type="button"
      class={pressed ? "on" : look}
      title={`${label} (${hint})`}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={press}
    >
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
}

/** *Live · 14:03:27*: the time of the picture shown, not of the wall. */
function LiveClock({ player }: { player: LivePlayer }) {
  const model = useModel();
  const i18n = useI18n();
  const element = useRef<HTMLSpanElement>(null);
  const view = useStore(player.view);
  useLayoutEffect(() => {
    const write = (): void => {
      const figures = player.figures(performance.now());
      const word = view.phase === "live" ? i18n.t("Live") : phaseWord(i18n, view.phase);
      const text = figures.pictureUtc === null ? word : `${word} · ${format.clock(i18n, figures.pictureUtc)}`;
      if (element.current && element.current.textContent !== text) element.current.textContent = text;
    };
    write();
    return model.host.onSecond(write);
  }, [player, view.phase, i18n]);
  return <span ref={element} class="num when" />;
}

function StageMessage({ player }: { player: LivePlayer }) {
  const i18n = useI18n();
  const view = useStore(player.view);
  useSecond(view.phase === "waiting" || view.phase === "offline");
  const message = messageOf(i18n, view, player.figures(performance.now()), Date.now());
  if (!message) return null;
  return (
    <div class={`msg${message.plain ? " plain" : ""}${view.phase === "connecting" ? " late" : ""}`}>
      {message.icon === "spinner" ? <span class="spin" /> : <Icon name={message.icon} look={message.icon === "warning" ? "attn" : ""} />}
      <b>{message.title}</b>
      {message.detail !== null && <span>{message.detail}</span>}
      {(view.phase === "offline" || view.phase === "lost") && (
        <button type="button" onClick={() => player.tryNow()}>
          {i18n.t("Try now")}
        </button>
      )}
      {view.phase === "blocked" && (
        <button type="button" onClick={() => player.unblock()}>
          {i18n.tc("video", "Play")}
        </button>
      )}
    </div>
  );
}

