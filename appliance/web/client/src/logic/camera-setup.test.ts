import { describe, expect, it } from "vitest";
import { addressFault, freeName, hostOf, placeOf, readAddress } from "./camera-address";
import { failedStage, pictureAfterMs, readAdminCameras, readTest, stagesOf, type TestStep } from "./camera-admin";
import { fingerprintLines, isFingerprint, readFingerprint, showFingerprint, splitOptions } from "./camera-options";
import { changeBody, changedFields, draftOf, EMPTY, faultsOf, leavesHost, newBody, testBody, testKey, tidied, unpinned, type Draft } from "./camera-draft";
import { USUAL, usualAddresses } from "./usual-addresses";

describe("a typed address", () => {
  it("gets its scheme, and gives away user and password", () => {
    expect(readAddress(" 192.168.1.21/main ")).toEqual({ url: "rtsp://192.168.1.21/main", username: null, password: null });
    expect(readAddress("rtsp://h:8554/a@b?c=d#e")).toEqual({ url: "rtsp://h:8554/a@b?c=d#e", username: null, password: null });
    expect(readAddress("RTSP://u:p%40ss@h/x")).toEqual({ url: "RTSP://h/x", username: "u", password: "p@ss" });
    expect(readAddress("rtsp://u@h")).toEqual({ url: "rtsp://h", username: "u", password: null });
    expect(readAddress("rtsp://a@b:p@h/x")).toEqual({ url: "rtsp://h/x", username: "a@b", password: "p" });
    expect(readAddress("rtsp://u:100%@h/")).toMatchObject({ password: "100%" });
    expect(readAddress("[2001:db8::1]:554/x").url).toBe("rtsp://[2001:db8::1]:554/x");
    expect([readAddress("  ").url, readAddress("demo:main").url, readAddress("file:/x.mp4").url, addressFault("demo:main")]).toEqual(["", "demo:main", "file:/x.mp4", "scheme"]);
  });
  it("is told what is plainly wrong with it", () => {
    expect(["", "ftp://h/x", "rtsp:///x", "rtsp://h/user=a&password=•••", "rtsp://h/x", "rtsps://h"].map(addressFault)).toEqual([
      "empty", "scheme", "host", "hidden", null, null,
    ]);
  });
  it("names a place", () => {
    expect(["http://h/jpg#fps=5", "HTTPS://h"].map(addressFault)).toEqual([null, null]);
    expect(placeOf("rtsp://u:p@H.local:8554/x")).toBe("H.local:8554");
    expect([hostOf("rtsp://H.local:8554/x"), hostOf("rtsp://[::1]:5/x"), hostOf("nonsense")]).toEqual(["h.local", "[::1]", ""]);
  });
  it("gives a name that nobody has", () => {
    expect(freeName("Gate", ["Yard"])).toBe("Gate");
    expect(freeName("gate", ["Gate", "GATE 2"])).toBe("gate 3");
  });
});

const STEPS: TestStep[] = [
  { name: "connect", ok: true, text: "h:554", ms: 3 },
  { name: "OPTIONS", ok: true, text: "", ms: 2 },
  { name: "DESCRIBE", ok: true, text: "", ms: 5 },
  { name: "SETUP", ok: true, text: "", ms: 4 },
  { name: "PLAY", ok: true, text: "", ms: 6 },
  { name: "picture", ok: true, text: "", ms: 380 },
];

describe("the usual addresses", () => {
  it("are at the host that was typed, whatever stood behind it", () => {
    const [axis] = USUAL;
    expect(usualAddresses("u:p@192.168.1.21:8554/x", axis!)).toEqual({
      url: "rtsp://192.168.1.21:8554/axis-media/media.amp",
      sub: "rtsp://192.168.1.21:8554/axis-media/media.amp?resolution=640x360",
    });
    expect(usualAddresses("", axis!)).toBeNull();
    for (const usual of USUAL) expect([addressFault(`rtsp://h${usual.main}`), addressFault(`rtsp://h${usual.sub}`)]).toEqual([null, null]);
  });
});

describe("the answer of a test", () => {
  it("is read with care", () => {
    const answer = {
      ok: true, name: "Front", host: "h", picture: { jpeg: "/9j/4A==", width: 1, height: 1 },
      streams: [{ name: "main", url: "rtsp://h/", ok: true, code: null, steps: [{ name: "connect", ok: true, text: "h:554", ms: 3 }], codec: "h264", width: 1280, height: 720, fps: 25, gop_s: 2, audio: { codec: "aac" }, notes: ["a", 5] }, { name: "sub", fingerprint: "5F:0C" }],
    };
    const read = readTest(answer);
    expect(read?.picture).toBe("data:image/jpeg;base64,/9j/4A==");
    expect(read?.streams[0]).toMatchObject({ codec: "h264", gopS: 2, audio: "aac", notes: ["a"], message: "", kbps: null, fingerprint: null });
    expect(read?.streams[1]?.fingerprint).toBe("5F:0C");
    expect(readTest({ ...answer, picture: { jpeg: '"><script>' } })?.picture).toBeNull();
    for (const nothing of [null, [], {}, { streams: [] }, { streams: [5] }]) expect(readTest(nothing)).toBeNull();
  });
  it("is told in stages", () => {
    expect(stagesOf(STEPS)).toEqual([
      { stage: "connect", ok: true, ms: 3 }, { stage: "speak", ok: true, ms: 2 }, { stage: "find", ok: true, ms: 5 },
      { stage: "start", ok: true, ms: 10 }, { stage: "picture", ok: true, ms: 380 },
    ]);
    const step = (name: string, ok: boolean): TestStep => ({ name, ok, text: "", ms: 1 });
    expect(failedStage([step("connect", true), step("DESCRIBE", false)])).toBe("find");
    expect(failedStage([step("picture", true), step("measure", false)])).toBe("picture");
    expect(failedStage([step("connect", true), step("GET", false)])).toBe("find");
    expect(failedStage([])).toBe("connect");
    expect(stagesOf([step("unheard of", false)])).toEqual([]);
    expect(pictureAfterMs([...STEPS, { name: "measure", ok: true, text: "", ms: 2000 }])).toBe(400);
  });
  it("brings the server's advice", () => {
    const advice = [{ about: "gop", measured: 2, at_least: true }, { about: "rate", measured: 8 }, { about: "weather", measured: 1 }, { about: "gop" }, 5];
    const stream = readTest({ streams: [{ name: "main", ok: true, advice }] })!.streams[0]!;
    expect(stream.advice).toEqual([{ about: "gop", measured: 2, atLeast: true }, { about: "rate", measured: 8, atLeast: false }]);
    expect(readTest({ streams: [{ name: "main", ok: true, advice: "none" }] })!.streams[0]!.advice).toEqual([]);
  });
});

describe("cameras as an administrator has them", () => {
  it("need an id, a name and a stream", () => {
    const stream = { name: "main", url: "rtsp://h/", username: "u", has_password: true };
    const read = readAdminCameras({ cameras: [{ id: "1", name: "Gate", streams: [stream] }, { id: "2", name: "None", streams: [] }, 5] });
    expect(read?.map((c) => c.name)).toEqual(["Gate"]);
    expect(read?.[0]?.streams[0]).toMatchObject({ username: "u", hasPassword: true, codec: null });
    expect(readAdminCameras({})).toBeNull();
  });
});

const GATE = readAdminCameras({
  cameras: [{ id: "1", name: "Gate", streams: [{ name: "main", url: "rtsp://h/user=a&password=•••", username: "u", has_password: true }] }],
})![0]!;

describe("what was typed about a camera", () => {
  const saved = draftOf(GATE);
  const draft = (more: Partial<Draft>): Draft => ({ ...saved, ...more });
  it("is tidied: addresses whole, credentials where they belong", () => {
    expect(tidied({ ...EMPTY, name: "  Front   gate ", url: "u:p@h/x", sub: "h/sub" })).toEqual({
      ...EMPTY, name: "Front gate", url: "rtsp://h/x", sub: "rtsp://h/sub", username: "u", password: "p",
    });
    expect(tidied({ ...EMPTY, url: "u@h", password: "typed" })).toMatchObject({ username: "u", password: "typed" });
    expect(tidied({ ...EMPTY, url: "h", sub: "rtsp://v:w@h/sub" }).sub).toBe("rtsp://v:w@h/sub");
    expect(testKey(tidied(draft({ name: "other" })))).toBe(testKey(saved));
  });
  it("is sent as far as it differs, and a password only if one was typed", () => {
    expect(changedFields(saved, saved)).toEqual([]);
    expect(changeBody(draft({ name: "Yard", sub: "rtsp://h/sub" }), saved)).toEqual({ name: "Yard", sub: "rtsp://h/sub" });
    expect(changeBody(draft({ password: "p" }), saved)).toEqual({ password: "p" });
    expect(newBody({ ...EMPTY, name: "n", url: "rtsp://h" })).toEqual({ name: "n", url: "rtsp://h" });
    expect(testBody({ ...EMPTY, name: "n", url: "rtsp://h", username: "u", password: "p" }, null, null)).toEqual({ url: "rtsp://h", username: "u", password: "p" });
    expect(testBody(draft({ name: "Yard" }), saved, "1")).toEqual({ camera: "1" });
    expect(testBody(draft({ url: "rtsp://h/y" }), saved, "1")).toEqual({ camera: "1", url: "rtsp://h/y" });
  });
  it("leaves the kept password behind with the host", () => {
    expect(leavesHost(draft({ url: "rtsp://H:8554/other" }), saved)).toBe(false);
    expect(leavesHost(draft({ url: "elsewhere/x" }), saved)).toBe(true);
    expect(leavesHost(draft({ url: "" }), saved)).toBe(false);
    expect(changeBody(draft({ url: "rtsp://elsewhere/x" }), saved)).toEqual({ url: "rtsp://elsewhere/x", username: "u" });
  });
  it("is looked at where it was touched: a hidden part that stays is no fault", () => {
    expect(faultsOf(saved, saved, true)).toEqual({});
    expect(faultsOf(draft({ url: "rtsp://h/user=b&password=•••" }), saved, true)).toEqual({ url: "hidden" });
    expect(faultsOf(draft({ name: "", sub: "ftp://h" }), saved, true)).toEqual({ name: "empty", sub: "scheme" });
    expect(faultsOf(EMPTY, null, false)).toEqual({ url: "empty" });
  });
});

const DIGITS = "0f".repeat(32);
const SHOWN = Array(32).fill("0F").join(":");

describe("how a camera is reached", () => {
  const RTSPS = draftOf(
    readAdminCameras({ cameras: [{ id: "1", name: "Gate", streams: ["main", "sub"].map((name) => ({ name, url: `rtsps://h/${name}#transport=http&fingerprint=${DIGITS}` })) }] })![0]!,
  );
  const saved = tidied(RTSPS);
  it("is read out of an address as the server reads it", () => {
    expect(splitOptions("rtsp://h/x#transport=UDP")).toEqual({ url: "rtsp://h/x", transport: "udp", fingerprint: null });
    expect(splitOptions(`rtsps://h/x#fingerprint=${DIGITS}&transport=tcp`)).toEqual({ url: "rtsps://h/x", transport: "tcp", fingerprint: DIGITS });
    // what is a part of the path, or says nothing known, stays
    for (const url of ["rtsp://h/x", "rtsp://h/a#b", "rtsp://h/x#", "rtsp://h/x#transport", "rtsp://h/x#transport=pigeon", "rtsp://h/x#transport=udp&a=b"]) {
      expect(splitOptions(url)).toEqual({ url, transport: null, fingerprint: null });
    }
  });
  it("is over HTTP by its address alone, with a certificate like any", () => {
    expect(splitOptions(`https://h/x#fps=5&fingerprint=${DIGITS}`)).toEqual({ url: "https://h/x#fps=5", transport: null, fingerprint: DIGITS });
    for (const url of ["http://h/x#fps=5", "http://h/x#transport=udp"]) expect(splitOptions(url)).toEqual({ url, transport: null, fingerprint: null });
    const draft = tidied({ ...EMPTY, url: `https://h/x#fps=5&fingerprint=${DIGITS}`, transport: "udp" });
    expect(draft).toMatchObject({ url: "https://h/x#fps=5", transport: "auto", fingerprint: DIGITS });
    expect(faultsOf(draft, null, false)).toEqual({});
    expect(tidied({ ...draft, url: "http://h/x" }).fingerprint).toBe("");
  });
  it("has a fingerprint as people copy it", () => {
    for (const typed of [DIGITS, SHOWN, ` SHA256:${SHOWN} `, fingerprintLines(DIGITS).join("\n")]) expect(readFingerprint(typed)).toBe(DIGITS);
    expect(showFingerprint(DIGITS)).toBe(SHOWN);
    expect(fingerprintLines(SHOWN)).toHaveLength(4);
    expect([readFingerprint(" 12:34 "), showFingerprint("12:34"), isFingerprint("12:34")]).toEqual(["12:34", "12:34", false]);
  });
  it("stands in fields of its own, and not in the addresses", () => {
    expect(saved).toEqual({ ...EMPTY, name: "Gate", url: "rtsps://h/main", sub: "rtsps://h/sub", transport: "http", fingerprint: DIGITS });
    expect(tidied(saved)).toEqual(saved);
    expect(tidied({ ...EMPTY, url: "h/x#transport=tcp" })).toMatchObject({ url: "rtsp://h/x", transport: "tcp" });
    // a smaller stream that is reached otherwise, or is another host's, keeps what it has
    expect(tidied({ ...EMPTY, url: "h/x", sub: "h/y#transport=udp" }).sub).toBe("rtsp://h/y#transport=udp");
    expect(tidied({ ...EMPTY, url: "h/x#transport=udp", sub: "other/y#transport=udp" }).sub).toBe("rtsp://other/y#transport=udp");
  });
  it("is sent where it differs, and again with each new address", () => {
    expect(changeBody({ ...saved, transport: "auto" }, saved)).toEqual({ transport: "auto" });
    expect(changeBody({ ...saved, fingerprint: "" }, saved)).toEqual({ fingerprint: "" });
    expect(changeBody({ ...saved, url: "rtsps://h/other" }, saved)).toEqual({ url: "rtsps://h/other", transport: "http", fingerprint: DIGITS });
    expect(newBody({ ...EMPTY, name: "n", url: "rtsp://h", transport: "udp" })).toEqual({ name: "n", url: "rtsp://h", transport: "udp" });
    expect(testBody({ ...saved, transport: "tcp" }, saved, "1")).toEqual({ camera: "1", transport: "tcp" });
    expect(testKey({ ...saved, transport: "tcp" })).not.toBe(testKey(saved));
    expect(testKey({ ...saved, fingerprint: "" })).not.toBe(testKey(saved));
  });
  it("pins a certificate of that host alone, and of an encrypted connection", () => {
    expect(unpinned({ ...saved, url: "rtsps://other/main" }, saved).fingerprint).toBe("");
    const typed = { ...saved, url: "rtsps://other/main", fingerprint: "1".repeat(64) };
    expect([unpinned(typed, saved), unpinned(saved, saved), unpinned(saved, null)]).toEqual([typed, saved, saved]);
    expect(tidied({ ...saved, url: "rtsp://h/main" }).fingerprint).toBe("");
  });
  it("is told what is wrong with it", () => {
    expect(faultsOf({ ...saved, transport: "udp" }, saved, true)).toEqual({ transport: "udp" });
    expect(faultsOf({ ...saved, fingerprint: "12:34" }, saved, true)).toEqual({ fingerprint: "fingerprint" });
    expect(faultsOf({ ...EMPTY, url: "rtsp://h/x", transport: "udp" }, null, false)).toEqual({});
  });
});
