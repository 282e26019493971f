import { describe, expect, it } from "vitest";
import { applyEvent, bestStream, findCameras, mayListen, readCamera, readCameras, snapshotName, type Camera } from "./cameras";
import { ascii, box, u32 } from "../player/testing-media";
import { families, hasSound, parseMessage } from "./messages";
import { kindOf, readFragment, readInit } from "./mp4";
import { Zone } from "./timeline/zone";

const raw = {
  id: "11111111-1111-4111-8111-111111111111",
  name: "Front gate",
  site: "Harbour",
  state: { state: "ok", reason: null, since: "2026-03-12T14:00:00Z" },
  streams: [
    { id: "s1", name: "main", codec: "h264", width: 1280, height: 720, fps: 25, kbps: 2144 },
    { id: "s2", name: "sub", codec: "h264", width: 640, height: 360, fps: 25, kbps: 400 },
  ],
  rights: ["live", "audio"],
  audio: true, ptz: false, talk: false, recorded: false,
};

/** Things a stranger might send in the place of anything. */
const GARBAGE: unknown[] = [null, undefined, 0, -1, NaN, Infinity, "", "x".repeat(5000), [], [1], {}, { id: 5 }, true, () => 1];

describe("messages of the live socket", () => {
  const stream = {
    type: "stream", mode: "direct", mime: 'video/mp4; codecs="avc1.64001f"', stream: "main", width: 1280, height: 720,
    fps: 25, reason: null, utc_zero: 155520000000000,
  };
  it("are read", () => {
    expect(parseMessage(JSON.stringify(stream))).toMatchObject({ type: "stream", mode: "direct", utcZero: 155520000000000 });
    expect(parseMessage('{"type":"status","state":"lost","reason":"timeout"}')).toEqual({ type: "status", state: "lost", reason: "timeout", codec: null });
    expect(parseMessage('{"type":"status","state":"lost","reason":"codec","codec":"hvc1.1.6.L93"}')).toMatchObject({ reason: "codec", codec: "hvc1.1.6.L93" });
    expect(parseMessage('{"type":"dropped","seconds":1.2}')).toEqual({ type: "dropped", seconds: 1.2 });
  });
  it("are ignored when they are not understood", () => {
    for (const text of ["", "{", "null", "[]", '"stream"', '{"type":"news"}', '{"type":"status","state":"fine"}', '{"type":"dropped","seconds":-1}', `{"type":"dropped","x":"${"y".repeat(70000)}"}`]) {
      expect(parseMessage(text)).toBeNull();
    }
    for (const key of ["mode", "mime", "stream", "utc_zero"]) {
      for (const garbage of GARBAGE) {
        if (key !== "utc_zero" && garbage === "") continue;
        if (key === "utc_zero" && garbage === 0) continue;
        if (key === "mime" || key === "stream") if (typeof garbage === "string" && garbage.length < 257) continue;
        expect(parseMessage(JSON.stringify({ ...stream, [key]: garbage }))).toBeNull();
      }
    }
  });
  it("announce pictures without a codec or a zero of time", () => {
    const announced = { type: "stream", mode: "transcoded", stream: "main", width: 640, height: 360, fps: 12, reason: "codec" };
    expect(parseMessage(JSON.stringify(announced))).toEqual({ ...announced, mime: "image/jpeg", utcZero: 0, cause: null, level: null, quality: null, codec: null, sound: null });
    const less = { ...announced, reason: "bandwidth", cause: "codec", level: 2, quality: 45, codec: "h265" };
    expect(parseMessage(JSON.stringify(less))).toMatchObject({ reason: "bandwidth", cause: "codec", level: 2, quality: 45, codec: "h265" });
    const sound = { mime: 'audio/mp4; codecs="mp4a.40.2"', utc_zero: 90_000 };
    expect(parseMessage(JSON.stringify({ ...less, sound }))).toMatchObject({ sound: { mime: sound.mime, utcZero: 90_000 } });
    for (const garbage of [7, "", [], {}, { ...sound, mime: 1 }, { ...sound, utc_zero: -1 }, { mime: sound.mime }]) {
      expect(parseMessage(JSON.stringify({ ...less, sound: garbage }))).toMatchObject({ sound: null });
    }
    expect(parseMessage(JSON.stringify({ ...announced, stream: 7 }))).toBeNull();
    expect(parseMessage(JSON.stringify({ ...announced, mode: "direct" }))).toBeNull();
  });
  it("tell how the network is", () => {
    const told = { type: "network", arrives_kbps: 280.5, carries_kbps: null, round_trip_ms: 41, resent: 0.02, step: 3, steps: 14, level: 1 };
    expect(parseMessage(JSON.stringify(told))).toEqual({
      type: "network", arrivesKbps: 280.5, carriesKbps: null, roundTripMs: 41, resent: 0.02, step: 3, steps: 14, level: 1,
    });
    expect(parseMessage('{"type":"network","arrives_kbps":"much","step":-1}')).toMatchObject({ arrivesKbps: null, step: 0, steps: 1, level: null });
  });
  it("say which codecs a stream has", () => {
    expect(families('video/mp4; codecs="avc1.64001f, mp4a.40.2"')).toBe("avc1+mp4a");
    expect(families('video/mp4; codecs="avc1.640028"')).toBe("avc1");
    expect(families("video/mp4")).toBe("");
    expect(hasSound('video/mp4; codecs="avc1.64001f, mp4a.40.2"')).toBe(true);
    expect(hasSound('video/mp4; codecs="avc1.64001f"')).toBe(false);
  });
});

describe("the list of cameras", () => {
  const list = (): Camera[] => readCameras({ cameras: [raw, { ...raw, id: "b", name: "Quai éclairé" }] }) ?? [];
  it("is read in the server's order", () => {
    expect(list().map((c) => c.id)).toEqual([raw.id, "b"]);
    expect(list()[0]).toMatchObject({ health: "ok", name: "Front gate" });
    expect(bestStream(list()[0]!)?.name).toBe("main");
    expect(mayListen(list()[0]!)).toBe(true);
    expect(mayListen({ ...list()[0]!, audio: false })).toBe(false);
  });
  it("survives anything in the place of anything", () => {
    for (const garbage of GARBAGE) {
      expect(() => readCameras(garbage)).not.toThrow();
      expect(() => readCameras({ cameras: garbage })).not.toThrow();
      expect(() => readCameras({ cameras: [garbage] })).not.toThrow();
      for (const key of Object.keys(raw)) expect(() => readCamera({ ...raw, [key]: garbage })).not.toThrow();
      for (const event of ["camera_added", "camera_removed", "camera_state", "camera_changed", "else"]) {
        expect(() => applyEvent(list(), event, garbage)).not.toThrow();
      }
    }
    expect(readCameras({ cameras: [raw, raw] })).toHaveLength(1);
  });
  it("follows the events", () => {
    const before = list();
    const added = applyEvent(before, "camera_added", { ...raw, id: "c", name: "Roof" });
    expect(added.map((c) => c.id)).toEqual([raw.id, "b", "c"]);
    const renamed = applyEvent(added, "camera_changed", { ...raw, name: "Gate" });
    expect(renamed[0]!.name).toBe("Gate");
    const lost = applyEvent(renamed, "camera_state", { id: "b", state: "lost", reason: "timeout", since: "2026-03-12T14:01:00Z" });
    expect(lost[1]).toMatchObject({ health: "lost", reason: "timeout" });
    expect(applyEvent(lost, "camera_removed", { id: "b" }).map((c) => c.id)).toEqual([raw.id, "c"]);
    expect(applyEvent(lost, "camera_removed", { id: "nobody" })).toBe(lost);
    const leaving = { ...raw, remove_at: "2026-03-12T14:02:00Z" };
    expect(applyEvent(lost, "camera_changed", leaving).map((c) => c.id)).toEqual(["b", "c"]);
    expect(applyEvent(applyEvent(lost, "camera_changed", leaving), "camera_changed", { ...raw, remove_at: null })).toHaveLength(3);
    expect(readCameras({ cameras: [leaving] })).toEqual([]);
  });
  it("is searched whatever the accents and capitals, names first", () => {
    expect(findCameras(list(), "ECLAIRE", "fr").map((c) => c.id)).toEqual(["b"]);
    expect(findCameras(list(), "harbour gate", "en").map((c) => c.id)).toEqual([raw.id]);
    expect(findCameras(list(), "harb", "en")).toHaveLength(2);
    expect(findCameras(list(), "nothing", "en")).toEqual([]);
    expect(findCameras(list(), "", "en")).toHaveLength(2);
  });
  it("gives snapshots names that every file system takes", () => {
    const at = Date.UTC(2026, 2, 12, 13, 3, 27);
    const named = (name: string): string => snapshotName(name, at, new Zone("Europe/Paris"));
    expect(named("Front gate")).toBe("Front_gate_2026-03-12_14-03-27.jpg");
    expect(named("../../etc/passwd")).toBe("etc_passwd_2026-03-12_14-03-27.jpg");
    expect(named("<script>")).toBe("script_2026-03-12_14-03-27.jpg");
    expect(named("///")).toBe("camera_2026-03-12_14-03-27.jpg");
    expect(named("Été")).toBe("Été_2026-03-12_14-03-27.jpg");
    expect(snapshotName("Gate", at, new Zone("Asia/Tokyo"))).toBe("Gate_2026-03-12_22-03-27.jpg");
  });
});

function buffer(bytes: number[]): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

const init = buffer([
  ...box("ftyp", ascii("iso5"), u32(0)),
  ...box(
    "moov",
    box("mvhd", u32(0, 0, 0, 1000, 0)),
    box("trak", box("tkhd", u32(0, 0, 0, 1, 0, 0)), box("mdia", box("mdhd", u32(0, 0, 0, 90000, 0)), box("hdlr", u32(0, 0), ascii("vide")))),
    box("trak", box("tkhd", u32(0x01000000, 0, 0, 0, 0, 2, 0)), box("mdia", box("mdhd", u32(0x01000000, 0, 0, 0, 0, 48000, 0)), box("hdlr", u32(0, 0), ascii("soun")))),
  ),
]);
const key = (flags: number): ArrayBuffer =>
  buffer([
    ...box("moof", box("mfhd", u32(0, 1)), box("traf", box("tfhd", u32(0x020000, 1)), box("tfdt", u32(0x01000000, 1, 5)), box("trun", u32(0x01000f01, 1, 0, 3600, 100, flags, 0)))),
    ...box("mdat", [1, 2, 3]),
  ]);

describe("fMP4", () => {
  it("tells an init segment from a fragment", () => {
    expect([kindOf(init), kindOf(key(0)), kindOf(buffer([1, 2])), kindOf(buffer(ascii("....jpeg....")))]).toEqual(["init", "fragment", "unknown", "unknown"]);
  });
  it("reads the tracks", () => {
    expect(readInit(init)).toEqual([{ id: 1, video: true, timescale: 90000 }, { id: 2, video: false, timescale: 48000 }]);
  });
  it("reads a fragment's time, and whether decoding can start there", () => {
    expect(readFragment(key(0x02000000))).toEqual([{ track: 1, decodeTime: 2 ** 32 + 5, duration: 3600, samples: 1, sync: true }]);
    expect(readFragment(key(0x01010000))?.[0]?.sync).toBe(false);
  });
  it("answers null to anything cut short or damaged, and never throws", () => {
    for (const whole of [init, key(0)]) {
      const bytes = new Uint8Array(whole);
      for (let n = 0; n < bytes.length; n++) {
        const cut = bytes.slice(0, n).buffer;
        readInit(cut);
        readFragment(cut);
        kindOf(cut);
        for (const value of [0, 1, 7, 255]) {
          const hurt = bytes.slice();
          hurt[n] = value;
          readInit(hurt.buffer);
          readFragment(hurt.buffer);
        }
      }
    }
    expect(readInit(key(0))).toBeNull();
    expect(readFragment(init)).toBeNull();
    // a trun that claims four thousand million samples
    const greedy = new Uint8Array(key(0));
    const at = greedy.findIndex((_, i) => String.fromCharCode(...greedy.slice(i, i + 4)) === "trun");
    greedy.set([255, 255, 255, 255], at + 8);
    expect(readFragment(greedy.buffer)).toBeNull();
  });
});
