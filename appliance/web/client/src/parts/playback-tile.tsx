/** One camera of the playback page: what was recorded or what is live, in one place, and what is said of it. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import type { Translator } from "../i18n/translator";
import { mayHearRecorded, mayListen, mayWatch, type Camera } from "../logic/cameras";
import * as format from "../logic/format";
import { AxisSlot } from "../player/axis-slot";
import type { PlaybackPlayer } from "../player/playback-player";
import type { PlaybackView } from "../player/playback-view";
import { IconButton } from "../ui/controls";
import { useStore } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";
import { messageOf, phaseWord } from "./texts";
import { causeOf, transcodedFor } from "./why-texts";

interface TileProps {
  readonly camera: Camera;
  readonly player: PlaybackPlayer;
  readonly live: boolean;
  readonly selected: boolean;
  /** There is room for little. */
  readonly small: boolean;
  /** There are others beside it. */
  readonly several: boolean;
  /** Where playing is, in UTC milliseconds. */
  readonly position: () => number;
  readonly select: () => void;
  /** Show this camera alone. */
  readonly open: () => void;
  readonly go: (utcMs: number) => void;
  readonly sound: boolean;
  readonly toggleSound: () => void;
}

export function PlaybackTile(props: TileProps) {
  const { camera, player, live, selected } = props;
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const slot = useRef<HTMLDivElement>(null);
  const axis = useRef<AxisSlot | null>(null);
  const recorded = useStore(player.view);
  const shown = model.host.player(camera.id);
  const now = useStore(shown.view);

  useLayoutEffect(() => {
    if (!slot.current) return undefined;
    const made = new AxisSlot(model.host, mayWatch(camera) ? shown : null, player, slot.current);
    axis.current = made;
    return () => {
      axis.current = null;
      made.dispose();
    };
  }, [camera.id, player, mayWatch(camera)]);
  useLayoutEffect(() => axis.current?.set(live), [camera.id, player, mayWatch(camera), live]);

  const message = live ? liveMessage() : recordedMessage(i18n, recorded, props.position());
  function liveMessage(): Said | null {
    if (!mayWatch(camera)) return denied(i18n, "live");
    const said = messageOf(i18n, now, shown.figures(performance.now()), Date.now());
    return said && { ...said, go: null };
  }
  const word = live ? phaseWord(i18n, now.phase) : recordedWord(i18n, recorded);
  useEffect(() => {
    if (live ? now.phase !== "connecting" : recorded.phase !== "connecting" && recorded.phase !== "loading") model.say(camera.id, `${camera.name}, ${word}`);
  }, [word]);
  const sounds = live ? now.sound : recorded.sound;
  return (
    <article
      class={`tile${selected && props.several ? " sel" : ""}`}
      data-camera={camera.id}
      data-size={props.small ? "s" : "l"}
      data-phase={live ? now.phase : recorded.phase}
      data-mode={(live ? now.stream : recorded.stream)?.mode ?? ""}
      tabIndex={0}
      aria-label={[camera.name, word, sounds ? t("Sound on") : ""].filter(Boolean).join(", ")}
      onFocus={props.select}
      onPointerDown={props.select}
      onDblClick={props.several ? props.open : undefined}
    >
      <div ref={slot} class="slot" />
      {message && <TileMessage said={message} go={props.go} retry={() => (live ? shown.tryNow() : player.tryNow())} unblock={() => (live ? shown.unblock() : player.unblock())} />}
      {!message && <Chips camera={camera} view={live ? null : recorded} sound={sounds} />}
      <div class="foot">
        <div class="grow">
          <div class="nm">
            <span class="ell">{camera.name}</span>
          </div>
        </div>
        <span class="tools">
          {(live ? mayListen(camera) : mayHearRecorded(camera)) && (
            <IconButton
              icon={props.sound ? "sound" : "mute"}
              look="tool"
              label={props.sound ? t("Sound off") : t("Sound on")}
              hint="A"
              pressed={props.sound}
              onClick={props.toggleSound}
            />
          )}
          {props.several && <IconButton icon="whole" look="tool" label={t("Only {name}", { name: camera.name })} onClick={props.open} />}
        </span>
      </div>
    </article>
  );
}

interface Said {
  readonly title: string;
  readonly detail: string | null;
  readonly icon: IconName | "spinner";
  readonly plain: boolean;
  /** Where there is something to see. */
  readonly go: { readonly at: number; readonly label: string } | null;
  readonly retry?: boolean;
  readonly unblock?: boolean;
}

function denied({ t }: Translator, what: "live" | "playback"): Said {
  return {
    title: what === "live" ? t("You may not watch this camera") : t("You may not play back this camera"),
    detail: what === "live" ? t("Ask your administrator for the “Live” right.") : t("Ask your administrator for the “Playback” right."),
    icon: "lock",
    plain: true,
    go: null,
  };
}

/** What stands over a picture of the past, or null when it speaks for itself. */
export function recordedMessage(i18n: Translator, view: PlaybackView, position: number): Said | null {
  const { t } = i18n;
  switch (view.phase) {
    case "shown":
      return null;
    case "connecting":
    case "loading":
      return { title: t("Loading the recording…"), detail: null, icon: "spinner", plain: true, go: null };
    case "none":
      return nothing(i18n, view, position);
    case "denied":
      return denied(i18n, "playback");
    case "offline":
      return { title: t("No connection"), detail: t("Trying again."), icon: "warning", plain: false, go: null, retry: true };
    case "full":
      return { title: t("Too many pictures at once"), detail: t("Close some here or on another device. Trying again."), icon: "warning", plain: false, go: null };
    case "removed":
      return { title: t("This camera was removed"), detail: null, icon: "camera", plain: true, go: null };
    case "unsupported":
      return { title: t("This video cannot be shown here"), detail: t("Open Fanal in another browser."), icon: "warning", plain: true, go: null };
    case "blocked":
      return { title: t("Tap to play"), detail: t("This device saves power and waits for you."), icon: "play", plain: false, go: null, unblock: true };
  }
}

/** Nothing was recorded there: what is nearest. */
function nothing(i18n: Translator, { next, previous }: PlaybackView, position: number): Said {
  const { t } = i18n;
  const nearest = [next, previous].filter((at) => at !== null).sort((a, b) => Math.abs(a - position) - Math.abs(b - position))[0];
  if (nearest === undefined) {
    return { title: t("Nothing was recorded by this camera yet."), detail: null, icon: "none", plain: true, go: null };
  }
  if ([next, previous].every((at) => at === null || !format.sameDay(i18n, at, position))) {
    // the end of a recording shows nothing: a moment before it does
    const at = nearest === previous ? nearest - 1000 : nearest;
    return {
      title: t("Nothing was recorded on {day}.", { day: format.dayInMonth(i18n, position) }),
      detail: null,
      icon: "none",
      plain: false,
      go: { at, label: t("Go to {time}", { time: format.dayInMonth(i18n, nearest) }) },
    };
  }
  const near = next !== null && (previous === null || next === nearest || format.sameDay(i18n, next, position)) ? next : nearest;
  const time = format.clock(i18n, near);
  return {
    title: t("No recording here"),
    detail: near === next ? t("Recording starts again at {time}", { time }) : t("The recording ended at {time}", { time }),
    icon: "none",
    plain: false,
    go: { at: near === next ? near : near - 1000, label: t("Go to {time}", { time }) },
  };
}

function recordedWord({ t, tc }: Translator, view: PlaybackView): string {
  switch (view.phase) {
    case "shown":
      return tc("state", "recorded");
    case "connecting":
    case "loading":
      return t("Loading the recording…");
    case "none":
      return t("No recording here");
    case "denied":
      return t("You may not play back this camera");
    case "offline":
      return tc("state", "no connection");
    case "full":
      return t("Too many pictures at once");
    case "removed":
      return tc("state", "removed");
    case "unsupported":
      return t("This video cannot be shown here");
    case "blocked":
      return t("Tap to play");
  }
}

interface MessageProps {
  readonly said: Said;
  readonly go: (utcMs: number) => void;
  readonly retry: () => void;
  readonly unblock: () => void;
}

function TileMessage({ said, go, retry, unblock }: MessageProps) {
  const { t, tc } = useI18n();
  const { go: there } = said;
  return (
    <div class={`msg${said.plain ? " plain" : ""}${said.icon === "spinner" ? " late" : ""}`}>
      {said.icon === "spinner" ? <span class="spin" /> : <Icon name={said.icon} look={said.icon === "warning" || said.icon === "none" ? "attn" : ""} />}
      <b>{said.title}</b>
      {said.detail !== null && <span>{said.detail}</span>}
      {there && (
        <button type="button" onClick={() => go(there.at)}>
          {there.label}
        </button>
      )}
      {said.retry && (
        <button type="button" onClick={retry}>
          {t("Try now")}
        </button>
      )}
      {said.unblock && (
        <button type="button" onClick={unblock}>
          {tc("video", "Play")}
        </button>
      )}
    </div>
  );
}

/** Why a recorded picture is not the camera's own video, and whether it is heard. */
function Chips({ camera, view, sound }: { camera: Camera; view: PlaybackView | null; sound: boolean }) {
  const i18n = useI18n();
  const { t } = i18n;
  const stream = view?.stream ?? null;
  const transcoded = view?.phase === "shown" && stream?.mode === "transcoded";
  const masked = view !== null && causeOf(view) === "mask";
  // backwards and fast are chosen, not suffered: nothing has to be explained
  const plain = stream?.reason === "reverse" || stream?.reason === "speed";
  if (!(transcoded && (masked || !plain)) && !sound) return null;
  const reason = view && transcodedFor(i18n, camera, view);
  return (
    <div class="top">
      {transcoded && masked && (
        <span class="pc">
          <Icon name="mask" />
          <span class="ell">{t("Privacy mask")}</span>
        </span>
      )}
      {transcoded && !masked && !plain && (
        <span class="pc">
          <Icon name="layers" />
          <span class="ell">{reason === null ? t("Transcoded") : t("Transcoded: {reason}", { reason })}</span>
        </span>
      )}
      {sound && (
        <span class="pc">
          <Icon name="sound" />
          <span class="ell">{t("Sound on")}</span>
        </span>
      )}
    </div>
  );
}
