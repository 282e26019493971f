/** The clock, the buttons that play, and how fast (ui.md §7). */

import { useRef, useState } from "preact/hooks";
import { useI18n } from "../../app/context";
import type { Gaps, Speed, TransportProps } from "../../logic/timeline/contract";
import { FORWARD, keyFramesOnly, REVERSE, speedText } from "../../logic/timeline/speeds";
import { Button, IconButton, Switch } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { Popover } from "../../ui/popover";
import { useTimes } from "./timeline";
import { useWritten } from "./use-watched";

/** `14:18:36.240`, written without rendering. */
function Clock({ position, zone, onGoToTime }: Pick<TransportProps, "position" | "zone" | "onGoToTime">) {
  const { t } = useI18n();
  const times = useTimes(zone);
  const whole = useRef<HTMLSpanElement>(null);
  const part = useRef<HTMLElement>(null);
  useWritten(
    position,
    (at) => {
      if (whole.current) whole.current.textContent = times.clock(at);
      if (part.current) part.current.textContent = times.thousandths(at);
    },
    [times],
  );
  const face = (
    <>
      <span ref={whole} />
      <small ref={part} />
    </>
  );
  if (!onGoToTime) return <div class="clock">{face}</div>;
  return (
    <button type="button" class="clock" title={`${t("Go to time")} (G)`} onClick={onGoToTime}>
      <span class="vh">{t("Go to time")}</span>
      {face}
    </button>
  );
}

export function Transport(props: TransportProps) {
  const { state, onPlay, onPause, onStep, onEvent, onSpeed, onGaps, onLive, onBookmark, onSnapshot } = props;
  const { t } = useI18n();
  const still = state.still ?? false;
  return (
    <div class="transport" role="group" aria-label={t("Playing")}>
      <div class="clock-side pop-host">
        <Clock position={props.position} {...(props.zone === undefined ? {} : { zone: props.zone })} {...(props.onGoToTime ? { onGoToTime: props.onGoToTime } : {})} />
        {props.children}
      </div>
      <div class="tps">
        <IconButton look="tp" icon="previous" label={t("Previous event")} hint="Shift+←" onClick={() => onEvent(-1)} />
        <IconButton look="tp" icon="left" label={t("One picture back")} hint="," disabled={still} onClick={() => onStep(-1)} />
        <IconButton
          look="tp play"
          icon={state.playing ? "pause" : "play"}
          label={state.playing ? t("Pause") : t("Play")}
          hint={t("Space")}
          onClick={state.playing ? onPause : onPlay}
        />
        <IconButton look="tp" icon="right" label={t("One picture on")} hint="." disabled={still} onClick={() => onStep(1)} />
        <IconButton look="tp" icon="next" label={t("Next event")} hint="Shift+→" onClick={() => onEvent(1)} />
      </div>
      <div class="play-side">
        {keyFramesOnly(state.speed) && <span class="chip only-desk">{t("Key frames only")}</span>}
        <SpeedMenu speed={state.speed} gaps={state.gaps} onSpeed={onSpeed} onGaps={onGaps} />
        {onBookmark && <IconButton icon="bookmark" label={t("Bookmark")} hint="B" onClick={onBookmark} />}
        {onSnapshot && <IconButton icon="snapshot" label={t("Snapshot")} hint="S" onClick={onSnapshot} />}
        <button type="button" class={state.live ? "btn on" : "btn"} aria-pressed={state.live} title={t("Go to now (End)")} onClick={onLive}>
          {t("Live")}
          <span class="only-desk chevron">
            <Icon name="right" size="s" />
          </span>
        </button>
      </div>
    </div>
  );
}

interface SpeedMenuProps {
  readonly speed: Speed;
  readonly gaps: Gaps;
  readonly onSpeed: (speed: Speed) => void;
  readonly onGaps: (gaps: Gaps) => void;
  /** For pictures of it. */
  readonly opened?: boolean;
}

export function SpeedMenu({ speed, gaps, onSpeed, onGaps, opened = false }: SpeedMenuProps) {
  const { t } = useI18n();
  const [open, setOpen] = useState(opened);
  return (
    <div class="pop-host">
      <Button aria-label={t("Speed: {speed}", { speed: speedText(speed) })} aria-expanded={open} title={`${t("Speed")} ([ ])`} onClick={() => setOpen(!open)}>
        <span class="num">{speedText(speed)}</span>
        <span class="only-desk chevron">
          <Icon name="down" size="s" />
        </span>
      </Button>
      {open && (
        <Popover label={t("Speed")} place="above" close={() => setOpen(false)}>
          <SpeedChoice speed={speed} gaps={gaps} onSpeed={onSpeed} onGaps={onGaps} />
        </Popover>
      )}
    </div>
  );
}

export function SpeedChoice({ speed, gaps, onSpeed, onGaps }: Omit<SpeedMenuProps, "opened">) {
  const { t } = useI18n();
  const groups = [
    [t("Forward"), FORWARD.filter((s) => s >= 1)],
    [t("Slow"), FORWARD.filter((s) => s < 1)],
    [t("Reverse"), [...REVERSE].reverse()],
  ] as const;
  return (
    <div class="speeds">
      <div role="radiogroup" aria-label={t("Speed")}>
        {groups.map(([title, list]) => (
          <div key={title} class="speed-row">
            <span class="muted sm">{title}</span>
            <span class="speed-set">
              {list.map((s) => (
                <label key={s} class={s === speed ? "speed on" : "speed"}>
                  <input type="radio" name="speed" class="vh" checked={s === speed} {...(s === speed ? { "data-first": "" } : {})} onChange={() => onSpeed(s)} />
                  <span class="num">{speedText(s)}</span>
                </label>
              ))}
            </span>
          </div>
        ))}
      </div>
      <p class="hint">{t("Above 4× and faster than −1× only key frames are shown.")}</p>
      <Switch
        label={t("Play gaps")}
        hint={t("Time without recording passes at its own length, instead of being skipped.")}
        on={gaps === "play"}
        change={(on) => onGaps(on ? "play" : "skip")}
      />
    </div>
  );
}
