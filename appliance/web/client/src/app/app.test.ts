// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { answerFor, type Asked } from "../sw/policy";
import { darkOrLight, prefsStore, readPrefs } from "./prefs";
import { cameraPath, cameraSettingsPath, playbackPath, routeOf, Router } from "./router";
import { Toasts } from "./toasts";
import { scriptsOf } from "./update";

describe("addresses", () => {
  it("name pages", () => {
    expect(routeOf("/")).toEqual({ page: "live" });
    expect(routeOf("/status")).toEqual({ page: "status" });
    expect(routeOf("/sign-in")).toEqual({ page: "sign-in" });
    expect(routeOf(cameraPath("a b/ü"))).toEqual({ page: "camera", id: "a b/ü" });
    expect(routeOf("/settings")).toEqual({ page: "settings", tab: "", item: null });
    expect(routeOf("/settings/cameras")).toEqual({ page: "settings", tab: "cameras", item: null });
    expect(routeOf(cameraSettingsPath("a/b"))).toEqual({ page: "settings", tab: "cameras", item: "a/b" });
    for (const path of ["/settings/", "/settings/cameras/", "/settings/cameras/a/b", "/settings/cameras/%E0%A4%A", "/settings/<b>"]) {
      expect(routeOf(path)).toEqual({ page: "unknown" });
    }
    for (const path of ["/camera/", "/camera/a/b", "/camera/%E0%A4%A", "/else", "//", ""]) expect(routeOf(path)).toEqual({ page: "unknown" });
  });

  it("say which cameras are played, and from when", () => {
    const at = Date.UTC(2026, 2, 12, 14, 18, 36, 240);
    const path = playbackPath(["a", "b,c"], at + 0.7);
    expect(path).toBe("/playback?cams=a,b%2Cc&at=2026-03-12T14:18:36.240Z");
    expect(routeOf(playbackPath(["a", "b"], at))).toEqual({ page: "playback", cameras: ["a", "b"], at });
    expect(routeOf("/playback")).toEqual({ page: "playback", cameras: [], at: null });
    expect(routeOf("/playback?cams=a,a,,b&at=yesterday")).toEqual({ page: "playback", cameras: ["a", "b"], at: null });
    expect(routeOf(`/playback?cams=${"x".repeat(65)},${[..."abcdefghijk"].join()}`)).toMatchObject({ cameras: [..."abcdefghi"] });
    expect(routeOf("/?utm=1")).toEqual({ page: "live" });
  });

  it("go back within the page, and to the grid from a page that was opened directly", () => {
    window.history.replaceState(null, "", "/camera/1");
    const router = new Router(window);
    router.back("/");
    expect(router.path.get()).toBe("/");
    router.go("/camera/2");
    expect(window.location.pathname).toBe("/camera/2");
    expect((window.history.state as { depth: number }).depth).toBe(1);
    router.replace("/camera/3");
    expect((window.history.state as { depth: number }).depth).toBe(1);
  });
});

describe("leaving with changes", () => {
  it("asks first, and goes where was wanted when nothing holds any more", () => {
    window.history.replaceState(null, "", "/settings/cameras/1");
    const router = new Router(window);
    const release = router.hold();
    router.go("/");
    expect([router.path.get(), router.held.get()]).toEqual(["/settings/cameras/1", "/"]);
    router.held.set(null);
    router.back("/settings/cameras"); // a page that was opened directly
    expect([router.path.get(), router.held.get()]).toEqual(["/settings/cameras/1", "/settings/cameras"]);
    const closing = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(closing);
    expect(closing.defaultPrevented).toBe(true);
    release();
    release(); // once is enough
    router.go("/");
    expect(router.path.get()).toBe("/");
    const again = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(again);
    expect(again.defaultPrevented).toBe(false);
  });
  it("asks on the way back too, and stays where it was meanwhile", () => {
    window.history.replaceState(null, "", "/settings/cameras/1");
    const router = new Router(window);
    const release = router.hold();
    window.history.replaceState(null, "", "/settings/cameras"); // what the browser does before it says so
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect([window.location.pathname, router.path.get(), router.held.get()]).toEqual(["/settings/cameras/1", "/settings/cameras/1", "/settings/cameras"]);
    release();
    window.history.replaceState(null, "", "/settings/cameras");
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect(router.path.get()).toBe("/settings/cameras");
  });
});

describe("what was chosen on this device", () => {
  const known = ["en", "fr"];
  it("is kept", () => {
    window.localStorage.clear();
    const store = prefsStore(window.localStorage, ["de-DE", "fr-CA"], known);
    expect(store.get()).toMatchObject({ language: "fr", theme: "dark", choice: "auto", characterKeys: true });
    store.update((p) => ({ ...p, theme: "light", choice: 9, portraitColumns: 3 }));
    expect(prefsStore(window.localStorage, ["en"], known).get()).toMatchObject({ language: "fr", theme: "light", choice: 9, portraitColumns: 3 });
  });
  it("survives what others wrote there, and a browser that refuses", () => {
    for (const stored of ["", "{", "null", "[]", '"x"', '{"theme":5,"choice":7,"language":"xx","portraitColumns":99}']) {
      expect(readPrefs(stored, ["en"], known)).toMatchObject({ theme: "dark", choice: "auto", language: "en", portraitColumns: null });
    }
    const refusing = { getItem: () => { throw new Error("refused"); }, setItem: () => { throw new Error("refused"); } } as unknown as Storage;
    const store = prefsStore(refusing, [], known);
    store.update((p) => ({ ...p, theme: "light" }));
    expect(store.get().theme).toBe("light");
  });
  it("follows the device only when asked to", () => {
    expect([darkOrLight("system", true), darkOrLight("system", false), darkOrLight("dark", true)]).toEqual(["light", "dark", "dark"]);
  });
});

describe("toasts", () => {
  it("are at most two; an error outlives news, and nothing is said twice", () => {
    const toasts = new Toasts();
    toasts.add("bad", "error");
    toasts.add("good", "one");
    toasts.add("good", "two");
    toasts.add("good", "two");
    expect(toasts.list.get().map((t) => t.text)).toEqual(["error", "two"]);
    toasts.close(toasts.list.get()[0]!.id);
    expect(toasts.list.get().map((t) => t.text)).toEqual(["two"]);
  });
});

describe("a deed that can be undone", () => {
  const undoable = (toasts: Toasts, text = "gone"): string[] => {
    const said: string[] = [];
    toasts.addUndo(text, "Undo", () => said.push("undone"), async () => void said.push("done"));
    return said;
  };
  it("happens when its toast goes, and not when it is undone", () => {
    const toasts = new Toasts();
    const said = undoable(toasts);
    expect(toasts.list.get()[0]?.shownMs).toBe(8000);
    toasts.act(toasts.list.get()[0]!.id);
    expect([said, toasts.list.get()]).toEqual([["undone"], []]);
    const again = undoable(toasts);
    toasts.close(toasts.list.get()[0]!.id);
    toasts.close(1);
    expect(again).toEqual(["done"]);
  });
  it("happens when others push its toast out, and two of the same are two", () => {
    const toasts = new Toasts();
    const said = [undoable(toasts), undoable(toasts)];
    expect(toasts.list.get()).toHaveLength(2);
    toasts.add("good", "something else");
    expect(said).toEqual([["done"], []]);
  });
  it("happens at once before the page closes", async () => {
    const toasts = new Toasts();
    const said = undoable(toasts);
    toasts.add("good", "stays");
    await toasts.settle();
    expect([said, toasts.list.get().map((t) => t.text)]).toEqual([["done"], ["stays"]]);
    await toasts.settle();
    expect(said).toEqual(["done"]);
  });
});

describe("a new version", () => {
  it("is told by the names of the scripts", () => {
    const page = '<script src="/theme.js"></script><script type="module" crossorigin src="/assets/index-abc.js"></script><link rel="stylesheet" href="/assets/index-def.css">';
    expect(scriptsOf(page)).toBe("/assets/index-abc.js,/assets/index-def.css");
    expect(scriptsOf("<p>")).toBe("");
  });
});

describe("the service worker", () => {
  const asked: Asked = { method: "GET", origin: "https://here", path: "/", navigation: false, noStore: false };
  const shell = new Set(["/", "/index.html", "/theme.js", "/manifest.webmanifest"]);
  const answer = (more: Partial<Asked>): string => answerFor({ ...asked, ...more }, "https://here", shell);
  it("never keeps the interface or video", () => {
    for (const path of ["/api/v1/session", "/api/v1/cameras/1/snapshot.jpg", "/api/v1/events", "/metrics", "/trust", "/trust/ca.crt", "/XProtectMobile/x"]) {
      expect(answer({ path })).toBe("network");
      expect(answer({ path, navigation: true })).toBe("network");
    }
    expect(answer({ method: "POST" })).toBe("network");
    expect(answer({ origin: "https://there", path: "/assets/x.js" })).toBe("network");
    expect(answer({ path: "/index.html", noStore: true })).toBe("network");
    expect(answer({ path: "/unknown" })).toBe("network");
  });
  it("gives the page fresh while the server answers", () => {
    expect(answer({ path: "/camera/1", navigation: true })).toBe("fresh");
    expect(answer({ path: "/theme.js" })).toBe("fresh");
    expect(answer({ path: "/assets/index-abc.js" })).toBe("cache");
  });
});
