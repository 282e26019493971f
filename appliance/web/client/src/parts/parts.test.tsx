// @vitest-environment happy-dom
import { render, type ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { I18nContext, ModelContext } from "../app/context";
import { readPrefs } from "../app/prefs";
import { cameraSettingsPath } from "../app/router";
import type { Model, SessionState } from "../app/model";
import { Toasts } from "../app/toasts";
import { ENGLISH, loadTranslator } from "../i18n/languages";
import { readTest } from "../logic/camera-admin";
import { EMPTY, type Draft, type FieldName } from "../logic/camera-draft";
import type { Camera } from "../logic/cameras";
import { findCameras } from "../logic/cameras";
import type { Phase } from "../logic/phase";
import { Store } from "../logic/store";
import { ApiError, Unreachable, type ServerInfo } from "../net/api";
import type { Figures, LivePlayer, PlayerView } from "../player/live-player";
import { ToastView } from "../ui/toast-host";
import { PasswordBanner } from "./banners";
import { CameraWay } from "./camera-way";
import { FindCamera } from "./find-camera";
import { SignInCard } from "./sign-in-card";
import { TestOutcome } from "./test-outcome";
import { detailsLine, messageOf, phaseWord, reasonText } from "./texts";
import { TileChips, TileFrame } from "./tile";
import { stations, whyAsText, WhyPanel } from "./why-panel";
import { advice, transcodedFor, whyText } from "./why-texts";

const CAMERA: Camera = {
  id: "1", name: "Front gate", site: "Harbour", health: "ok", reason: null, since: null, streams: [], rights: ["live"], audio: false, recorded: false, recording: "off", recordingReason: null,
};
const VIEW: PlayerView = {
  phase: "live", reason: null, codec: null, own: null, sound: false, slow: false,
  stream: { type: "stream", mode: "direct", mime: 'video/mp4; codecs="avc1.64001f"', stream: "main", width: 1280, height: 720, fps: 25, reason: null, utcZero: 0 },
};
const FIGURES: Figures = {
  rate: 268_000, fps: 25, behind: 0.3, delay: null, width: 1280, height: 720, pictureUtc: 1_800_000_000_000, skipped: 0, skippedTotal: 0, since: 0, nextTryIn: null,
};

let root: HTMLElement;
const signIn = vi.fn<(user: string, password: string) => Promise<void>>();
let session: Store<SessionState>;

function model(): Model {
  session = new Store<SessionState>({ state: "out" });
  return {
    server: new Store<ServerInfo | null>({ name: "Harbour <b>warehouse</b>", version: "1", secure: true }),
    prefs: new Store(readPrefs(null, ["en"], ["en", "fr"])),
    session,
    toasts: new Toasts(),
    signIn,
    signOut: () => Promise.resolve(),
  } as unknown as Model;
}

function show(children: ComponentChild, made = model()): void {
  act(() => {
    render(
      <ModelContext.Provider value={made}>
        <I18nContext.Provider value={ENGLISH}>{children}</I18nContext.Provider>
      </ModelContext.Provider>,
      root,
    );
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_800_000_000_000);
  root = document.createElement("div");
  document.body.replaceChildren(root);
  signIn.mockReset();
});
afterEach(() => {
  act(() => render(null, root));
  vi.useRealTimers();
});

function tile(name: string, view: Partial<PlayerView> = {}, figures: Partial<Figures> = {}): ComponentChild {
  const nothing = (): void => undefined;
  return (
    <TileFrame
      camera={{ ...CAMERA, name }}
      rect={{ x: 0, y: 0, w: 400, h: 225 }}
      size="l"
      view={{ ...VIEW, ...view }}
      selected={false}
      reachable
      details
      sound={false}
      wanted={false}
      figures={() => ({ ...FIGURES, ...figures })}
      everySecond={() => nothing}
      onFocus={nothing}
      slot={null}
      actions={{ open: nothing, snapshot: nothing, unblock: nothing, retry: nothing }}
    />
  );
}

describe("a tile", () => {
  it("shows what a stranger wrote as text and nothing else (abuse A17)", () => {
    const starts = ["<", "&lt;", "\"><", "'><", "<!--", "]]>", "javascript:", "\u202e", "\0", "{{", "${", "</article><", "<svg><", "<math><", "\\x3c", "%3C"];
    const tags = ["script>alert(1)</script>", "img src=x onerror=alert(1)>", "b>", "iframe srcdoc='x'>", "style>*{}</style>", "a href=javascript:alert(1)>x</a>", "base href=//evil>", "form action=x>", "svg/onload=alert(1)>", "details open ontoggle=alert(1)>", "video><source onerror=alert(1)>"];
    const ends = ["", "\n", " x".repeat(40)];
    const names = starts.flatMap((s) => tags.flatMap((g) => ends.map((e) => `${s}${g}${e}`)));
    expect(names.length).toBeGreaterThanOrEqual(500);
    show(tile("plain"));
    const elements = root.querySelectorAll("*").length;
    for (const name of names) {
      show(tile(name));
      expect(root.querySelector(".nm")?.textContent).toBe(name);
      expect(root.querySelectorAll("*").length).toBe(elements);
      expect(root.querySelector("article")?.getAttribute("aria-label")).toBe(`${name}, live`);
    }
  });

  it("names its state for everybody", () => {
    show(tile("Front gate", { phase: "lost", reason: "timeout" }));
    expect(root.querySelector("article")?.getAttribute("aria-label")).toBe("Front gate, camera lost");
    expect(root.querySelector(".msg")?.textContent).toMatch(/Camera lost.*Last picture .*does not answer.*Trying again/);
    show(tile("Front gate", { phase: "denied" }));
    expect(root.querySelector(".msg")?.textContent).toContain("You may not watch this camera");
    expect(root.querySelector(".tools")).toBeNull();
  });

  it("says how the picture comes", () => {
    show(tile("Front gate", {}, { skipped: 1.2 }));
    expect(root.querySelector(".inf")?.textContent).toBe("Direct · main · 1280×720 · 25\u202ffps · 268\u202fkB/s · skipped 1.2\u202fs");
  });
});

describe("choosing tiles by key", () => {
  it("comes to rest, however fast the keys follow each other", async () => {
    let rendered = 0;
    let choose: (id: string) => void = () => undefined;
    function Two(): ComponentChild {
      const [selected, setSelected] = useState("");
      choose = setSelected;
      rendered += 1;
      if (rendered > 50) throw new Error("it does not come to rest");
      const nothing = (): void => undefined;
      return (
        <section class="grid">
          {["a", "b"].map((id) => (
            <TileFrame
              key={id}
              camera={{ ...CAMERA, id }}
              rect={{ x: 0, y: 0, w: 400, h: 225 }}
              size="l"
              view={VIEW}
              selected={selected === id}
              reachable
              details={false}
              sound={false}
              wanted={false}
              figures={() => FIGURES}
              everySecond={() => nothing}
              onFocus={() => setSelected(id)}
              slot={null}
              actions={{ open: nothing, unblock: nothing, retry: nothing }}
            />
          ))}
        </section>
      );
    }
    show(<Two />);
    for (const id of ["a", "b", "a", "b"]) {
      choose(id);
      // rendered, but what follows a rendering later has not run yet
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
    await vi.advanceTimersByTimeAsync(500);
    expect(document.activeElement?.getAttribute("data-camera")).toBe("b");
  });
});

const PHASES: readonly Phase[] = ["connecting", "live", "waiting", "lost", "offline", "denied", "removed", "full", "unsupported", "blocked", "paused"];
const REASONS = ["off", "codec", "no_video_10s", "one_fps", "site_lost", "camera_lost", "mask", "requested", "tile_size", "bandwidth", "slow_client", "level", "connecting", "timeout", "refused", "bad_credentials", "not_found", "unsupported_codec", "long_gop", "decoder_restarts", "decoder_failed", "unheard-of"];

const SENT = { id: "s", name: "main", codec: "h265", width: 3840, height: 2160, fps: 25, kbps: 5936, advice: [] };
const H265: Camera = { ...CAMERA, streams: [SENT] };
const MADE: PlayerView = {
  ...VIEW, stream: { ...VIEW.stream!, mode: "transcoded", mime: "image/jpeg", width: 1280, height: 720, fps: 12, reason: "codec" },
};
const MADE_FIGURES: Figures = { ...FIGURES, rate: 310_000, fps: 11.8, behind: 0, delay: 0.42, since: 1_700_000_000_000 };
const ADMIN = { administer: true, agent: "Chrome/150" };
const because = (reason: string | null, more: Partial<PlayerView> = {}): PlayerView => ({ ...MADE, stream: { ...MADE.stream!, reason }, ...more });

describe("a transcoded picture", () => {
  it("says so and why on its tile, where the mask and the connection have words of their own", () => {
    const chips = (): string[] => [...root.querySelectorAll(".pc")].map((chip) => chip.getAttribute("title") ?? "");
    const shown = (view: PlayerView, camera = H265): string[] => {
      show(<TileChips camera={camera} view={view} sound={view.sound} size="l" />);
      return chips();
    };
    expect(shown(MADE)).toEqual(["Transcoded: this browser cannot play H.265"]);
    expect(shown(MADE, CAMERA)).toEqual(["Transcoded: this browser cannot play what the camera sends"]);
    const sent = { ...MADE, stream: { ...MADE.stream!, codec: "mpeg4" } }; // what is known now counts, not what the list said before
    expect(shown(sent)).toEqual(["Transcoded: this browser cannot play MPEG-4"]);
    expect(shown(because("mask"))).toEqual(["Privacy mask"]);
    expect(shown(because("unheard-of"))).toEqual(["Transcoded"]);
    expect(shown(because("requested", { own: "no_media" }))).toEqual(["Transcoded: this browser plays still pictures only"]);
    expect(shown(because("codec", { own: "not_decoded" }))).toEqual(["Transcoded: this browser does not decode H.265"]);
    expect(shown(because("off", { own: "not_decoded" }))).toEqual(["Transcoded: switched off by the administrator"]);
    expect(shown(because("bandwidth", { sound: true }))).toEqual(["Transcoded: the connection is slow", "Low bandwidth", "Sound on"]);
    expect(root.querySelectorAll(".pc")[2]?.textContent).toBe("+1Sound on");
    const less = (reason: string, cause: string, level: number | null = null): PlayerView =>
      ({ ...MADE, stream: { ...MADE.stream!, reason, cause, level } });
    expect(shown(less("bandwidth", "codec"))).toEqual(["Transcoded: this browser cannot play H.265", "Low bandwidth"]);
    expect(shown(less("level", "requested", 2))).toEqual(["Transcoded: as asked for", "Server busy"]);
    expect(shown(less("level", "level"))).toEqual(["Transcoded: too large or too fast for this browser"]);
    expect(shown({ ...less("slow_client", "codec"), slow: true })).toEqual(["Transcoded: this browser cannot play H.265", "Slow device"]);
    expect(shown({ ...VIEW, slow: true })).toEqual(["Low bandwidth"]);
    expect(shown(less("bandwidth", "mask"))).toEqual(["Privacy mask", "Low bandwidth"]);
    expect(shown({ ...MADE, phase: "lost" })).toEqual([]);
    expect(shown(VIEW)).toEqual([]);
  });

  it("has its figures in the details line, and its way in its name", () => {
    show(tile("Front gate", MADE, MADE_FIGURES));
    expect(root.querySelector(".inf")?.textContent).toBe("Transcoded · main · 1280×720 · 12\u202ffps · 310\u202fkB/s · delay 0.4\u202fs");
    expect(root.querySelector("article")?.getAttribute("aria-label")).toBe("Front gate, live, transcoded");
  });

  it("is explained by three stations, with what is known and nothing else", () => {
    const facts = (camera: Camera, view: PlayerView, figures: Figures): [string, string][] =>
      stations(ENGLISH, camera, view, figures).map((s) => [s.title, s.facts.map(([name, value]) => `${name}: ${value}`).join("; ").replaceAll("\u202f", " ")]);
    const since = new Date(MADE_FIGURES.since).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    expect(facts(H265, MADE, MADE_FIGURES)).toEqual([
      ["Camera sends", "Stream: main, H.265; Picture: 3840×2160, 25 fps; Data: 742 kB/s"],
      ["Fanal makes", "Picture: 1280×720, 12 fps; Format: JPEG"],
      ["You receive", `Picture: 1280×720, 12 fps; Data: 310 kB/s; Delay, by this device’s clock: 0.42 s; Lost since ${since}: none`],
    ]);
    const unknown = { ...H265, streams: [{ ...SENT, codec: null, width: null, fps: null, kbps: null }] };
    expect(facts(unknown, because("codec", { stream: { ...MADE.stream!, fps: null, width: 0 } }), { ...MADE_FIGURES, delay: null, fps: 0 })).toEqual([
      ["Camera sends", "Stream: main"],
      ["Fanal makes", "Format: JPEG"],
      ["You receive", `Picture: 1280×720; Data: 310 kB/s; Lost since ${since}: none`],
    ]);
    const network = { type: "network", arrivesKbps: 280, carriesKbps: 320, roundTripMs: 41, resent: 0.025, step: 3, steps: 14, level: 1 } as const;
    const less = because("bandwidth", { stream: { ...MADE.stream!, reason: "bandwidth", cause: "codec", quality: 45, level: null } });
    expect(facts(H265, less, { ...MADE_FIGURES, network }).slice(1)).toEqual([
      ["Fanal makes", "Picture: 1280×720, 12 fps; Format: JPEG, quality 45; Level: 1; Reduced for the connection: step 3 of 13"],
      ["You receive", `Picture: 1280×720, 12 fps; Data: 310 kB/s; Delay, by this device’s clock: 0.42 s; Throughput, measured by Fanal: 35 kB/s; Estimated bandwidth: 40 kB/s; Round trip: 41 ms; Retransmitted: 2.5 %; Lost since ${since}: none`],
    ]);
    const slow = { ...less, stream: { ...less.stream!, reason: "slow_client" } };
    expect(facts(H265, slow, { ...MADE_FIGURES, network })[1]?.[1]).toContain("Reduced for this device: step 3 of 13");
    const busy = { ...less, stream: { ...less.stream!, reason: "level", level: 2 } };
    expect(facts(H265, busy, { ...MADE_FIGURES, network })[1]?.[1]).toContain("Level: 2, which limits this picture");
    expect(facts(CAMERA, MADE, { ...MADE_FIGURES, pictureUtc: null })).toEqual([["Fanal makes", "Picture: 1280×720, 12 fps; Format: JPEG"]]);
    expect(facts(H265, VIEW, FIGURES).map(([title]) => title)).toEqual(["Camera sends", "Fanal hands on", "You receive"]);
  });

  it("comes with advice that applies, for who may follow it", () => {
    const texts = (view: PlayerView, camera = H265, reader = ADMIN): string[] =>
      advice(ENGLISH, camera, view, FIGURES, reader).map((one) => `${one.act}: ${one.text}`);
    const viewer = { ...ADMIN, administer: false };
    const second = "settings: Turn on this camera’s second stream, as H.264. It would play here directly.";
    const elsewhere = "null: Open Fanal in Firefox or Safari, or in Edge with the HEVC extension: they play H.265.";
    expect(texts(MADE)).toEqual([second, elsewhere]);
    expect(texts(MADE, H265, viewer)).toEqual([elsewhere]);
    expect(texts(MADE, H265, { administer: true, agent: "Mozilla/5.0 (X11) Gecko/20100101 Firefox/140.0" })).toEqual([second]);
    expect(texts(MADE, { ...H265, streams: [SENT, { ...SENT, codec: "h264" }] }, viewer)).toEqual([elsewhere]);
    expect(texts(MADE, { ...H265, streams: [SENT, { ...SENT, id: "t" }] })[0]).toMatch(/Set one of this camera’s streams to H.264/);
    expect(texts({ ...VIEW, phase: "unsupported", reason: "codec", codec: "hvc1.1.6.L93.B0", stream: null })).toEqual([second, elsewhere]);
    expect(texts(because("requested", { own: "not_decoded" }))).toEqual([expect.stringMatching(/^direct: /)]);
    const less = (reason: string, level: number | null = null): PlayerView => because(reason, { stream: { ...MADE.stream!, reason, cause: "codec", level } });
    expect(texts(less("bandwidth"))).toEqual([second, elsewhere, expect.stringMatching(/faster connection/)]);
    expect(texts(less("slow_client"))).toEqual([second, elsewhere, expect.stringMatching(/fewer pictures at once/)]);
    expect(texts(less("level", 3))).toEqual([second, elsewhere, expect.stringMatching(/limits or the thresholds of level 3/)]);
    expect(texts(less("level", 3), H265, viewer)).toEqual([elsewhere, expect.stringMatching(/Close pictures/)]);
    expect(texts(because("tile_size"))).toEqual([expect.stringMatching(/^zoom: /)]);
    for (const nothing of ["mask", "off", "requested", "site_lost", null]) expect(texts(because(nothing))).toEqual([]);
    expect(texts(VIEW)).toEqual([]);
    expect(texts(VIEW, { ...H265, streams: [{ ...SENT, fps: 8, advice: [{ about: "rate", measured: 8, atLeast: false }] }] })).toEqual([expect.stringMatching(/sends 8\u202ffps\. Set it to more than 10/)]);
    expect(texts({ ...VIEW, phase: "lost" }, H265, viewer)).toEqual([]);
  });

  it("is told whole as text", () => {
    const text = whyAsText(ENGLISH, H265, MADE, MADE_FIGURES, ADMIN).replaceAll("\u202f", " ");
    expect(text).toMatch(/^Front gate\n2027-01-15T08:00:00.000Z\n\nTranscoded, because this browser cannot play H\.265\.\nThe camera sends H\.265\./);
    for (const part of ["  Picture: 3840×2160, 25 fps", "Fanal makes", "  Data: 310 kB/s", "For a better picture", "phase live", "transcoded main codec image/jpeg", "Chrome/150"]) {
      expect(text).toContain(part);
    }
  });
});

describe("the panel that says why", () => {
  it("takes the focus, gives it back, and its buttons do what they say", () => {
    const made = model();
    const go = vi.fn();
    Object.assign(made, { router: { go } });
    session.set({ state: "in", session: { csrf: "", administer: true, user: { id: "1", name: "admin", role: "administrator", mustChangePassword: false } } });
    const view = new Store<PlayerView>(MADE);
    const player = { view, figures: () => MADE_FIGURES, tryDirect: vi.fn(), askNetwork: vi.fn() };
    const zoomIn = vi.fn();
    const button = document.createElement("button");
    document.body.append(button);
    button.focus();
    const panel = <WhyPanel camera={H265} player={player as unknown as LivePlayer} zoomIn={zoomIn} close={() => undefined} />;
    show(panel, made);
    expect(document.activeElement?.id).toBe("why-title");
    expect(root.querySelector(".why")?.getAttribute("aria-live")).toBe("off");
    expect([...root.querySelectorAll(".path h3")].map((h) => h.textContent)).toEqual(["Camera sends", "Fanal makes", "You receive"]);
    const press = (text: string): void => [...root.querySelectorAll<HTMLElement>(".better .btn")].find((b) => b.textContent === text)?.click();
    act(() => press("Open camera settings"));
    expect(go).toHaveBeenCalledWith(cameraSettingsPath("1"));
    act(() => view.set(because("tile_size")));
    act(() => press("Zoom in"));
    expect(zoomIn).toHaveBeenCalledOnce();
    act(() => view.set(because("requested", { own: "not_decoded" })));
    act(() => press("Try direct video again"));
    expect(player.tryDirect).toHaveBeenCalledOnce();
    expect(player.askNetwork).toHaveBeenCalledWith(true);
    act(() => view.set(VIEW));
    expect(root.querySelector(".better")).toBeNull();
    act(() => render(null, root));
    expect(document.activeElement).toBe(button);
  });
});

describe("words", () => {
  it.each(["en", "fr"])("are found for every state and reason, in %s", async (language) => {
    const i18n = await loadTranslator(language);
    for (const phase of PHASES) {
      for (const reason of REASONS) {
        for (const pictureUtc of [null, 1_800_000_000_000]) {
          const view = { ...VIEW, phase, reason };
          const message = messageOf(i18n, view, { ...FIGURES, pictureUtc, nextTryIn: 3 }, 1_800_000_006_000);
          expect(message === null).toBe(phase === "live" || phase === "paused");
          for (const text of [message?.title, message?.detail, phaseWord(i18n, phase), whyText(i18n, CAMERA, view).title, whyText(i18n, CAMERA, view).detail]) {
            expect(text ?? "").not.toMatch(/[{}]|undefined|null|NaN|_/);
          }
          for (const own of [null, "no_media", "not_decoded"] as const) {
            for (const camera of [CAMERA, H265]) {
              const made = because(reason, { own });
              const said = [transcodedFor(i18n, camera, made), whyText(i18n, camera, made).title, whyText(i18n, camera, made).detail];
              said.push(...advice(i18n, camera, made, FIGURES, ADMIN).map((one) => one.text));
              for (const text of said) expect(text ?? "").not.toMatch(/[{}]|undefined|null|NaN|_/);
            }
          }
          expect(detailsLine(i18n, { ...view, stream: { ...VIEW.stream!, reason } }, FIGURES, false)).not.toMatch(/undefined|null|NaN/);
        }
      }
    }
  });
  it("have something to do in them where there is something to be done", () => {
    expect(reasonText(ENGLISH, "timeout")).toBe("The camera does not answer. Check its power and cable.");
    expect(reasonText(ENGLISH, "unheard-of")).toBeNull();
    const unsupported = (change: Partial<PlayerView>) =>
      messageOf(ENGLISH, { ...VIEW, stream: null, phase: "unsupported", ...change }, FIGURES, 0)?.detail;
    expect(unsupported({ reason: "codec", codec: "hvc1.1.6.L93.B0" })).toMatch(/H\.265.*Firefox/);
    expect(unsupported({ reason: "codec", codec: "avc1.7a0028" })).toMatch(/format/);
    expect(unsupported({ reason: "level", codec: "hvc1.1.6.L186.B0" })).toMatch(/too large/);
    for (const reason of ["codec", "level", "unsupported_codec"]) {
      const message = messageOf(ENGLISH, { ...VIEW, stream: null, phase: "unsupported", reason, codec: "hvc1.1.6.L93.B0" }, FIGURES, 0);
      expect(message?.brief?.length).toBeLessThan(32); // a line and a half of a phone's small tile
    }
  });
});

describe("signing in", () => {
  const input = (name: string): HTMLInputElement => root.querySelector<HTMLInputElement>(`input[name="${name}"]`)!;
  const submit = async (user: string, password: string): Promise<void> => {
    await act(async () => {
      for (const [name, value] of [["username", user], ["password", password]] as const) {
        input(name).value = value;
        input(name).dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
    await act(async () => {
      root.querySelector("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
      await Promise.resolve();
    });
  };

  it("works with password managers, and shows the server's name as text", () => {
    show(<SignInCard ended={null} />);
    expect(input("username").getAttribute("autocomplete")).toBe("username");
    expect(input("password").getAttribute("autocomplete")).toBe("current-password");
    expect(input("password").type).toBe("password");
    expect(root.querySelector("h1")?.textContent).toBe("Harbour <b>warehouse</b>");
    act(() => root.querySelector<HTMLButtonElement>(".reveal")!.click());
    expect(input("password").type).toBe("text");
  });

  it("hands over what was typed", async () => {
    signIn.mockResolvedValue(undefined);
    show(<SignInCard ended={null} />);
    await submit("  lea.martin ", " a pass word ");
    expect(signIn).toHaveBeenCalledWith("lea.martin", " a pass word ");
  });

  it.each([
    [new ApiError(401, "bad_credentials", "x"), "User name or password is not right."],
    [new Unreachable("x"), "The server does not answer. Check your connection and try again."],
    [new ApiError(429, "busy", "x"), "The server could not sign you in. Try again in a moment."],
    [new ApiError(500, "internal", "secret detail"), "The server could not sign you in. Try again in a moment."],
  ])("says what is wrong: %o", async (fault, text) => {
    signIn.mockRejectedValue(fault);
    show(<SignInCard ended={null} />);
    await submit("lea.martin", "wrong");
    expect(root.querySelector('[role="alert"]')?.textContent).toBe(text);
    expect(input("password").value).toBe("");
    expect(input("username").value).toBe("lea.martin");
  });

  it("counts down when locked out, and opens again by itself", async () => {
    signIn.mockRejectedValue(new ApiError(429, "locked", "", null, 75));
    show(<SignInCard ended={null} />);
    await submit("lea.martin", "wrong");
    expect(root.textContent).toContain("1\u202fmin\u202f15\u202fs");
    expect(root.querySelector('input[name="password"]')).toBeNull();
    expect(root.querySelector<HTMLButtonElement>('button[type="submit"]')!.disabled).toBe(true);
    act(() => void vi.advanceTimersByTime(20_000));
    expect(root.textContent).toContain("55\u202fs");
    act(() => void vi.advanceTimersByTime(56_000));
    expect(root.querySelector('input[name="password"]')).not.toBeNull();
    expect(root.querySelector<HTMLButtonElement>('button[type="submit"]')!.disabled).toBe(false);
  });

  it("over a page whose session ended knows who it was", () => {
    show(<SignInCard ended="lea.martin" />);
    expect(input("username").value).toBe("lea.martin");
    expect(root.querySelector("h2")?.textContent).toBe("Your session has ended");
  });
});

describe("finding a camera", () => {
  it("lists what matches and opens the one chosen by key", () => {
    const cameras = ["Front gate", "Quai éclairé", "Roof"].map((name, i) => ({ ...CAMERA, id: String(i), name }));
    const open = vi.fn();
    show(<FindCamera cameras={cameras} open={open} summoned={0} />);
    const field = root.querySelector<HTMLInputElement>('input[role="combobox"]')!;
    act(() => {
      field.focus();
      field.value = "o";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect([...root.querySelectorAll('[role="option"]')].map((o) => o.textContent)).toEqual(findCameras(cameras, "o", "en").map((c) => c.name));
    const key = (name: string): void => {
      void act(() => void field.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true })));
    };
    key("ArrowDown");
    expect(root.querySelector('[aria-selected="true"]')?.textContent).toBe("Roof");
    key("Enter");
    expect(open.mock.calls[0]?.[0]).toMatchObject({ name: "Roof" });
    expect(field.value).toBe("");
  });
});

describe("the first password", () => {
  it("is asked to be changed until it is", () => {
    const made = model();
    show(<PasswordBanner change={() => undefined} />, made);
    expect(root.textContent).toBe("");
    const user = { id: "1", name: "admin", role: "administrator", mustChangePassword: true };
    act(() => session.set({ state: "in", session: { csrf: "", user, administer: true } }));
    expect(root.textContent).toContain("You still use the first password");
    act(() => session.set({ state: "in", session: { csrf: "", user: { ...user, mustChangePassword: false }, administer: true } }));
    expect(root.textContent).toBe("");
  });
});

describe("a camera whose certificate is not believed", () => {
  const result = readTest({
    ok: false, name: "h", host: "h",
    streams: [{ name: "main", url: "rtsps://h/", ok: false, code: "refused", fingerprint: Array(32).fill("5F").join(":"), steps: [{ name: "connect", ok: true }, { name: "TLS", ok: false }] }],
  })!;
  it("shows it, says what to compare it with, and offers to trust it", () => {
    const trust = vi.fn<(fingerprint: string) => void>();
    show(<TestOutcome result={result} signedIn pinned={false} trust={trust} />);
    expect([...root.querySelectorAll(".print span")].map((line) => line.textContent).join("")).toBe(Array(32).fill("5F").join(":"));
    expect(root.querySelector("[role=alert]")?.textContent).toContain("Open the camera’s own page");
    const button = [...root.querySelectorAll("button")].find((each) => each.textContent === "Trust this certificate")!;
    act(() => button.click());
    expect(trust).toHaveBeenCalledWith(Array(32).fill("5F").join(":"));
  });
  it("is suspected where another one was trusted before", () => {
    show(<TestOutcome result={result} signedIn pinned trust={() => undefined} />);
    expect(root.querySelector("[role=alert]")?.textContent).toContain("Somebody may be in between");
    expect(root.textContent).toContain("Trust the new certificate");
  });
});

describe("how a camera is reached", () => {
  function Editor({ start, error = null }: { start: Partial<Draft>; error?: string | null }) {
    const [draft, setDraft] = useState<Draft>({ ...EMPTY, ...start });
    const edit = (field: FieldName) => (value: string) => setDraft((d) => ({ ...d, [field]: value }));
    return <CameraWay draft={draft} saved={{ ...EMPTY, ...start }} edit={edit} left={() => undefined} error={(field) => (field === "fingerprint" ? error : null)} />;
  }
  it("is folded, and says on its fold what is not as usual", () => {
    show(<Editor start={{ url: "rtsp://h/" }} />);
    expect([root.querySelector("details")?.open, root.querySelector("summary")?.textContent]).toEqual([false, "Connection"]);
    show(<Editor key="2" start={{ url: "rtsps://h/", transport: "http", fingerprint: "5f".repeat(32) }} />);
    expect(root.querySelector("summary")?.textContent).toBe("Connection · HTTP · one certificate trusted");
  });
  it("is chosen in a named group, and tells what was saved", () => {
    show(<Editor start={{ url: "rtsp://h/" }} />);
    const group = root.querySelector("[role=group]")!;
    expect(group.getAttribute("aria-label")).toBe("How pictures come");
    const [, , udp] = group.querySelectorAll("button");
    act(() => udp!.click());
    expect(udp!.getAttribute("aria-pressed")).toBe("true");
    expect(root.querySelector(".was")?.textContent).toBe("was Automatic");
    expect(root.querySelector("input")).toBeNull(); // nothing is encrypted: nothing to trust
  });
  it("has no ways to choose from over HTTP, only a certificate where one is shown", () => {
    show(<Editor start={{ url: "http://h/" }} />);
    expect(root.querySelector("details")).toBeNull();
    show(<Editor key="2" start={{ url: "https://h/" }} />);
    expect([root.querySelector("[role=group]"), root.querySelector("input")?.name]).toEqual([null, "fingerprint"]);
  });
  it("opens where something in it is wrong, which is said at the field", () => {
    show(<Editor start={{ url: "rtsps://h/", fingerprint: "5f".repeat(32) }} error="Not so." />);
    const field = root.querySelector("input")!;
    expect(root.querySelector("details")?.open).toBe(true);
    expect(field.value).toBe(Array(32).fill("5F").join(":"));
    expect(root.querySelector(`label[for="${field.id}"]`)?.textContent).toContain("Fingerprint");
    expect(field.getAttribute("aria-describedby")?.split(" ").map((id) => document.getElementById(id)?.textContent).join(" ")).toContain("Not so.");
  });
});

describe("a toast", () => {
  it("waits for a pointer that moves onto it, and not for one that rested where it appears", () => {
    const close = vi.fn();
    const toast = { id: 1, kind: "info", text: "Gate removed.", stays: false, shownMs: 5000 } as const;
    show(<ToastView toast={toast} close={close} act={close} />);
    const say = (event: string): void => {
      act(() => void root.querySelector(".toast")?.dispatchEvent(new PointerEvent(event, { bubbles: true })));
    };
    say("pointerenter");
    say("pointermove");
    vi.advanceTimersByTime(20_000);
    expect(close).not.toHaveBeenCalled();
    say("pointerleave");
    say("pointerenter");
    vi.advanceTimersByTime(5000);
    expect(close).toHaveBeenCalledOnce();
  });
});
