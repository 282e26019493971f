/** One camera of the grid: its picture, what is said of it, and what can be done with it (ui.md §5). */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { playbackPath } from "../app/router";
import { mayListen, mayPlayBack, mayWatch, type Camera } from "../logic/cameras";
import type { Rect } from "../logic/grid";
import type { Translator } from "../i18n/translator";
import type { Figures, PlayerView } from "../player/live-player";
import { IconButton } from "../ui/controls";
import { useLatest, useSecond, useStore } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";
import { takeSnapshot, toggleSound } from "./snapshot";
import { detailsLine, messageOf, phaseWord, recordingTrouble } from "./texts";
import { busyLevel, causeOf, isOnSlowNetwork, transcodedFor } from "./why-texts";

interface TileProps {
  readonly camera: Camera;
  readonly rect: Rect;
  readonly selected: boolean;
  /** The one that the Tab key reaches. */
  readonly reachable: boolean;
  readonly details: boolean;
  readonly open: () => void;
  readonly select: () => void;
}

/** Widths below which chips shorten to a word, then to their icon, and the details line to its half. */
function sizeOf(width: number): "l" | "m" | "s" | "xs" {
  if (width < 140) return "xs";
  if (width < 220) return "s";
  return width < 340 ? "m" : "l";
}

export function Tile({ camera, rect, selected, reachable, details, open, select }: TileProps) {
  const model = useModel();
  const i18n = useI18n();
  const slot = useRef<HTMLDivElement>(null);
  const player = model.host.player(camera.id);
  const view = useStore(player.view);
  const wanted = useStore(model.sound) === camera.id;
  const size = sizeOf(rect.w);

  useLayoutEffect(() => {
    if (!slot.current || !mayWatch(camera)) return undefined;
    return model.host.attach(camera.id, slot.current);
  }, [camera.id, mayWatch(camera)]);

  const word = phaseWord(i18n, view.phase);
  useEffect(() => {
    // only what a person would want to hear: not every connection of a page being opened
    if (view.phase !== "connecting" && view.phase !== "paused") model.say(camera.id, `${camera.name}, ${word}`);
  }, [word]);

  return (
    <TileFrame
      camera={camera}
      rect={rect}
      size={size}
      view={view}
      selected={selected}
      reachable={reachable}
      details={details}
      sound={view.sound}
      figures={() => player.figures(performance.now())}
      everySecond={(listener) => model.host.onSecond(listener)}
      onFocus={select}
      slot={<div ref={slot} class="slot" />}
      actions={{
        open,
        ...(mayWatch(camera) ? { snapshot: () => void takeSnapshot(model, camera) } : {}),
        ...(mayListen(camera) ? { sound: () => toggleSound(model, camera) } : {}),
        ...(mayPlayBack(camera) ? { playBack: () => model.router.go(playbackPath([camera.id], model.aMomentAgo())) } : {}),
        unblock: () => player.unblock(),
        retry: () => player.tryNow(),
      }}
      wanted={wanted}
    />
  );
}

interface Actions {
  readonly open: () => void;
  readonly snapshot?: () => void;
  readonly sound?: () => void;
  readonly playBack?: () => void;
  readonly unblock: () => void;
  readonly retry: () => void;
}

interface FrameProps {
  readonly camera: Camera;
  readonly rect: Rect;
  readonly size: "l" | "m" | "s" | "xs";
  readonly view: PlayerView;
  readonly selected: boolean;
  readonly reachable: boolean;
  readonly details: boolean;
  readonly sound: boolean;
  /** Sound was asked for, whether or not it is heard yet. */
  readonly wanted: boolean;
  readonly figures: () => Figures;
  readonly everySecond: (listener: () => void) => () => void;
  readonly onFocus: () => void;
  readonly slot: preact.ComponentChildren;
  readonly actions: Actions;
}

/** The tile without its player, so that every state can be drawn. */
export function TileFrame(props: FrameProps) {
  const i18n = useI18n();
  const { camera, rect, view, size } = props;
  const article = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // within the same commit: focusing later could undo a choice made meanwhile, whose focus would undo this one …
    const active = document.activeElement;
    if (article.current?.contains(active)) return;
    const elsewhere = active !== null && active !== document.body && !active.closest(".grid");
    if (props.selected && !elsewhere) article.current?.focus({ preventScroll: true });
  }, [props.selected]);
  const transcoded = view.phase === "live" && view.stream?.mode === "transcoded";
  const recording = camera.recording === "on" ? i18n.tc("state", "recording") : recordingTrouble(i18n, camera);
  const label = [camera.name, phaseWord(i18n, view.phase), recording, transcoded ? i18n.tc("state", "transcoded") : "", props.sound ? i18n.t("Sound on") : ""]
    .filter(Boolean)
    .join(", ");
  return (
    <article
      ref={article}
      class={`tile${props.selected ? " sel" : ""}`}
      data-camera={camera.id}
      data-size={size}
      data-phase={view.phase}
      {...(props.details ? { "data-details": "" } : {})}
      style={{ left: `${rect.x}px`, top: `${rect.y}px`, width: `${rect.w}px`, height: `${rect.h}px` }}
      tabIndex={props.reachable ? 0 : -1}
      aria-label={label}
      onFocus={props.onFocus}
    >
      {props.slot}
      <TileMessage {...props} />
      <TileChips camera={camera} view={view} sound={props.sound} size={size} />
      <TileFoot {...props} />
    </article>
  );
}

function TileMessage({ view, figures, actions, size }: FrameProps) {
  const i18n = useI18n();
  const counting = view.phase === "waiting" || view.phase === "offline";
  useSecond(counting);
  const message = messageOf(i18n, view, figures(), Date.now());
  if (!message) return null;
  const detail = size === "s" ? (message.brief ?? message.detail) : message.detail;
  return (
    <div class={`msg${message.plain ? " plain" : ""}${view.phase === "connecting" ? " late" : ""}`} title={size === "s" || size === "xs" ? [message.title, message.detail].filter(Boolean).join(". ") : ""}>
      {message.icon === "spinner" ? <span class="spin" /> : <Icon name={message.icon} look={message.icon === "warning" ? "attn" : ""} />}
      <b>{message.title}</b>
      {detail !== null && size !== "xs" && <span>{detail}</span>}
      {(view.phase === "offline" || view.phase === "lost") && (size === "m" || size === "l") && (
        <button type="button" onClick={actions.retry}>
          {i18n.t("Try now")}
        </button>
      )}
      {view.phase === "blocked" && (
        <button type="button" onClick={actions.unblock}>
          {i18n.tc("video", "Play")}
        </button>
      )}
    </div>
  );
}

interface Chip {
  readonly icon: IconName;
  readonly text: string;
  /** The first word, for small tiles. */
  readonly short: string;
  readonly attention?: boolean;
}

const MOST_CHIPS = 2;

interface ChipsProps {
  readonly camera: Camera;
  readonly view: PlayerView;
  readonly sound: boolean;
  readonly size: string;
}

function transcodedChip(i18n: Translator, camera: Camera, view: PlayerView): Chip {
  const { t, tc } = i18n;
  if (causeOf(view) === "mask") return { icon: "mask", text: t("Privacy mask"), short: tc("short for Privacy mask", "Mask") };
  const reason = transcodedFor(i18n, camera, view);
  const text = reason === null ? t("Transcoded") : t("Transcoded: {reason}", { reason });
  return { icon: "layers", text, short: t("Transcoded") };
}

/** At most two; the rest behind a number (ui.md §5). */
export function TileChips({ camera, view, sound, size }: ChipsProps) {
  const i18n = useI18n();
  const { t, tc } = i18n;
  const chips: Chip[] = [];
  const trouble = recordingTrouble(i18n, camera);
  if (trouble !== null) chips.push({ icon: "record", text: trouble, short: t("Not recording"), attention: true });
  if (view.phase === "live" && view.stream?.mode === "transcoded") chips.push(transcodedChip(i18n, camera, view));
  if (isOnSlowNetwork(view) && view.phase === "live") {
    chips.push({ icon: "bars", text: t("Low bandwidth"), short: tc("short for Low bandwidth", "Low"), attention: true });
  }
  if (view.stream?.reason === "slow_client" && view.phase === "live") {
    chips.push({ icon: "screen", text: t("Slow device"), short: tc("short for Slow device", "Slow"), attention: true });
  }
  if (busyLevel(view) !== null && view.phase === "live") {
    chips.push({ icon: "warning", text: t("Server busy"), short: tc("short for Server busy", "Busy"), attention: true });
  }
  if (sound) chips.push({ icon: "sound", text: t("Sound on"), short: tc("short for Sound on", "Sound") });
  if (chips.length === 0) return null;
  const more = chips.slice(MOST_CHIPS);
  return (
    <div class="top">
      {chips.slice(0, MOST_CHIPS).map((chip) => (
        <span key={chip.icon} class={`pc${chip.attention ? " amb" : ""}`} title={chip.text}>
          <Icon name={chip.icon} />
          {size === "xs" ? <span class="vh">{chip.text}</span> : <span class="ell">{size === "s" ? chip.short : chip.text}</span>}
        </span>
      ))}
      {more.length > 0 && (
        <span class="pc num" title={more.map((chip) => chip.text).join(", ")}>
          +{more.length}
          <span class="vh">{more.map((chip) => chip.text).join(", ")}</span>
        </span>
      )}
    </div>
  );
}

function TileFoot({ camera, view, details, size, figures, everySecond, actions, wanted, selected }: FrameProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const line = useRef<HTMLDivElement>(null);
  const now = useLatest({ i18n, view, figures, size });
  useLayoutEffect(() => {
    // straight into the page, once a second: no rendering for a figure
    const write = (): void => {
      const { current } = now;
      if (!line.current) return;
      const text = detailsLine(current.i18n, current.view, current.figures(), current.size !== "l");
      if (line.current.textContent !== text) line.current.textContent = text;
    };
    write();
    return everySecond(write);
  }, []);
  const tab = selected ? 0 : -1;
  const usable = view.phase !== "denied" && view.phase !== "removed";
  return (
    <div class="foot">
      <div class="grow">
        <div class="nm">
          {camera.recording === "on" && <i class="recdot" title={i18n.tc("state", "recording")} />}
          <span class="ell">{camera.name}</span>
        </div>
        <div ref={line} class={`inf ell num${details ? " on" : ""}`} aria-hidden="true" />
      </div>
      {usable && size !== "xs" && (
        <span class="tools">
          {actions.snapshot && (
            <IconButton icon="snapshot" look="tool" label={t("Snapshot")} hint="S" tabIndex={tab} onClick={actions.snapshot} />
          )}
          {actions.sound && (
            <IconButton
              icon={wanted ? "sound" : "mute"}
              look="tool"
              label={wanted ? t("Sound off") : t("Sound on")}
              hint="A"
              pressed={wanted}
              tabIndex={tab}
              onClick={actions.sound}
            />
          )}
          {actions.playBack && <IconButton icon="playback" look="tool" label={t("Play back")} tabIndex={tab} onClick={actions.playBack} />}
          <IconButton icon="whole" look="tool" label={t("Open {name}", { name: camera.name })} hint={t("Enter")} tabIndex={tab} onClick={actions.open} />
        </span>
      )}
    </div>
  );
}
