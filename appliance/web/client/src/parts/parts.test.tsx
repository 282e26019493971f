// @vitest-environment happy-dom
import { render, type ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { I18nContext, ModelContext } from "../app/context";
import { readPrefs } from "../app/prefs";
import type { Model, SessionState } from "../app/model";
import { Toasts } from "../app/toasts";
import { ENGLISH, loadTranslator } from "../i18n/languages";
import type { Camera } from "../logic/cameras";
import { findCameras } from "../logic/cameras";
import type { Phase } from "../logic/phase";
import { Store } from "../logic/store";
import { ApiError, Unreachable, type ServerInfo } from "../net/api";
import type { Figures, PlayerView } from "../player/live-player";
import { PasswordBanner } from "./banners";
import { FindCamera } from "./find-camera";
import { SignInCard } from "./sign-in-card";
import { detailsLine, messageOf, phaseWord, reasonText, whyText } from "./texts";
import { TileFrame } from "./tile";

const CAMERA: Camera = {
  id: "1", name: "Front gate", site: "Harbour", health: "ok", reason: null, since: null, streams: [], rights: ["live"], audio: false,
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
const REASONS = ["codec", "no_video_10s", "one_fps", "site_lost", "camera_lost", "mask", "requested", "tile_size", "bandwidth", "level", "connecting", "timeout", "refused", "bad_credentials", "not_found", "unsupported_codec", "long_gop", "unheard-of"];

describe("words", () => {
  it.each(["en", "fr"])("are found for every state and reason, in %s", async (language) => {
    const i18n = await loadTranslator(language);
    for (const phase of PHASES) {
      for (const reason of REASONS) {
        for (const pictureUtc of [null, 1_800_000_000_000]) {
          const view = { ...VIEW, phase, reason };
          const message = messageOf(i18n, view, { ...FIGURES, pictureUtc, nextTryIn: 3 }, 1_800_000_006_000);
          expect(message === null).toBe(phase === "live" || phase === "paused");
          for (const text of [message?.title, message?.detail, phaseWord(i18n, phase), whyText(i18n, view).title, whyText(i18n, view).detail]) {
            expect(text ?? "").not.toMatch(/[{}]|undefined|null|NaN|_/);
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
