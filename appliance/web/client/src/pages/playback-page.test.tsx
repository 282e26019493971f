// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { I18nContext, ModelContext } from "../app/context";
import { Model } from "../app/model";
import { prefsStore } from "../app/prefs";
import { playbackPath } from "../app/router";
import { ENGLISH } from "../i18n/languages";
import { readCamera } from "../logic/cameras";
import { Store } from "../logic/store";
import { FakeWebSocket } from "../player/testing";
import { PlaybackPage } from "./playback-page";

const AT = Date.UTC(2026, 2, 12, 14, 18, 36);
const BOOKMARK = { id: "b", camera: "1", at: new Date(AT).toISOString(), until: null, text: "Van <1>", user: "else", mine: false };

let root: HTMLElement;
let model: Model;
let bookmarks: object[];

function answer(path: string): unknown {
  if (path.includes("/recordings")) return { ranges: [], first: null, last: null };
  if (path.includes("/events")) return { events: [] };
  return { bookmarks };
}

function press(name: string): void {
  const found = [...root.querySelectorAll("button")].find((b) => (b.getAttribute("aria-label") ?? b.textContent) === name);
  if (!found) throw new Error(`no button ${name} in ${root.textContent}`);
  act(() => found.click());
}

function type(key: string): void {
  act(() => void document.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true })));
}

const settled = async (): Promise<void> => act(async () => new Promise((done) => setTimeout(done, 100)));

beforeEach(async () => {
  bookmarks = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
  vi.stubGlobal("IntersectionObserver", class { observe() {} unobserve() {} disconnect() {} });
  vi.stubGlobal("fetch", async (path: string) => new Response(JSON.stringify(answer(path)), { headers: { "Content-Type": "application/json" } }));
  window.history.replaceState(null, "", playbackPath(["1"], AT));
  model = new Model(window, prefsStore(localStorage, ["en"], ["en"]), new Store(ENGLISH), async () => true);
  const camera = readCamera({ id: "1", name: "Front gate", rights: ["playback"], recording: "on" });
  model.cameras.set(camera && [camera]);
  root = document.createElement("div");
  document.body.replaceChildren(root);
  act(() =>
    render(
      <ModelContext.Provider value={model}>
        <I18nContext.Provider value={ENGLISH}>
          <PlaybackPage />
        </I18nContext.Provider>
      </ModelContext.Provider>,
      root,
    ),
  );
  await settled();
});
afterEach(() => {
  act(() => render(null, root));
  vi.unstubAllGlobals();
});

describe("the page that plays", () => {
  it("shows a bookmark that somebody else has just written", async () => {
    press("Bookmarks and events");
    press("Bookmarks");
    await vi.waitFor(async () => {
      await settled();
      expect(root.textContent).toContain("No bookmarks yet.");
    });
    bookmarks = [BOOKMARK];
    for (const listener of model.listeners) listener("bookmark_changed", { id: "b" });
    await vi.waitFor(async () => {
      await settled();
      expect(root.textContent).toContain("Van <1>");
    });
  });

  it("lets a recording be heard of a camera that is not there, as far as there is the right", () => {
    const button = (): HTMLButtonElement | undefined => [...root.querySelectorAll("button")].find((b) => b.getAttribute("aria-label")?.startsWith("Sound o"));
    expect(button()).toBeUndefined();
    const gone = readCamera({ id: "1", name: "Front gate", rights: ["playback", "audio"], audio: false });
    act(() => model.cameras.set(gone && [gone]));
    expect(button()?.getAttribute("aria-label")).toBe("Sound on");
    type("a");
    expect(button()?.getAttribute("aria-label")).toBe("Sound off");
  });

  it("goes slower and faster in the direction in which it plays", () => {
    const speed = (): string | undefined => root.querySelector(".play-side .num")?.textContent;
    const played = [..."j[]]]l]"].map((key) => (type(key), speed()));
    expect(played).toEqual(["\u22121×", "\u22121×", "\u22122×", "\u22124×", "\u22128×", "1×", "2×"]);
  });

  it("selects with a key what the button selects", () => {
    type("o");
    expect(root.querySelector(".selection-bar")?.textContent).toContain("1\u202fmin");
  });
});
