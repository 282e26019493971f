/** Where cameras of common makers have their streams, as their manuals say: one click instead of a search. */

import { placeOf, readAddress } from "./camera-address";

export interface Usual {
  readonly maker: string;
  readonly main: string;
  readonly sub: string;
}

export const USUAL: readonly Usual[] = [
  { maker: "Axis", main: "/axis-media/media.amp", sub: "/axis-media/media.amp?resolution=640x360" },
  { maker: "Dahua, Amcrest", main: "/cam/realmonitor?channel=1&subtype=0", sub: "/cam/realmonitor?channel=1&subtype=1" },
  { maker: "Foscam", main: "/videoMain", sub: "/videoSub" },
  { maker: "Hikvision", main: "/Streaming/Channels/101", sub: "/Streaming/Channels/102" },
  { maker: "Reolink", main: "/h264Preview_01_main", sub: "/h264Preview_01_sub" },
  { maker: "TP-Link Tapo, VIGI", main: "/stream1", sub: "/stream2" },
];

/** The addresses of both streams at the host that was typed, or null where none was. */
export function usualAddresses(typed: string, usual: Usual): { readonly url: string; readonly sub: string } | null {
  const place = placeOf(readAddress(typed).url);
  return place === "" ? null : { url: `rtsp://${place}${usual.main}`, sub: `rtsp://${place}${usual.sub}` };
}
