/** What is said of a camera that is set up or tested: failures with what to do, stages, figures. */

import type { Translator } from "../i18n/translator";
import { hostOf, placeOf } from "../logic/camera-address";
import { failedStage, type Stage, type TestStream } from "../logic/camera-admin";
import type { Faults, FieldName } from "../logic/camera-draft";
import type { Way } from "../logic/camera-options";
import * as format from "../logic/format";
import { ApiError, Unreachable } from "../net/api";

export interface Words {
  readonly title: string;
  readonly detail: string;
}

/** Why the test of a stream failed, and what to do.  `signedIn`: a user or a password was given; `pinned`: a certificate. */
export function testFailure({ t }: Translator, stream: TestStream, signedIn: boolean, pinned: boolean): Words {
  const place = placeOf(stream.url);
  const stage = failedStage(stream.steps);
  const nothing = {
    title: t("Nothing answers at {place}.", { place }),
    detail: t("Check the address and the port, and that the camera is on and in this network."),
  };
  if (stream.fingerprint !== null) {
    return pinned
      ? {
          title: t("The camera shows another certificate than the one you trust."),
          detail: t("Somebody may be in between, unless the camera was given a new certificate. Trust it only if the camera’s own page shows this SHA-256 fingerprint:"),
        }
      : {
          title: t("No authority vouches for the camera’s certificate."),
          detail: t("Most cameras made theirs themselves. Open the camera’s own page, look at its certificate, and compare the SHA-256 fingerprint with this one:"),
        };
  }
  switch (stream.code) {
    case "bad_credentials":
      return signedIn
        ? {
            title: t("The camera refuses this user or password."),
            detail: t("Check both in the camera’s own settings. Some cameras lock themselves after several wrong ones."),
          }
        : { title: t("The camera asks for a user and a password."), detail: t("Enter those that are set up in the camera.") };
    case "timeout":
      if (stage === "name") {
        return {
          title: t("No name server answers what {host} is.", { host: hostOf(stream.url) }),
          detail: t("Check the server’s network and its name servers, or use the camera’s IP address."),
        };
      }
      if (stage === "connect") return nothing;
      return stage === "picture"
        ? { title: t("The camera sends no whole picture."), detail: t("Set a shorter key frame interval in the camera, one or two seconds.") }
        : { title: t("The camera does not answer in time."), detail: t("Check that it is not overloaded, and try again.") };
    case "refused":
      return stage === "connect"
        ? nothing
        : {
            title: t("The camera refuses to send this stream."),
            detail: t("Check in the camera what this user may see, and how many viewers it allows."),
          };
    case "not_found":
      return stage === "connect"
        ? {
            title: t("The name {host} is not known in this network.", { host: hostOf(stream.url) }),
            detail: t("Check the address, or use the camera’s IP address."),
          }
        : {
            title: t("The camera has no stream at this address."),
            detail: t("Check what stands behind the host. The camera’s manual names it."),
          };
    case "unsupported_codec":
      if (stage === "find" && /^https?:/i.test(stream.url)) {
        return { title: t("There are no pictures at this address."), detail: t("Enter the address of the camera’s MJPEG stream, or of its snapshot.") };
      }
      return { title: t("The camera sends a format that cannot be shown."), detail: t("Set this stream to H.264 in the camera.") };
    case "not_decoded":
      return { title: t("The stream comes, but its picture cannot be decoded."), detail: t("Choose another profile of H.264 in the camera, and try again.") };
    case "camera_lost":
      if (stage === "encrypt") {
        return {
          title: t("What answers at {place} does not encrypt.", { place }),
          detail: t("Check the port: rtsps:// is usually on 322. Or use rtsp://."),
        };
      }
      return stage === "connect" || stage === "speak"
        ? {
            title: t("What answers at {place} does not speak RTSP.", { place }),
            detail: t("Check the port. Most cameras use 554."),
          }
        : { title: t("The camera broke the connection."), detail: t("Try again. If it stays so, restart the camera.") };
    default:
      return { title: t("The camera cannot be shown."), detail: t("The details say how far it came.") };
  }
}

/** A stage of the test, as done or as what failed.  `refused`: the sign-in was. */
export function stageText({ t }: Translator, stage: Stage, ok: boolean, place: string, refused: boolean): string {
  switch (stage) {
    case "name":
      return t("Find out the address of {place}", { place });
    case "connect":
      return ok ? t("Connected to {place}", { place }) : t("Connect to {place}", { place });
    case "encrypt":
      return ok ? t("Encrypted") : t("Encrypt the connection");
    case "speak":
      return ok ? t("The camera speaks RTSP") : t("Speak RTSP");
    case "find":
      return ok ? t("Stream found") : refused ? t("Sign in") : t("Find the stream");
    case "start":
      return ok ? t("Stream started") : t("Start the stream");
    case "picture":
      return ok ? t("Picture received") : t("Wait for a picture");
  }
}

interface Figures {
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
}

/** `H.264, 1280×720, 25 fps`; empty where nothing is known. */
export function streamFigures(i18n: Translator, stream: Figures): string {
  const parts: string[] = [];
  if (stream.codec !== null) parts.push(format.codecName(stream.codec));
  if (stream.width !== null && stream.height !== null) parts.push(format.size(stream.width, stream.height));
  if (stream.fps !== null && stream.fps > 0) parts.push(format.fps(i18n, stream.fps));
  return parts.join(", ");
}

export function streamName({ t }: Translator, name: string): string {
  return name === "main" ? t("Main stream") : name === "sub" ? t("Smaller stream") : name;
}

export function faultText({ t }: Translator, fault: Faults[keyof Faults] & string, field: keyof Faults): string {
  if (field === "name") return t("Enter a name.");
  switch (fault) {
    case "empty":
      return t("Enter the camera’s address.");
    case "scheme":
      return t("Only addresses that begin with rtsp:// or http:// can be used.");
    case "host":
      return t("The address names no camera. Write it as rtsp://192.168.1.21/stream.");
    case "hidden":
      return t("A part of this address is hidden. Enter all of it again.");
    case "udp":
      return t("Over UDP nothing is encrypted, and rtsps:// asks for that. Choose another way, or rtsp://.");
    case "fingerprint":
      return t("A SHA-256 fingerprint has 64 digits, 0–9 and A–F.");
  }
}

/** A refusal of the server: at a field, or (null) above the buttons. */
export function refusal({ t, language }: Translator, error: unknown): { readonly field: FieldName | null; readonly text: string } {
  if (error instanceof Unreachable) return { field: null, text: t("The server does not answer. Check your connection and try again.") };
  if (!(error instanceof ApiError)) throw error;
  const known: readonly FieldName[] = ["name", "url", "sub", "username", "password", "transport", "fingerprint"];
  const field = known.find((each) => each === error.field) ?? null;
  // the server says more precisely what is wrong, in English
  const said = [error.detail, error.hint].filter(Boolean).join(" ");
  const or = (text: string): string => (language === "en" && said !== "" ? said : text);
  switch (error.code) {
    case "name_taken":
      return { field: "name", text: t("There is a camera of this name already. Choose another name.") };
    case "invalid_name":
      return { field: "name", text: or(t("This name cannot be used. Choose another one.")) };
    case "invalid_url":
    case "unsupported_scheme":
      return { field: field ?? "url", text: or(t("This address cannot be used for a camera. Write it as rtsp://host/path.")) };
    case "invalid_transport":
      return { field: "transport", text: or(t("The pictures cannot come this way. Choose another one.")) };
    case "invalid_fingerprint":
      return { field: "fingerprint", text: t("A SHA-256 fingerprint has 64 digits, 0–9 and A–F.") };
    case "invalid_credentials":
      return { field: field ?? "password", text: or(t("This has characters that cannot be sent to a camera.")) };
    case "invalid_recording":
      return { field: null, text: or(t("The camera cannot be recorded like this. Check what is set under Recording.")) };
    case "busy":
      return { field: null, text: t("Other cameras are being tested. Try again in a few seconds.") };
    case "no_camera":
      return { field: null, text: t("This camera is not here any more.") };
    case "too_many_cameras":
      return { field: null, text: t("There is no room for another camera. Remove one first.") };
    default:
      return { field, text: t("The server could not do this. Try again in a moment.") };
  }
}

/** A way on which pictures come, and what speaks for it. */
export function wayText({ t }: Translator, way: Way): Words {
  switch (way) {
    case "auto":
      return { title: t("Automatic"), detail: t("Over TCP, or over UDP where the camera refuses that.") };
    case "tcp":
      return { title: "TCP", detail: t("Inside the connection: nothing is lost on the way.") };
    case "udp":
      return { title: "UDP", detail: t("Beside the connection: what is lost on the way stays lost. For cameras that send nothing over TCP.") };
    case "http":
      return { title: "HTTP", detail: t("Through the camera’s web port, where nothing else of it can be reached.") };
  }
}
