// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LivePlayer, type PlayerDeps } from "./live-player";
import { FakePictures, FakePipeline, FakeSound, FakeWebSocket, FRAGMENT, INIT, picture, stream, transcoded } from "./testing";

const SOUND = 'video/mp4; codecs="avc1.64001f, mp4a.40.2"';
let refused: string[];

function player(supported: (mime: string) => boolean = () => true, more: Partial<PlayerDeps> = {}): LivePlayer {
  return new LivePlayer("camera", {
    url: "ws://here/live",
    codecs: ["avc1.640028"],
    direct: true,
    supported,
    createPictures: (events) => new FakePictures(events),
    createPipeline: (events, prepared) => new FakePipeline(events, prepared),
    prepareVideo: () => document.createElement("video"),
    createSound: (events, prepared) => new FakeSound(events, prepared),
    prepareSound: () => document.createElement("audio"),
    epoch: () => 1_700_000_000,
    requestPump: () => undefined,
    refused: (why) => refused.push(why),
    random: () => 0.5,
    ...more,
  });
}

/** A player that is on the screen and connected. */
function watching(): LivePlayer {
  const p = player();
  p.setSize(640, 368);
  p.setVisible(true);
  FakeWebSocket.last.accept();
  return p;
}

/** … and shows a picture. */
function live(mime?: string): LivePlayer {
  const p = watching();
  FakeWebSocket.last.say(stream(mime === undefined ? {} : { mime }));
  FakeWebSocket.last.give(INIT);
  FakeWebSocket.last.give(FRAGMENT);
  FakePipeline.all.at(-1)?.show();
  p.control(performance.now());
  return p;
}

/** What was played, in order: a tap plays an element for video and one for sound beside pictures. */
const played = (): unknown[] => (HTMLMediaElement.prototype.play as unknown as { mock: { contexts: unknown[] } }).mock.contexts;
const wants = (): Record<string, unknown>[] => FakeWebSocket.last.sent.filter((m) => m["type"] === "want");

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_800_000_000_000);
  FakeWebSocket.all = [];
  FakePipeline.all = [];
  FakePictures.all = [];
  FakeSound.all = [];
  refused = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue(undefined);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("what it asks for", () => {
  it("is the first message, with size and codecs", () => {
    watching();
    expect(FakeWebSocket.last.sent).toEqual([
      { type: "want", width: 640, height: 368, fps: 30, mode: "auto", zoom: false, codecs: ["avc1.640028"], audio: false, paused: false },
    ]);
  });

  it("waits for the size when the socket is faster", () => {
    const p = player();
    p.setVisible(true);
    FakeWebSocket.last.accept();
    expect(FakeWebSocket.last.sent).toEqual([]);
    p.setSize(320, 192);
    expect(wants()).toHaveLength(1);
  });

  it("follows the size after 150 ms of rest, and only when it changes noticeably", () => {
    const p = watching();
    for (let width = 640; width <= 1280; width += 64) {
      p.setSize(width, 720);
      vi.advanceTimersByTime(100);
    }
    expect(wants()).toHaveLength(1);
    vi.advanceTimersByTime(150);
    expect(wants().at(-1)).toMatchObject({ width: 1280, height: 720 });
    p.setSize(1344, 752);
    vi.advanceTimersByTime(1000);
    expect(wants()).toHaveLength(2);
  });

  it("is said again on every connection", () => {
    live();
    FakeWebSocket.last.end(1001);
    vi.advanceTimersByTime(1000);
    FakeWebSocket.last.accept();
    expect(wants()).toHaveLength(1);
  });

  it("pauses a hidden picture after a second, not at once", () => {
    const p = live();
    p.setVisible(false);
    vi.advanceTimersByTime(900);
    p.setVisible(true);
    vi.advanceTimersByTime(5000);
    expect(wants()).toHaveLength(1);
    p.setVisible(false);
    vi.advanceTimersByTime(1000);
    expect(wants().at(-1)).toMatchObject({ paused: true });
    expect(p.view.get().phase).toBe("paused");
    p.setVisible(true);
    expect(wants().at(-1)).toMatchObject({ paused: false });
    expect(p.view.get().phase).toBe("live");
  });

  it("closes the socket of a picture hidden for a minute, keeps it, and connects at once on return", () => {
    const p = live();
    p.setVisible(false);
    vi.advanceTimersByTime(60_000);
    expect(FakeWebSocket.last.readyState).toBe(FakeWebSocket.CLOSED);
    expect(FakePipeline.all[0]?.disposed).toBe(false);
    p.setVisible(true);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.accept();
    expect(wants().at(-1)).toMatchObject({ paused: false });
  });

  it("asks how the network is only while somebody reads it", () => {
    const p = live();
    p.askNetwork(true);
    p.sendStats();
    expect(FakeWebSocket.last.sent.at(-1)).toEqual({ type: "stats", buffer_s: 0.3, dropped: 0, tell: true });
    FakeWebSocket.last.say({ type: "network", arrives_kbps: 300, round_trip_ms: 40, step: 2, steps: 9, level: 1 });
    expect(p.figures(performance.now()).network).toMatchObject({ arrivesKbps: 300, carriesKbps: null, step: 2 });
    p.askNetwork(false);
    expect(p.figures(performance.now()).network).toBeNull();
    p.sendStats();
    expect(FakeWebSocket.last.sent.at(-1)).not.toHaveProperty("tell");
  });

  it("tells its state once a second, but not while paused", () => {
    const p = live();
    FakeWebSocket.last.say({ type: "dropped", seconds: 1 });
    p.sendStats();
    p.sendStats();
    expect(FakeWebSocket.last.sent.slice(-2)).toEqual([
      { type: "stats", buffer_s: 0.3, dropped: 0 }, // what the server told is no news to it
      { type: "stats", buffer_s: 0.3, dropped: 0 },
    ]);
    p.setVisible(false);
    vi.advanceTimersByTime(1000);
    const count = FakeWebSocket.last.sent.length;
    p.sendStats();
    expect(FakeWebSocket.last.sent.length).toBe(count);
  });
});

describe("streams", () => {
  it("of one codec go into the same pipeline", () => {
    live();
    FakeWebSocket.last.say(stream({ stream: "sub", mime: 'video/mp4; codecs="avc1.4d401e"' }));
    FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(FRAGMENT);
    expect(FakePipeline.all).toHaveLength(1);
    expect(FakePipeline.all[0]?.started.map((s) => s.stream)).toEqual(["main", "sub"]);
    expect(FakePipeline.all[0]?.fragments).toBe(2);
  });

  it("with other tracks are filled into a second one, which takes over at its first picture", () => {
    const p = live();
    p.setAudio(true);
    expect(wants().at(-1)).toMatchObject({ audio: true });
    FakeWebSocket.last.say(stream({ mime: SOUND }));
    FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(FRAGMENT);
    const [first, second] = FakePipeline.all;
    expect([first?.disposed, first?.fragments, second?.fragments]).toEqual([false, 1, 1]);
    // behind the picture shown until it has one of its own
    expect([...p.element.children].indexOf(second!.element)).toBeLessThan([...p.element.children].indexOf(first!.element));
    second?.show();
    expect(first?.disposed).toBe(true);
    expect(p.element.contains(second!.element)).toBe(true);
  });

  it("are silent unless sound was asked for, and the element played in the tap is the one that sounds", () => {
    const p = live();
    p.setAudio(true);
    const [prepared] = played().slice(-2);
    FakeWebSocket.last.say(stream({ mime: SOUND }));
    FakeWebSocket.last.give(INIT);
    expect(FakePipeline.all[1]?.element).toBe(prepared);
    expect(FakePipeline.all[1]?.muted).toBe(false);
    p.setAudio(false);
    expect(FakePipeline.all[1]?.muted).toBe(true);
    expect(wants().at(-1)).toMatchObject({ audio: false });
    // somebody thinks again before another stream has come
    p.setAudio(true);
    expect(FakePipeline.all[1]?.muted).toBe(false);
  });

  it("that this browser cannot play are named, and nothing is fed to it", () => {
    const p = player((mime) => !mime.includes("hvc1"));
    p.setSize(640, 368);
    p.setVisible(true);
    FakeWebSocket.last.accept();
    FakeWebSocket.last.say(stream({ mime: 'video/mp4; codecs="hvc1.1.6.L120.90"' }));
    FakeWebSocket.last.give(INIT);
    expect(p.view.get().phase).toBe("unsupported");
    expect(FakePipeline.all).toHaveLength(0);
  });

  it("are not mixed with fragments that come before their header", () => {
    live();
    FakeWebSocket.last.give(FRAGMENT);
    FakeWebSocket.last.say(stream({ stream: "sub" }));
    FakeWebSocket.last.give(FRAGMENT);
    expect(FakePipeline.all[0]?.fragments).toBe(2);
  });
});

describe("transcoded pictures", () => {
  /** A player that shows one. */
  function pictures(): LivePlayer {
    const p = watching();
    FakeWebSocket.last.say(transcoded());
    FakeWebSocket.last.give(picture());
    FakePictures.all.at(-1)?.show();
    p.control(performance.now());
    return p;
  }

  it("are shown, with figures and the time of their own", () => {
    const p = pictures();
    expect(p.view.get()).toMatchObject({ phase: "live", stream: { mode: "transcoded", reason: "codec" } });
    expect(p.element.contains(FakePictures.all[0]!.element)).toBe(true);
    expect(p.figures(performance.now())).toMatchObject({ width: 640, height: 360, behind: 0, delay: 0.2, pictureUtc: 1_800_000_000_000 });
    expect(FakePipeline.all).toHaveLength(0);
  });

  it("are the file of a snapshot as they came", async () => {
    const p = pictures();
    expect(new Uint8Array(await p.jpeg!.arrayBuffer())).toEqual(new Uint8Array([0xff, 0xd8, 0xff, 0xe0]));
    expect(live().jpeg).toBeNull();
  });

  it("of another size go on the same canvas", () => {
    pictures();
    FakeWebSocket.last.say(transcoded({ width: 1280, height: 720 }));
    FakeWebSocket.last.give(picture());
    expect(FakePictures.all).toHaveLength(1);
    expect(FakePictures.all[0]?.pushed).toHaveLength(2);
  });

  it("take over from video at their first, and video from them: the picture shown stays until then", () => {
    const p = live();
    const video = FakePipeline.all[0]!;
    FakeWebSocket.last.say(transcoded({ reason: "camera_lost" }));
    expect(video.disposed).toBe(false);
    FakeWebSocket.last.give(picture());
    const canvas = FakePictures.all[0]!;
    expect([video.disposed, [...p.element.children].indexOf(canvas.element)]).toEqual([false, 0]);
    canvas.show();
    expect(video.disposed).toBe(true);

    FakeWebSocket.last.say(stream());
    FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(FRAGMENT);
    const next = FakePipeline.all[1]!;
    expect([canvas.disposed, next.fragments, [...p.element.children].indexOf(next.element)]).toEqual([false, 1, 0]);
    next.show();
    expect(canvas.disposed).toBe(true);
    expect(p.element.querySelectorAll("canvas.pictures")).toHaveLength(0);
  });

  it("that never came leave the video where it was", () => {
    live();
    FakeWebSocket.last.say(transcoded());
    FakeWebSocket.last.give(picture());
    FakeWebSocket.last.say(stream());
    FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(FRAGMENT);
    expect(FakePictures.all[0]?.disposed).toBe(true);
    expect(FakePipeline.all).toHaveLength(1);
    expect(FakePipeline.all[0]).toMatchObject({ disposed: false, fragments: 2 });
  });

  it("tell how many were left out, and hold no buffer", () => {
    const p = pictures();
    FakePictures.all[0]!.replaced = 3;
    p.sendStats();
    p.sendStats();
    expect(FakeWebSocket.last.sent.slice(-2)).toEqual([
      { type: "stats", buffer_s: 0, dropped: 3 },
      { type: "stats", buffer_s: 0, dropped: 0 },
    ]);
  });

  it("are asked for by itself where the browser plays no video at all", () => {
    const p = player(() => false, { direct: false, codecs: [] });
    p.setSize(640, 368);
    p.setVisible(true);
    FakeWebSocket.last.accept();
    expect(wants()).toMatchObject([{ mode: "transcoded", codecs: [] }]);
    expect(p.view.get().own).toBe("no_media");
  });

  it("that seldom come are not taken for none", () => {
    const p = watching();
    FakeWebSocket.last.say(transcoded({ fps: 0.5 }));
    FakeWebSocket.last.give(picture());
    FakePictures.all[0]?.show();
    vi.advanceTimersByTime(4500);
    p.control(performance.now());
    expect(p.view.get().phase).toBe("live");
    vi.advanceTimersByTime(1000);
    p.control(performance.now());
    expect(p.view.get().phase).toBe("waiting");
  });

  it("are forgotten when the right is taken", () => {
    const p = pictures();
    FakeWebSocket.last.end(4403);
    expect(FakePictures.all[0]?.disposed).toBe(true);
    expect(p.jpeg).toBeNull();
    expect(p.picture).toBeNull();
  });

  it("give way to video again when somebody asks for it", () => {
    const p = watching();
    for (let i = 0; i < 2; i++) {
      FakeWebSocket.last.say(stream());
      FakeWebSocket.last.give(INIT);
      FakePipeline.all.at(-1)?.events.failed("cannot decode", true);
      vi.advanceTimersByTime(2000);
      FakeWebSocket.last.accept();
    }
    expect(wants().at(-1)).toMatchObject({ mode: "transcoded" });
    p.tryDirect();
    expect(wants().at(-1)).toMatchObject({ mode: "auto", codecs: ["avc1.640028"] });
  });
});

describe("faults", () => {
  it("of the element start over within a second, with the last picture kept", () => {
    const p = live();
    FakePipeline.all[0]?.events.failed("broken", true);
    expect(FakePipeline.all[0]?.disposed).toBe(true);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.accept();
    FakeWebSocket.last.say(stream());
    FakeWebSocket.last.give(INIT);
    expect(FakePipeline.all).toHaveLength(2);
    FakePipeline.all[1]?.show();
    expect(p.view.get().phase).toBe("live");
  });

  it("of a codec that the browser promised and does not decode end in pictures being asked for, for a while", () => {
    const p = watching();
    for (let i = 0; i < 2; i++) {
      FakeWebSocket.last.say(stream());
      FakeWebSocket.last.give(INIT);
      FakePipeline.all.at(-1)?.events.failed("cannot decode", true);
      vi.advanceTimersByTime(2000);
      FakeWebSocket.last.accept();
    }
    expect(wants().at(-1)).toMatchObject({ mode: "transcoded", codecs: [] });
    expect(p.view.get().own).toBe("not_decoded");
    FakeWebSocket.last.say({ type: "status", state: "lost", reason: "unsupported_codec" });
    vi.advanceTimersByTime(60_000);
    FakeWebSocket.last.end(1001);
    vi.advanceTimersByTime(2000);
    FakeWebSocket.last.accept();
    expect(wants().at(-1)).toMatchObject({ mode: "auto", codecs: ["avc1.640028"] });
    expect(p.view.get().own).toBeNull();
  });

  it("of making an element at all end in pictures at once", () => {
    const p = player(() => true, {
      createPipeline: () => {
        throw new Error("no more decoders");
      },
    });
    p.setSize(640, 368);
    p.setVisible(true);
    FakeWebSocket.last.accept();
    FakeWebSocket.last.say(stream());
    FakeWebSocket.last.give(INIT);
    expect(wants().at(-1)).toMatchObject({ mode: "transcoded", codecs: [] });
    FakeWebSocket.last.say(transcoded({ reason: "requested" }));
    FakeWebSocket.last.give(picture());
    FakePictures.all[0]?.show();
    expect(p.view.get()).toMatchObject({ phase: "live", own: "not_decoded" });
  });

  it("of an element that was replaced meanwhile mean nothing", () => {
    const p = live();
    p.setAudio(true);
    FakeWebSocket.last.say(stream({ mime: SOUND }));
    FakeWebSocket.last.give(INIT);
    FakePipeline.all[1]?.show();
    FakePipeline.all[0]?.events.failed("late", true);
    expect(FakeWebSocket.all).toHaveLength(1);
  });

  it("of the connection are said after 2 s, and over when it is back", () => {
    const p = live();
    FakeWebSocket.last.end(1006);
    expect(p.view.get().phase).toBe("live");
    for (let i = 0; i < 12; i++) {
      vi.advanceTimersByTime(250);
      if (FakeWebSocket.last.readyState === FakeWebSocket.CONNECTING) FakeWebSocket.last.end(1006);
      p.control(performance.now());
    }
    expect(p.view.get().phase).toBe("offline");
    expect(p.figures(performance.now()).nextTryIn).toBeGreaterThan(0);
    p.retryNow();
    FakeWebSocket.last.accept();
    expect(p.view.get().phase).toBe("live");
  });

  it("of a connection that dies silently are noticed in 5 s", () => {
    const p = live();
    for (let i = 0; i < 19; i++) {
      vi.advanceTimersByTime(250);
      p.control(performance.now());
    }
    expect(FakeWebSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(500);
    p.control(performance.now());
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it("of the camera are the server's to tell: no reconnecting meanwhile", () => {
    const p = live();
    FakeWebSocket.last.say({ type: "status", state: "lost", reason: "timeout" });
    expect(p.view.get()).toMatchObject({ phase: "lost", reason: "timeout" });
    for (let i = 0; i < 80; i++) {
      vi.advanceTimersByTime(250);
      p.control(performance.now());
    }
    expect(FakeWebSocket.all).toHaveLength(1);
    expect(p.element.dataset["dim"]).toBe("lost");
    p.tryNow();
    expect(FakeWebSocket.last.sent.at(-1)).toEqual({ type: "retry" });
  });

  it("three within a minute mean that the connection is slow", () => {
    const p = live();
    for (let i = 0; i < 3; i++) FakeWebSocket.last.say({ type: "dropped", seconds: 0.4 });
    expect(p.view.get().slow).toBe(true);
    expect(p.figures(performance.now()).skipped).toBeCloseTo(1.2);
    vi.advanceTimersByTime(61_000);
    p.control(performance.now());
    expect(p.view.get().slow).toBe(false);
    expect(p.figures(performance.now()).skippedTotal).toBeCloseTo(1.2);
  });
});

describe("refusals", () => {
  it("take the picture at once: nothing stays in memory", () => {
    const p = live();
    FakeWebSocket.last.end(4403);
    expect(p.view.get()).toMatchObject({ phase: "denied", stream: null });
    expect(FakePipeline.all[0]?.disposed).toBe(true);
    expect(p.element.querySelector("video")).toBeNull();
    expect(p.figures(performance.now()).pictureUtc).toBeNull();
    expect(refused).toEqual(["denied"]);
    vi.advanceTimersByTime(60_000);
    expect(FakeWebSocket.all).toHaveLength(1);
    p.allow();
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it("of the session keep the picture until somebody signs in again", () => {
    const p = live();
    FakeWebSocket.last.end(4401);
    expect(refused).toEqual(["session"]);
    expect(FakePipeline.all[0]?.disposed).toBe(false);
    p.suspend();
    p.allow();
    FakeWebSocket.last.accept();
    expect(wants()).toHaveLength(1);
  });

  it("because of the cap are tried again later", () => {
    const p = watching();
    FakeWebSocket.last.end(4429);
    expect(p.view.get().phase).toBe("full");
    vi.advanceTimersByTime(15_000);
    FakeWebSocket.last.accept();
    expect(p.view.get().phase).toBe("connecting");
  });

  it("before the socket opened are asked about elsewhere: a browser does not say why", () => {
    const p = player();
    p.setSize(640, 368);
    p.setVisible(true);
    FakeWebSocket.last.end(1006);
    expect(refused).toEqual(["handshake"]);
  });

  it("of a removed camera end it", () => {
    const p = live();
    FakeWebSocket.last.end(4404);
    expect(p.view.get().phase).toBe("removed");
    expect(FakePipeline.all[0]?.disposed).toBe(true);
  });
});

describe("sound beside pictures", () => {
  const AAC = { mime: 'audio/mp4; codecs="mp4a.40.2"', utc_zero: 1_700_000_000 * 90_000 };
  const sound = (): FakeSound => FakeSound.all.at(-1)!;

  function begin(more: Record<string, unknown> = { sound: AAC }): void {
    FakeWebSocket.last.say(transcoded(more));
    if (more["sound"]) FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(picture());
    FakePictures.all.at(-1)?.show();
  }
  /** Pictures are shown, and sound is wanted. */
  function hearing(): LivePlayer {
    const p = watching();
    begin({ sound: null });
    p.setAudio(true);
    expect(wants().at(-1)).toMatchObject({ audio: true });
    begin();
    return p;
  }

  it("is played by an element of its own, and the pictures follow it", () => {
    const p = hearing();
    expect(FakeSound.all).toHaveLength(1);
    expect(sound().started).toEqual([{ mime: AAC.mime, utcZero: AAC.utc_zero }]);
    expect(p.element.contains(sound().element)).toBe(true);
    expect(sound().element).toBe(played().at(-1)); // in the tap
    expect(FakePictures.all).toHaveLength(1);
    FakeWebSocket.last.give(FRAGMENT);
    FakeWebSocket.last.give(picture());
    expect(sound().fragments).toBe(1);
    expect(FakePictures.all[0]?.pushed).toHaveLength(3);
    const { lead } = FakePictures.all[0]!;
    expect(lead?.utc).toBeNull();
    sound().utc = 1_800_000_000;
    expect(lead?.utc).toBe(1_800_000_000);
    lead?.came(5);
    expect(sound().lates).toEqual([5]);
    expect(p.view.get().sound).toBe(false);
    sound().play();
    expect(p.view.get().sound).toBe(true);
  });

  it("is silent at once when it is switched off, and its own element sounds when it is switched on again", () => {
    const p = hearing();
    sound().play();
    const first = sound().element;
    p.setAudio(false);
    expect(sound().disposed).toBe(true);
    expect(p.view.get().sound).toBe(false);
    FakeWebSocket.last.give(FRAGMENT); // what was on its way
    expect(FakeSound.all).toHaveLength(1);
    begin({ sound: null });
    p.setAudio(true);
    begin();
    expect(FakeSound.all).toHaveLength(2);
    expect(sound().element).not.toBe(first);
  });

  it("goes on in the same element when it is announced anew, also on a new connection", () => {
    const p = hearing();
    const { element } = sound();
    begin({ sound: AAC, reason: "bandwidth" });
    expect(FakeSound.all).toHaveLength(1);
    FakeWebSocket.last.end(1001);
    vi.advanceTimersByTime(1000);
    FakeWebSocket.last.accept();
    expect(wants().at(-1)).toMatchObject({ audio: true });
    begin();
    expect(FakeSound.all).toHaveLength(1);
    expect(sound().started).toHaveLength(3);
    // it left, as that of a camera that is silent for some seconds, and came again
    begin({ sound: null });
    expect(sound().disposed).toBe(true);
    begin();
    expect(FakeSound.all).toHaveLength(2);
    expect(sound().element).toBe(element);
    expect(p.audio).toBe(true);
  });

  it("is made anew where the clock that it counts from went back", () => {
    hearing();
    sound().takes = false;
    begin();
    expect(FakeSound.all[0]?.disposed).toBe(true);
    expect(FakeSound.all).toHaveLength(2);
    expect(sound().started).toHaveLength(1);
  });

  it("ends where video with its own follows, and begins where pictures follow video", () => {
    const p = hearing();
    sound().play();
    FakeWebSocket.last.say(stream({ mime: SOUND }));
    expect(sound().disposed).toBe(false);
    FakeWebSocket.last.give(INIT);
    expect(sound().disposed).toBe(true);
    FakeWebSocket.last.give(FRAGMENT);
    FakePipeline.all.at(-1)?.show();
    expect(FakePipeline.all.at(-1)?.muted).toBe(false);
    begin();
    expect(FakeSound.all).toHaveLength(2);
    expect(p.audio).toBe(true);
  });

  it("that fails, or is of a kind that is not played, leaves the pictures alone", () => {
    const p = hearing();
    sound().play();
    sound().events.failed("the sound cannot be decoded");
    expect(sound().disposed).toBe(true);
    expect(p.view.get().sound).toBe(false);
    expect(FakePictures.all[0]?.disposed).toBe(false);
    expect(FakeWebSocket.all).toHaveLength(1);
    begin({ sound: AAC });
    expect(FakeSound.all).toHaveLength(2);

    const deaf = player((mime) => !mime.startsWith("audio/"));
    deaf.setSize(640, 368);
    deaf.setVisible(true);
    FakeWebSocket.last.accept();
    deaf.setAudio(true);
    begin();
    FakeWebSocket.last.give(FRAGMENT);
    expect(FakeSound.all).toHaveLength(2);
    expect(FakePictures.all.at(-1)?.pushed).toHaveLength(1);
  });

  it("ends with the right to watch, and with the player", () => {
    hearing();
    FakeWebSocket.last.end(4403);
    expect(sound().disposed).toBe(true);
    const p = hearing();
    p.dispose();
    expect(sound().disposed).toBe(true);
  });
});

it("leaves nothing behind when it is disposed of", () => {
  const p = live();
  document.body.append(p.element);
  p.setVisible(false);
  p.dispose();
  expect(vi.getTimerCount()).toBe(0);
  expect(p.element.isConnected).toBe(false);
  expect(FakeWebSocket.last.readyState).toBe(FakeWebSocket.CLOSED);
});
