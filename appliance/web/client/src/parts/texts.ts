/** What is said of a picture, in words: the messages over it and its details line.  Why it is as it is: `why-texts`. */

import type { Translator } from "../i18n/translator";
import type { Camera } from "../logic/cameras";
import * as format from "../logic/format";
import type { Phase } from "../logic/phase";
import type { Figures, PlayerView } from "../player/live-player";
import type { IconName } from "../ui/icons";

export interface Message {
  readonly title: string;
  readonly detail: string | null;
  /** Instead of the detail where there is room for little. */
  readonly brief?: string | null;
  readonly icon: IconName | "spinner";
  /** Over nothing: there is no picture below. */
  readonly plain: boolean;
}

/** The server's reason for having no picture, in words with what to do about it. */
export function reasonText({ t }: Translator, reason: string | null): string | null {
  switch (reason) {
    case "timeout":
      return t("The camera does not answer. Check its power and cable.");
    case "refused":
      return t("The camera refuses the connection. Check its address and port.");
    case "bad_credentials":
      return t("The camera refuses its user name or password.");
    case "not_found":
      return t("The camera has no stream at this address.");
    case "unsupported_codec":
      return t("The camera sends a format that cannot be shown. Set it to H.264.");
    case "long_gop":
      return t("The camera seldom sends a whole picture. It comes with the next one.");
    case "site_lost":
      return t("The connection to the site is lost.");
    case "no_video_10s":
      return t("No direct video for 10 s.");
    case "decoder_restarts":
      return t("Fanal’s decoder starts again.");
    case "decoder_failed":
      return t("Fanal cannot decode this camera’s video at the moment.");
    default:
      return null;
  }
}

/** Why a camera is not recorded though it should be, in a few words (ui.md §5). */
export function recordingTrouble({ t }: Translator, camera: Camera): string | null {
  if (camera.recording !== "failed") return null;
  switch (camera.recordingReason) {
    case "disk_full":
      return t("Not recording: disk full");
    case "disk_read_only":
      return t("Not recording: disk write-protected");
    case "disk_slow":
      return t("Not recording: disk too slow");
    case "disk_failed":
      return t("Not recording: disk fails");
    default:
      return t("Not recording");
  }
}

function lastPicture(i18n: Translator, figures: Figures): string | null {
  if (figures.pictureUtc === null) return null;
  return i18n.t("Last picture {time}.", { time: format.clock(i18n, figures.pictureUtc) });
}

function join(...parts: (string | null)[]): string | null {
  return parts.filter(Boolean).join(" ") || null;
}

/** What stands over the picture, or null when it speaks for itself. */
export function messageOf(i18n: Translator, view: PlayerView, figures: Figures, nowUtc: number): Message | null {
  const { t } = i18n;
  const plain = figures.pictureUtc === null;
  switch (view.phase) {
    case "live":
    case "paused":
      return null;
    case "connecting":
      return { title: t("Connecting…"), detail: null, icon: "spinner", plain: true };
    case "waiting": {
      const reason = reasonText(i18n, view.reason);
      if (figures.pictureUtc === null) {
        return { title: t("Waiting for video"), detail: reason ?? t("The camera is connected."), icon: "spinner", plain };
      }
      const gone = format.wait(Math.max(2, (nowUtc - figures.pictureUtc) / 1000));
      const detail = join(t("No picture for {time}.", { time: gone }), reason ?? t("The camera is connected."));
      return { title: t("Waiting for video"), detail, icon: "spinner", plain };
    }
    case "lost":
      return {
        title: t("Camera lost"),
        detail: join(lastPicture(i18n, figures), reasonText(i18n, view.reason), t("Trying again.")),
        brief: figures.pictureUtc === null ? reasonText(i18n, view.reason) : join(lastPicture(i18n, figures), t("Trying again.")),
        icon: "warning",
        plain,
      };
    case "offline":
      return {
        title: t("No connection"),
        detail: join(
          lastPicture(i18n, figures),
          figures.nextTryIn === null ? t("Trying again.") : t("Trying again in {time}.", { time: format.wait(figures.nextTryIn) }),
        ),
        icon: "warning",
        plain,
      };
    case "denied":
      return {
        title: t("You may not watch this camera"),
        detail: t("Ask your administrator for the “Live” right."),
        icon: "lock",
        plain: true,
      };
    case "removed":
      return { title: t("This camera was removed"), detail: null, icon: "camera", plain: true };
    case "full":
      return {
        title: t("Too many pictures at once"),
        detail: t("Close some here or on another device. Trying again."),
        icon: "warning",
        plain,
      };
    case "unsupported":
      return { title: t("This video cannot be shown here"), ...unsupportedText(i18n, view), icon: "warning", plain: true };
    case "blocked":
      return { title: t("Tap to play"), detail: t("This device saves power and waits for you."), icon: "play", plain: false };
  }
}

/** Why a format is not shown; `brief` for small tiles. */
export function unsupportedText({ t }: Translator, view: PlayerView): { detail: string; brief: string } {
  if (view.reason === "level") {
    return {
      detail: t("The camera sends a picture too large or too fast for this browser. Set it to a smaller one."),
      brief: t("Too large for this browser"),
    };
  }
  if (/hvc1|hev1/.test(view.codec ?? view.stream?.mime ?? "")) {
    return {
      detail: t("The camera sends H.265, and this browser cannot play it. Open Fanal in Firefox or Safari, or set the camera to H.264."),
      brief: t("This browser cannot play H.265"),
    };
  }
  return { detail: t("The camera sends a format that cannot be shown. Set it to H.264."), brief: t("Set the camera to H.264") };
}

/** One or two words for a screen reader. */
export function phaseWord({ t, tc }: Translator, phase: Phase): string {
  switch (phase) {
    case "live":
      return tc("state", "live");
    case "connecting":
      return tc("state", "connecting");
    case "waiting":
      return tc("state", "waiting for video");
    case "lost":
      return tc("state", "camera lost");
    case "offline":
      return tc("state", "no connection");
    case "denied":
      return t("You may not watch this camera");
    case "removed":
      return tc("state", "removed");
    case "full":
      return t("Too many pictures at once");
    case "unsupported":
      return t("This video cannot be shown here");
    case "blocked":
      return t("Tap to play");
    case "paused":
      return tc("state", "paused");
  }
}

/** `Direct · main · 1280×720 · 25 fps · 268 kB/s`; `short` leaves out what small tiles have no room for. */
export function detailsLine(i18n: Translator, view: PlayerView, figures: Figures, short: boolean): string {
  const { t } = i18n;
  if (view.phase !== "live" || !view.stream) return "";
  const pictures = view.stream.mode === "transcoded";
  const parts = [pictures ? t("Transcoded") : t("Direct")];
  if (!short) parts.push(view.stream.stream);
  if (figures.width > 0) parts.push(format.size(figures.width, figures.height));
  if (figures.fps > 0.5) parts.push(format.fps(i18n, figures.fps));
  if (!short && figures.rate > 0) parts.push(format.rate(i18n, figures.rate));
  if (!short && pictures && figures.delay !== null) parts.push(t("delay {time}", { time: format.seconds(i18n, figures.delay) }));
  if (figures.skipped > 0) parts.push(t("skipped {time}", { time: format.seconds(i18n, figures.skipped) }));
  return parts.join(" · ");
}

/** What is wrong with the cameras, for the strip below the grid: `1 lost`. */
export function troubles({ tn }: Translator, cameras: readonly Camera[]): string | null {
  const lost = cameras.filter((c) => c.health === "lost").length;
  return lost > 0 ? tn("{n} lost", "{n} lost", lost) : null;
}
