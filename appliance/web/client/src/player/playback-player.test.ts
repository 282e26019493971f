// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PlaybackPlayer, type PlaybackDeps } from "./playback-player";
import { FakePictures, FakeRecording, FakeSound, FakeWebSocket, FRAGMENT, INIT, picture, stream, transcoded } from "./testing";

const T = 1_795_000_000_000; // what is shown first, in UTC ms
/** An instant so many milliseconds later, as it is sent. */
const when = (ms: number): string => new Date(T + ms).toISOString().replace("Z", "000Z");
let refused: string[];
let moved: number;

function player(more: Partial<PlaybackDeps> = {}): PlaybackPlayer {
  return new PlaybackPlayer("camera", T, {
    url: "ws://here/playback",
    codecs: ["avc1.640028"],
    direct: true,
    supported: () => true,
    createPictures: (events) => new FakePictures(events),
    createRecording: (events, prepared) => new FakeRecording(events, prepared),
    prepareVideo: () => document.createElement("video"),
    requestPump: () => undefined,
    refused: (why) => refused.push(why),
    moved: () => void moved++,
    random: () => 0.5,
    ...more,
  });
}

/** On the screen and connected. */
function connected(more: Partial<PlaybackDeps> = {}): PlaybackPlayer {
  const p = player(more);
  p.setSize(640, 368);
  p.setVisible(true);
  FakeWebSocket.last.accept();
  return p;
}

const sent = (): Record<string, unknown>[] => FakeWebSocket.last.sent.filter((m) => m["type"] !== "want");
const id = (): number => sent().at(-1)?.["id"] as number;
const say = (message: object): void => FakeWebSocket.last.say(message);
const recording = (): FakeRecording => {
  const last = FakeRecording.all.at(-1);
  if (!last) throw new Error("no recording was made");
  return last;
};

/** The server answers with video. */
function answer(to: number = id()): void {
  say({ ...stream(), id: to, utc_zero: 0 });
  FakeWebSocket.last.give(INIT);
  FakeWebSocket.last.give(FRAGMENT);
}

/** … and the browser shows what was asked for. */
function shown(more: Partial<PlaybackDeps> = {}): PlaybackPlayer {
  const p = connected(more);
  answer();
  recording().land();
  recording().holds = [T / 1000 - 5, T / 1000 + 4];
  return p;
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeWebSocket.all = [];
  FakeRecording.all = [];
  FakePictures.all = [];
  FakeSound.all = [];
  refused = [];
  moved = 0;
  vi.stubGlobal("WebSocket", FakeWebSocket);
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue(undefined);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a recording", () => {
  it("begins with what is wanted and with where", () => {
    const p = connected();
    expect(FakeWebSocket.last.sent.map((m) => m["type"])).toEqual(["want", "seek"]);
    expect(sent()[0]).toMatchObject({ at: when(0), id: 1 });
    expect([p.landed, p.position, p.view.get().phase]).toEqual([false, T, "connecting"]);
    answer();
    expect(recording().wanted).toBe(T * 90);
    recording().land();
    expect([p.landed, p.position, p.view.get().phase]).toEqual([true, T, "shown"]);
    expect(recording().rate).toBeNull();
  });
  it("plays, at any speed that a video has, and says where it is by the video", () => {
    const p = shown();
    p.set({ playing: true, speed: 2, gaps: "skip" });
    expect(sent().at(-1)).toMatchObject({ type: "play", speed: 2, gaps: "skip", at: when(0) });
    expect(recording().rate).toBe(2); // what is there plays at once
    recording().position = T / 1000 + 1.5;
    expect(p.position).toBeCloseTo(T + 1500, 3);
    p.correct(0.95);
    expect(recording().rate).toBeCloseTo(1.9);
    p.hold(true);
    expect(recording().rate).toBeNull();
    p.hold(false);
    expect(recording().rate).toBeCloseTo(1.9);
    p.set({ playing: false, speed: 2, gaps: "skip" });
    expect(sent().at(-1)).toMatchObject({ type: "pause" });
    // exactly the picture of the instant at which it stopped
    expect(recording().wanted).toBe(T * 90 + 135_000);
    expect(p.position).toBeCloseTo(T + 1500, 3);
  });
  it("is searched by what is there without asking", () => {
    const p = shown();
    const before = sent().length;
    p.seek(T + 2000);
    expect([sent().length, recording().wanted, p.landed]).toEqual([before, (T + 2000) * 90, false]);
    recording().land();
    expect([p.landed, p.position]).toEqual([true, T + 2000]);
  });
});

describe("fast scrubbing", () => {
  it("has one thing on its way, and then asks for the newest wanted", () => {
    const p = shown();
    for (let i = 1; i <= 50; i++) p.seek(T + i * 60_000);
    expect(sent().filter((m) => m["type"] === "seek")).toHaveLength(2);
    expect(sent().at(-1)?.["at"]).toBe(when(60000));
    answer();
    recording().land();
    expect(sent().at(-1)).toMatchObject({ type: "seek", at: when(3000000) });
    expect(p.landed).toBe(false);
    expect(p.position).toBe(T + 50 * 60_000);
    answer();
    recording().land();
    expect(p.landed).toBe(true);
  });
  it("throws away what belongs to an older command", () => {
    const p = shown();
    p.seek(T + 60_000);
    const [{ fragments, begun }, older] = [recording(), id() - 1];
    const count = begun.length;
    FakeWebSocket.last.give(FRAGMENT); // still of the one before
    say({ ...stream(), id: older, utc_zero: 0 });
    FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(FRAGMENT);
    say({ type: "status", state: "waiting", reason: "no_recording", id: older, next: null, previous: null });
    expect([recording().fragments, recording().begun.length, p.absent]).toEqual([fragments, count, false]);
    expect(recording().abandoned).toBeGreaterThan(0);
    answer();
    expect(recording().fragments).toBe(fragments + 1);
  });
  it("does not wait for ever for a picture that does not come", () => {
    const p = shown();
    p.seek(T + 60_000);
    p.seek(T + 120_000);
    vi.advanceTimersByTime(3000);
    p.control(performance.now());
    expect(sent().at(-1)?.["at"]).toBe(when(120000));
  });
});

describe("a command that is not answered", () => {
  it("is given again, but not while its picture is on its way", () => {
    const p = shown();
    p.seek(T + 60_000);
    const before = id();
    vi.advanceTimersByTime(7000);
    p.control(performance.now());
    expect(sent().at(-1)).toMatchObject({ type: "seek", at: when(60_000), id: before + 1 });
    answer();
    vi.advanceTimersByTime(7000);
    p.control(performance.now());
    expect(id()).toBe(before + 1);
  });
});

describe("a picture that was asked for before", () => {
  it("is not taken for the one that is on its way", () => {
    const p = shown();
    p.seek(T + 1000); // is there, and comes to the screen in a moment
    p.seek(T + 60_000);
    recording().land();
    expect(p.landed).toBe(false);
    answer();
    expect(recording().wanted).toBe((T + 60_000) * 90);
    recording().land();
    expect(p.landed).toBe(true);
  });
});

describe("steps", () => {
  it("go by the pictures that are there", () => {
    const p = shown();
    expect(p.step(1)).toBe(T + 40);
    recording().land();
    expect(p.step(1)).toBe(T + 80);
    recording().land();
    expect(p.step(-1)).toBe(T + 40);
    recording().land();
    expect(sent()).toHaveLength(1);
    expect(p.position).toBe(T + 40);
  });
  it("ask the server where none is", () => {
    const p = shown();
    recording().holds = [T / 1000, T / 1000 + 0.04];
    expect(p.step(-1)).toBeNull();
    p.askStep(-1);
    expect(sent().slice(-2)).toMatchObject([{ type: "seek", at: when(0) }, { type: "step", by: -1 }]);
    answer();
    say({ type: "position", id: id(), utc_ms: T - 40, state: "paused", speed: 1 });
    recording().land();
    expect([p.landed, Math.floor(p.position)]).toEqual([true, T - 40]);
  });
  it("are told where they went before the picture comes, too", () => {
    const p = shown();
    recording().holds = [T / 1000, T / 1000 + 0.04];
    p.askStep(-1);
    say({ type: "position", id: id(), utc_ms: T - 40, state: "paused", speed: 1 });
    answer();
    recording().land();
    expect([p.landed, Math.floor(p.position)]).toEqual([true, T - 40]);
  });
});

describe("what cannot be a video", () => {
  it("comes as pictures: backwards and fast", () => {
    const p = shown();
    const video = recording();
    p.set({ playing: true, speed: -1, gaps: "skip" });
    expect(sent().at(-1)).toMatchObject({ type: "play", speed: -1, at: when(0) });
    say({ ...transcoded({ reason: "reverse" }), id: id() });
    FakeWebSocket.last.give(picture(T - 40));
    expect([video.disposed, p.direct]).toEqual([false, true]); // until there is another picture
    FakePictures.all[0]?.show();
    FakePictures.all[0]!.pictureUtc = (T - 40) / 1000;
    p.pump();
    expect([video.disposed, p.direct, p.landed]).toEqual([true, false, true]);
    expect(p.position).toBeCloseTo(T - 40, 3);
    // and forwards again as a video
    p.set({ playing: true, speed: 1, gaps: "skip" });
    answer();
    recording().land();
    expect([p.direct, FakePictures.all[0]?.disposed, recording().rate]).toEqual([true, true, 1]);
  });
  it("shows none of the pictures of the place before", () => {
    const p = connected({ direct: false });
    say({ ...transcoded(), id: id() });
    FakeWebSocket.last.give(picture(T));
    FakePictures.all[0]?.show();
    p.pump();
    expect(p.landed).toBe(true);
    p.seek(T + 60_000);
    FakeWebSocket.last.give(picture(T + 40)); // still of the place before
    expect(FakePictures.all[0]?.pushed).toHaveLength(1);
    say({ ...transcoded(), id: id() });
    expect(FakePictures.all[0]?.flushed).toBe(1);
    p.pump();
    expect(p.landed).toBe(false);
    FakeWebSocket.last.give(picture(T + 60_000));
    FakePictures.all[0]?.show();
    p.pump();
    expect(p.landed).toBe(true);
  });
});

describe("where nothing is recorded", () => {
  it("says so, and where there is something", () => {
    const p = shown();
    p.seek(T + 60_000);
    say({ type: "status", state: "waiting", reason: "no_recording", id: id(), next: T + 90_000, previous: T + 30_000 });
    expect(p.view.get()).toMatchObject({ phase: "none", next: T + 90_000, previous: T + 30_000 });
    p.seek(T);
    expect(p.absent).toBe(false);
  });
  it("is jumped over where it was played up to it", () => {
    const p = shown();
    p.set({ playing: true, speed: 1, gaps: "skip" });
    answer();
    say({ type: "gap", id: id(), from: T + 2000, to: T + 242_000 });
    recording().position = T / 1000 + 1;
    p.control(performance.now());
    expect(p.skipped.get()).toBeNull(); // it lies ahead
    recording().position = T / 1000 + 1.98;
    recording().atEnd = true;
    recording().next = { start: (T + 242_000) * 90, end: (T + 242_040) * 90 };
    p.control(performance.now());
    expect(p.skipped.get()).toMatchObject({ from: T + 2000, to: T + 242_000 });
    expect(recording().wanted).toBe((T + 242_000) * 90);
    recording().land();
    expect(recording().rate).toBe(1);
  });
  it("is left out where it is begun in", () => {
    const p = shown();
    p.set({ playing: true, speed: 1, gaps: "skip" });
    p.seek(T + 60_000);
    say({ type: "gap", id: id(), from: T + 60_000, to: T + 242_000 });
    answer();
    expect(recording().wanted).toBe((T + 242_000) * 90);
    expect([p.absent, p.skipped.get()]).toMatchObject([false, { to: T + 242_000 }]);
  });
  it("stands still where gaps are played, until it is told to go on", () => {
    const p = shown();
    p.set({ playing: true, speed: 1, gaps: "play" });
    answer();
    say({ type: "gap", id: id(), from: T + 2000, to: T + 242_000 });
    recording().position = T / 1000 + 1.98;
    recording().atEnd = true;
    p.control(performance.now());
    expect([p.absent, p.next, p.previous, recording().rate]).toEqual([true, T + 242_000, T + 2000, null]);
  });
});

describe("a decoder that keeps the last pictures to itself", () => {
  it("is helped out by a picture, and asked again elsewhere", () => {
    const p = shown();
    p.seek(T + 2000);
    recording().tryingSince = performance.now();
    vi.advanceTimersByTime(1000);
    p.control(performance.now());
    p.control(performance.now());
    const modes = (): unknown[] => FakeWebSocket.last.sent.filter((m) => m["type"] === "want").map((m) => m["mode"]);
    expect(modes()).toEqual(["auto", "transcoded"]);
    expect(sent().at(-1)).toMatchObject({ type: "seek", at: when(2000) });
    expect(sent()).toHaveLength(2);
    recording().tryingSince = null;
    p.seek(T + 1000);
    expect(modes()).toEqual(["auto", "transcoded", "auto"]);
  });
});

describe("a connection", () => {
  it("that is lost goes on where it was", () => {
    const p = shown();
    p.set({ playing: true, speed: 1, gaps: "skip" });
    recording().position = T / 1000 + 3;
    FakeWebSocket.last.end(1006);
    vi.advanceTimersByTime(2000);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.accept();
    expect(sent().at(-1)).toMatchObject({ type: "play", at: when(3000) });
    expect(p.element.contains(recording().element)).toBe(true);
  });
  it("that is refused takes the picture", () => {
    const p = shown();
    FakeWebSocket.last.end(4403);
    expect([p.view.get().phase, recording().disposed, p.picture, refused]).toEqual(["denied", true, null, ["denied"]]);
    expect(FakeWebSocket.all).toHaveLength(1);
  });
  it("rests while what is live is shown, and begins again", () => {
    const p = shown();
    p.rest();
    expect(FakeWebSocket.last.readyState).toBe(FakeWebSocket.CLOSED);
    p.wake();
    expect(FakeWebSocket.all).toHaveLength(2);
  });
  it("tells how much lies ready", () => {
    const p = shown();
    p.sendStats();
    expect(sent().at(-1)).toEqual({ type: "stats", buffer_s: 4, dropped: 0 });
  });
});

describe("sound beside pictures", () => {
  const AAC = { mime: 'audio/mp4; codecs="mp4a.40.2"', utc_zero: (T - 2000) * 90 };
  const PLAYING = { playing: true, speed: 1, gaps: "skip" } as const;
  const sound = (): FakeSound => FakeSound.all.at(-1)!;
  const heard = (p: PlaybackPlayer): boolean => p.view.get().sound;
  const wanted = (): Record<string, unknown> | undefined => FakeWebSocket.last.sent.filter((m) => m["type"] === "want").at(-1);

  /** The server answers with pictures, and sound between them. */
  function pictures(at: number, more: Record<string, unknown> = { sound: AAC }): void {
    say({ ...transcoded(more), id: id() });
    if (more["sound"]) FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(picture(at));
    if (more["sound"]) FakeWebSocket.last.give(FRAGMENT);
  }
  function drawn(p: PlaybackPlayer, at: number): void {
    FakePictures.all.at(-1)!.show();
    FakePictures.all.at(-1)!.pictureUtc = at / 1000;
    p.pump();
  }
  /** It plays, as pictures with sound that is heard. */
  function playing(): PlaybackPlayer {
    const p = connected({
      direct: false,
      createSound: (events, prepared) => new FakeSound(events, prepared),
      prepareSound: () => document.createElement("audio"),
    });
    p.setAudio(true);
    p.set(PLAYING);
    pictures(T);
    drawn(p, T);
    sound().play();
    expect([heard(p), p.element.contains(sound().element)]).toEqual([true, true]);
    return p;
  }

  it("is asked for, leads the pictures, and is heard", () => {
    const p = playing();
    expect(wanted()).toMatchObject({ audio: true, beside: true });
    expect(sound().started).toEqual([{ mime: AAC.mime, utcZero: AAC.utc_zero }]);
    expect(sound().fragments).toBe(1);
    sound().utc = T / 1000;
    FakePictures.all[0]?.lead?.came(T / 1000 + 0.1);
    expect([FakePictures.all[0]?.lead?.utc, sound().lates]).toEqual([T / 1000, [T / 1000 + 0.1]]);
    p.setAudio(false);
    expect([sound().disposed, heard(p), wanted()?.["audio"]]).toEqual([true, false, false]);
  });
  it("is not asked for where the browser has no way to play it", () => {
    connected({ direct: false });
    expect(wanted()).toMatchObject({ beside: false });
  });
  it("of the place before is not heard after a seek, not even while another picture is on its way", () => {
    const p = playing();
    const [first, { element }] = [sound(), sound()];
    p.seek(T + 60_000);
    expect([first.disposed, heard(p)]).toEqual([true, false]);
    FakeWebSocket.last.give(FRAGMENT); // of the place before
    FakeWebSocket.last.give(INIT);
    expect(FakeSound.all).toHaveLength(1);
    p.seek(T + 120_000);
    pictures(T + 60_000);
    drawn(p, T + 60_000); // and on to where somebody wants to be by now
    expect(FakeSound.all.map((each) => each.disposed)).toEqual([true, true]);
    pictures(T + 120_000);
    drawn(p, T + 120_000);
    expect([sound().disposed, sound().started.length, p.landed]).toEqual([false, 1, true]);
    expect(sound().element).toBe(element); // which may sound without another tap
  });
  it("ends with a pause, and is another when it goes on", () => {
    const p = playing();
    p.set({ ...PLAYING, playing: false });
    expect([sound().disposed, heard(p)]).toEqual([true, false]);
    pictures(T + 500, { sound: null });
    drawn(p, T + 500);
    p.set(PLAYING);
    pictures(T + 500);
    drawn(p, T + 540);
    expect([FakeSound.all.length, sound().disposed]).toEqual([2, false]);
  });
  it("ends where the speed changes, or what is live is shown", () => {
    const p = playing();
    p.set({ ...PLAYING, speed: 2 });
    expect(sound().disposed).toBe(true);
    p.set(PLAYING);
    pictures(T + 500);
    drawn(p, T + 500);
    expect(sound().disposed).toBe(false);
    p.rest();
    expect(sound().disposed).toBe(true);
  });
  it("begins anew with what is announced anew: behind a gap, or in another size", () => {
    const p = playing();
    say({ type: "gap", id: id(), from: T + 1000, to: T + 60_000 });
    pictures(T + 60_000);
    expect(FakeSound.all.map((each) => each.disposed)).toEqual([true, false]);
    pictures(T + 61_000, { sound: null });
    expect([sound().disposed, heard(p)]).toEqual([true, false]);
  });
  it("gives way to the sound of a video", () => {
    const p = playing();
    say({ ...stream({ mime: 'video/mp4; codecs="avc1.64001f,mp4a.40.2"' }), id: id(), utc_zero: 0 });
    FakeWebSocket.last.give(INIT);
    FakeWebSocket.last.give(FRAGMENT);
    expect([sound().disposed, recording().muted]).toEqual([true, false]);
    recording().land();
    expect([p.direct, p.landed]).toEqual([true, true]);
    // and back, as the network does not carry it: it begins with the pictures
    pictures(T + 900);
    expect([FakeSound.all.length, recording().rate]).toEqual([2, null]);
  });
  it("goes with the picture where the right is taken", () => {
    const p = playing();
    FakeWebSocket.last.end(4403);
    expect([sound().disposed, heard(p), p.view.get().phase]).toEqual([true, false, "denied"]);
  });
});
