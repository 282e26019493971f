/** Why the picture is as it is, in words, and what makes it better (ui.md §5, §6). */

import type { Translator } from "../i18n/translator";
import { bestStream, type Camera, type CameraStream } from "../logic/cameras";
import * as format from "../logic/format";
import type { OwnReason } from "../logic/offer";
import type { Figures, PlayerView } from "../player/live-player";
import type { IconName } from "../ui/icons";
import { adviceWords } from "./camera-advice";
import { reasonText, unsupportedText } from "./texts";

/** The camera's stream that the picture is made of; its best one while there is none. */
/** Of a view, what says where its picture comes from. */
export type Source = Pick<PlayerView, "stream" | "own">;

export function usedStream(camera: Camera, view: Source): CameraStream | null {
  return camera.streams.find((s) => s.name === view.stream?.stream) ?? bestStream(camera);
}

function codecOf(camera: Camera, view: Source): string | null {
  const codec = view.stream?.codec ?? usedStream(camera, view)?.codec ?? null;
  return codec === null ? null : format.codecName(codec);
}

/** Why it is transcoded, or not the best stream: beside it there may be less of it, for the connection's or the server's sake. */
export function causeOf(view: Source): string | null {
  return view.stream?.cause ?? view.stream?.reason ?? null;
}

/** The level that takes something away while the server is busy, if that is why. */
export function busyLevel(view: PlayerView): number | null {
  const { stream } = view;
  return stream?.reason === "level" && (stream.level ?? 0) > 1 ? (stream.level ?? null) : null;
}

/** Whether the connection is too slow; where this device is, what the server left out is for that. */
export function isOnSlowNetwork(view: PlayerView): boolean {
  const reason = view.stream?.reason;
  return reason === "bandwidth" || (view.slow && reason !== "slow_client");
}

/** What the browser knows better than the server, if that is the reason. */
function ownReason(view: Source): OwnReason | null {
  const cause = causeOf(view);
  return cause === "requested" || cause === "codec" ? view.own : null;
}

/** Why it is transcoded, in a few words for a chip; null where there is nothing to say. */
export function transcodedFor(i18n: Translator, camera: Camera, view: Source): string | null {
  const { t, tc } = i18n;
  const codec = codecOf(camera, view);
  switch (ownReason(view) ?? causeOf(view)) {
    case "no_media":
      return t("this browser plays still pictures only");
    case "not_decoded":
      return codec === null ? t("this browser does not decode what the camera sends") : t("this browser does not decode {codec}", { codec });
    case "off":
      return t("switched off by the administrator");
    case "codec":
      return codec === null ? t("this browser cannot play what the camera sends") : t("this browser cannot play {codec}", { codec });
    case "level":
      return t("too large or too fast for this browser");
    case "no_video_10s":
      return t("no direct video for 10 s");
    case "one_fps":
      return t("the camera sends 1 picture per second");
    case "site_lost":
      return t("connection to the site lost");
    case "camera_lost":
      return tc("reason", "camera lost");
    case "mask":
      return t("privacy mask");
    case "requested":
      return t("as asked for");
    case "tile_size":
      return t("the picture is small here");
    case "bandwidth":
      return t("the connection is slow");
    case "slow_client":
      return t("this device is slow");
    default:
      return null;
  }
}

function transcodedTitle(i18n: Translator, codec: string | null, view: PlayerView): string {
  const { t } = i18n;
  switch (ownReason(view) ?? causeOf(view)) {
    case "no_media":
      return t("Transcoded, because this browser plays still pictures only.");
    case "not_decoded":
      return codec === null
        ? t("Transcoded, because this browser does not decode what the camera sends.")
        : t("Transcoded, because this browser does not decode {codec}, although it says that it can.", { codec });
    case "off":
      return t("Transcoded, because direct video is switched off by the administrator.");
    case "codec":
      return codec === null
        ? t("Transcoded, because this browser cannot play what the camera sends.")
        : t("Transcoded, because this browser cannot play {codec}.", { codec });
    case "level":
      return t("Transcoded, because the camera’s picture is too large or too fast for this browser.");
    case "no_video_10s":
      return t("Transcoded, because no direct video came for 10 s.");
    case "one_fps":
      return t("Transcoded, because the camera sends 1 picture per second.");
    case "site_lost":
      return t("Transcoded, because the connection to the site was lost.");
    case "camera_lost":
      return t("Transcoded, because the camera was lost.");
    case "mask":
      return t("Transcoded, because this camera has a privacy mask.");
    case "requested":
      return t("Transcoded, because this page asked for it.");
    case "tile_size":
      return t("Transcoded, because the picture is small here.");
    case "bandwidth":
      return t("Transcoded, because the connection is slow.");
    case "slow_client":
      return t("Transcoded, because this device is too slow for the camera’s video.");
    default:
      return t("Transcoded into pictures.");
  }
}

/** What is over by itself, after which direct video comes back. */
const PASSING: readonly unknown[] = ["no_video_10s", "one_fps", "site_lost", "camera_lost"];

function transcodedText(i18n: Translator, camera: Camera, view: PlayerView): { readonly title: string; readonly detail: string } {
  const { t } = i18n;
  const codec = codecOf(camera, view);
  const made =
    codec === null
      ? t("Fanal turns the camera’s video into JPEG pictures that fit your screen.")
      : t("The camera sends {codec}. Fanal turns it into JPEG pictures that fit your screen.", { codec });
  const reason = causeOf(view);
  const busy = busyLevel(view);
  const less =
    busy !== null
      ? t("There is less of it while the server is busy: level {level} is in force.", { level: busy })
      : view.stream?.reason === "bandwidth"
        ? t("There is less of it, as the connection is slow. More comes by itself when it can.")
        : view.stream?.reason === "slow_client"
          ? t("There is less of it, as this device does not draw all the pictures it gets. More comes by itself when it can.")
          : "";
  const more = PASSING.includes(reason)
    ? t("Direct video comes back by itself when that is over.")
    : reason === "mask"
      ? t("The mask is part of the picture: what is below it is not sent.")
      : "";
  return { title: transcodedTitle(i18n, codec, view), detail: [made, less, more].filter(Boolean).join(" ") };
}

/** Why the picture is as it is: one sentence, and what it means. */
export function whyText(i18n: Translator, camera: Camera, view: PlayerView): { readonly title: string; readonly detail: string } {
  const { t } = i18n;
  if (view.phase === "unsupported") {
    return { title: t("Nothing to see, because this format cannot be shown here."), detail: unsupportedText(i18n, view).detail };
  }
  if (view.phase === "lost") {
    return { title: t("The camera is lost."), detail: reasonText(i18n, view.reason) ?? t("Fanal tries again by itself until it answers.") };
  }
  if (view.phase === "offline") {
    return { title: t("Your connection to Fanal is interrupted."), detail: t("The picture comes back by itself when the connection does.") };
  }
  if (view.phase === "denied") {
    return { title: t("You may not watch this camera."), detail: t("Ask your administrator for the “Live” right.") };
  }
  if (view.phase === "waiting" || view.phase === "connecting") {
    return { title: t("Waiting for video."), detail: reasonText(i18n, view.reason) ?? t("The camera is connected, but no picture has come yet.") };
  }
  if (view.stream?.mode === "transcoded") return transcodedText(i18n, camera, view);
  const unchanged = t("Fanal hands on what the camera sends. Nothing is decoded or made smaller on the way.");
  switch (view.stream?.reason) {
    case null:
    case undefined:
      return { title: t("Direct, in the camera’s best stream."), detail: unchanged };
    case "tile_size":
      return { title: t("Direct, in a smaller stream, because the picture is small here."), detail: unchanged };
    case "bandwidth":
      return { title: t("Direct, in a smaller stream, because the connection is slow."), detail: unchanged };
    case "slow_client":
      return { title: t("Direct, in a smaller stream, because this device is too slow for the best one."), detail: unchanged };
    case "codec":
      return { title: t("Direct, in another stream, because this browser cannot play the best one."), detail: unchanged };
    case "level":
      return { title: t("Direct, in another stream, because the best one is too large or too fast for this browser."), detail: unchanged };
    default:
      return { title: t("Direct, but not in the camera’s best stream."), detail: unchanged };
  }
}

/** What makes the picture better; `act`: its button. */
export interface Advice {
  readonly icon: IconName;
  readonly text: string;
  readonly act: "settings" | "zoom" | "direct" | null;
}

/** Who reads it, and with what. */
export interface Reader {
  readonly administer: boolean;
  readonly agent: string;
}

/** Browsers that play H.265 wherever the system does: to use them is no advice in them. */
const PLAYS_H265 = /Firefox\/|Version\/[\d.]+ .*Safari\//;

/** What would make the picture better today, for this reader, best first. */
export function advice(i18n: Translator, camera: Camera, view: PlayerView, figures: Figures, reader: Reader): Advice[] {
  const { t } = i18n;
  const list: Advice[] = [];
  const reason = view.phase === "unsupported" ? view.reason : view.phase === "live" ? (ownReason(view) ?? causeOf(view)) : null;
  const settings = (text: string): void => {
    if (reader.administer) list.push({ icon: "settings", text, act: "settings" });
  };
  const here = (text: string, act: Advice["act"] = null): void => {
    list.push({ icon: act === null ? "info" : "check", text, act });
  };
  const used = usedStream(camera, view);
  switch (reason) {
    case "codec": {
      if (view.stream?.mode === "direct") break;
      const h265 = (view.stream?.codec ?? used?.codec) === "h265" || /hvc1|hev1/.test(view.codec ?? "");
      if (!camera.streams.some((s) => s.codec === "h264")) {
        settings(
          camera.streams.length > 1
            ? t("Set one of this camera’s streams to H.264. It would play here directly.")
            : t("Turn on this camera’s second stream, as H.264. It would play here directly."),
        );
      }
      if (h265 && !PLAYS_H265.test(reader.agent)) here(t("Open Fanal in Firefox or Safari, or in Edge with the HEVC extension: they play H.265."));
      break;
    }
    case "level":
      settings(t("Set one of this camera’s streams to a smaller picture or fewer pictures per second. It would play here directly."));
      break;
    case "not_decoded":
      here(t("Close other pages and programs that play video, then try direct video again."), "direct");
      break;
    case "no_media":
      here(t("Open Fanal in a current Chrome, Edge, Firefox or Safari: they play the camera’s video itself."));
      break;
    case "one_fps":
      settings(t("Set the camera to more than 10 pictures per second, better 15 to 25."));
      break;
    case "no_video_10s":
    case "camera_lost":
      settings(t("Test the camera: the test says at which step its video stops."));
      break;
    case "tile_size":
      here(t("Zoom in, or make the window larger: the largest stream is sent then."), "zoom");
      break;
  }
  if (view.phase === "live" && (reason === "bandwidth" || view.stream?.reason === "bandwidth")) {
    here(t("Use a faster connection, such as a cable or a nearer access point. The larger picture comes back by itself."));
  }
  if (view.phase === "live" && view.stream?.reason === "slow_client") {
    here(t("Close other pages and programs, or open fewer pictures at once: this device has too much to do to draw them all."));
  }
  const busy = view.phase === "live" ? busyLevel(view) : null;
  if (busy !== null) {
    here(
      reader.administer
        ? t("Raise the limits or the thresholds of level {level}, or set cameras to H.264, which need not be transcoded.", { level: busy })
        : t("Close pictures that you do not need: the server has more to do than usual."),
    );
  }
  if (view.phase === "live") {
    for (const one of used?.advice ?? []) {
      if (one.about === "rate" && (view.stream?.mode !== "direct" || reason === "one_fps")) continue;
      const words = adviceWords(i18n, one);
      settings(`${words.measured} ${words.hint}`);
    }
  }
  if (isOnSlowNetwork(view) && view.stream?.reason !== "bandwidth" && figures.skippedTotal > 0) {
    here(t("Use a faster connection, such as a cable or a nearer access point: parts of the video came too late here."));
  }
  if (view.phase === "lost") settings(t("Test the camera: the test says at which step its video stops."));
  return list;
}
