/**
 * The timeline: one canvas that is also a slider, with the picture above the pointer.  What it shows is in its
 * controller; here are the element, its words and its keys.
 */

import "../../styles/timeline.css";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useI18n } from "../../app/context";
import type { Translator } from "../../i18n/translator";
import type { Marker, TimelineProps } from "../../logic/timeline/contract";
import { limitShown } from "../../logic/timeline/axis";
import { bucket } from "../../logic/timeline/scrub";
import { Times } from "../../logic/timeline/times";
import { SECOND, Zone } from "../../logic/timeline/zone";
import { useLatest, useMedia } from "../../ui/hooks";
import { TimelineController, type Inputs } from "./controller";
import { Hand } from "./hand";
import { ScrubPicture } from "./scrub-picture";
import { markerText } from "./words";

/** How far an arrow goes … */
export const ARROW_MS = 5 * SECOND;
/** … and how much less or more time is shown by one up or down. */
export const ZOOM = 1.5;

export function useTimes(zone: string | undefined): Times {
  const i18n = useI18n();
  return useMemo(() => new Times(i18n, new Zone(zone ?? i18n.zone)), [i18n, zone]);
}

/** `14:18:36, Thursday 12 March 2026, recorded` */
function valueText({ t, tn }: Translator, times: Times, timeline: TimelineController): string {
  const at = timeline.position;
  const { cameras } = timeline.inputs;
  const states = cameras.map((_, i) => timeline.recorded(i, at));
  const there = states.filter((s) => s === "recorded").length;
  let recorded = "";
  if (there > 0) recorded = there === cameras.length ? t("recorded") : tn("recorded by {n} camera", "recorded by {n} cameras", there);
  else if (!states.includes("unknown")) recorded = t("no recording");
  return [times.clock(at), times.wholeDay(at), recorded].filter(Boolean).join(", ");
}

export function Timeline(props: TimelineProps) {
  const { cameras, data, position, now, shown, selection, zone, scrub, onSeek } = props;
  const i18n = useI18n();
  const { t } = i18n;
  const times = useTimes(zone);
  const middle = useMedia("(max-width: 760px)");
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const clock = useRef<HTMLSpanElement>(null);
  const note = useRef<HTMLSpanElement>(null);
  const made = useRef<TimelineController | null>(null);
  const words = useMemo(
    () => ({ now: t("Now"), noRecording: t("No recording"), failed: t("Not loaded. Trying again…"), wholeDay: t("Whole day"), everything: t("All recordings") }),
    [i18n],
  );
  const inputs: Inputs = useMemo(
    () => ({ cameras, data, position, now, shown, selection, times, words, middle, onSeek }),
    [cameras, data, position, now, shown, selection, times, words, middle, onSeek],
  );
  const latest = useLatest({ props, i18n, times, inputs });

  useLayoutEffect(() => {
    if (!canvas.current || !box.current || !above.current || !image.current || !clock.current || !note.current) return undefined;
    const timeline = (made.current = new TimelineController(canvas.current, box.current, latest.current.inputs));
    const picture = new ScrubPicture({ box: above.current, image: image.current, time: clock.current, note: note.current }, scrub);
    const over = (at: number | null, x: number, lane: number | null, marker: Marker | null, count: number): void => {
      if (at === null) return picture.hide();
      const now = latest.current;
      const index = lane ?? 0;
      const camera = marker ? marker.camera : (now.props.cameras[index]?.id ?? "");
      const recorded = timeline.recorded(Math.max(0, marker ? now.props.cameras.findIndex((c) => c.id === camera) : index), at);
      const more = count > 1 ? ` +${count - 1}` : "";
      const text = marker ? `${markerText(now.i18n, marker)}${more}` : recorded === "not" ? now.i18n.t("No recording") : "";
      const asked = recorded === "not" || camera === "" ? null : bucket(at, timeline.axis.msPerPx);
      picture.show(x, timeline.layout.width, camera, asked, now.times.clock(at), text, marker !== null);
    };
    const pressed = (marker: Marker): void => {
      const { onMarker, onSeek: seek } = latest.current.props;
      if (onMarker) onMarker(marker);
      else seek(marker.at, { dragging: false });
    };
    const hand = new Hand(timeline, { over, pressed });
    return () => {
      hand.end();
      picture.end();
      timeline.end();
      made.current = null;
    };
  }, [scrub]);
  useLayoutEffect(() => made.current?.update(inputs), [inputs]);

  // what a screen reader says: at once for keys, once a second while playing
  const say = useRef<() => void>(() => undefined);
  useEffect(() => {
    say.current = () => {
      const timeline = made.current;
      if (!timeline || !canvas.current) return;
      const { from } = timeline.bounds;
      canvas.current.setAttribute("aria-valuemin", String(Math.floor(from / SECOND)));
      canvas.current.setAttribute("aria-valuemax", String(Math.ceil(now() / SECOND)));
      canvas.current.setAttribute("aria-valuenow", String(Math.round(timeline.position / SECOND)));
      canvas.current.setAttribute("aria-valuetext", valueText(i18n, times, timeline));
    };
    say.current();
    const timer = setInterval(() => say.current(), SECOND);
    return () => clearInterval(timer);
  }, [i18n, times, now, inputs]);

  const onKeyDown = (e: KeyboardEvent): void => {
    const timeline = made.current;
    if (!timeline || e.ctrlKey || e.altKey || e.metaKey || e.shiftKey) return;
    const by = (ms: number): void => onSeek(timeline.limit(position.get() + ms), { dragging: false });
    switch (e.key) {
      case "ArrowLeft":
        by(-ARROW_MS);
        break;
      case "ArrowRight":
        by(ARROW_MS);
        break;
      case "PageUp":
        by(-shown.get() / 10);
        break;
      case "PageDown":
        by(shown.get() / 10);
        break;
      case "Home":
        onSeek(timeline.bounds.from, { dragging: false });
        break;
      case "ArrowUp":
        shown.set(limitShown(shown.get() / ZOOM));
        break;
      case "ArrowDown":
        shown.set(limitShown(shown.get() * ZOOM));
        break;
      default:
        return;
    }
    e.preventDefault();
    say.current();
  };
  const focus = (on: boolean): void => {
    if (made.current) made.current.focused = on && (canvas.current?.matches(":focus-visible") ?? false);
  };
  return (
    <div class={middle ? "tl middle" : "tl"} ref={box}>
      <canvas
        ref={canvas}
        role="slider"
        tabIndex={0}
        aria-label={t("Time")}
        aria-valuenow={0}
        aria-orientation="horizontal"
        onKeyDown={onKeyDown}
        onFocus={() => focus(true)}
        onBlur={() => focus(false)}
      />
      <div class="scrub" ref={above} hidden aria-hidden="true">
        <span class="scrub-box">
          <img ref={image} alt="" hidden />
        </span>
        <p>
          <span class="num" ref={clock} />
          <span class="ell" ref={note} />
        </p>
      </div>
    </div>
  );
}
