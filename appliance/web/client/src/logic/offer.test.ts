import { describe, expect, it } from "vitest";
import { Offer } from "./offer";

const CODECS = ["avc1.640034", "hvc1.1.6.L153.B0", "mp4a.40.2"];
const MINUTE = 60_000;

describe("how the picture is asked for", () => {
  it("is directly, in all that the browser plays", () => {
    expect(new Offer(CODECS, true).at(0)).toEqual({ mode: "auto", codecs: CODECS, own: null });
  });

  it("is as pictures where there is no way to play video", () => {
    expect(new Offer([], false).at(0)).toEqual({ mode: "transcoded", codecs: [], own: "no_media" });
  });

  it("leaves out what was not decoded twice, for a minute, and twice as long each time after", () => {
    const offer = new Offer(CODECS, true);
    offer.undecoded("hvc1", 0);
    expect(offer.at(0).codecs).toEqual(CODECS);
    offer.undecoded("hvc1", 0);
    expect(offer.at(MINUTE - 1)).toEqual({ mode: "auto", codecs: ["avc1.640034", "mp4a.40.2"], own: "not_decoded" });
    expect(offer.at(MINUTE)).toEqual({ mode: "auto", codecs: CODECS, own: null });
    for (const [from, minutes] of [[1, 2], [3, 4], [7, 8], [15, 16], [31, 16]] as const) {
      offer.refuse("hvc1", from * MINUTE);
      expect(offer.at((from + minutes) * MINUTE - 1).own).toBe("not_decoded");
      expect(offer.at((from + minutes) * MINUTE).own).toBeNull();
    }
  });

  it("is as pictures when no codec is left, sound or not", () => {
    const offer = new Offer(CODECS, true);
    offer.refuse("hvc1", 0);
    offer.refuse("avc1", 0);
    expect(offer.at(0)).toEqual({ mode: "transcoded", codecs: [], own: "not_decoded" });
    offer.forgive();
    expect(offer.at(0).mode).toBe("auto");
  });

  it("begins anew when a picture was decoded after all", () => {
    const offer = new Offer(CODECS, true);
    offer.undecoded("avc1", 0);
    offer.decoded("avc1");
    offer.undecoded("avc1", 0);
    expect(offer.at(0).own).toBeNull();
  });
});
