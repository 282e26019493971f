// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ENGLISH } from "../i18n/languages";
import { Store } from "../logic/store";
import { Model } from "./model";
import { readPrefs } from "./prefs";

const SESSION = { token: "", csrf: "c", user: { id: "1", name: "anna", role: "viewer", must_change_password: false }, rights: { administer: false }, time_zone: "Asia/Tokyo" };

/** What the server answers to DELETE /session, when the test has it answer. */
let answer: ((response: Response | Error) => void) | null;
let model: Model;

/** Once it was asked. */
async function answers(response: Response | Error): Promise<void> {
  await vi.waitFor(() => expect(answer).not.toBeNull());
  answer?.(response);
  answer = null;
}

beforeEach(async () => {
  answer = null;
  vi.stubGlobal("ResizeObserver", class { observe(): void {} unobserve(): void {} disconnect(): void {} });
  vi.stubGlobal("IntersectionObserver", class { observe(): void {} unobserve(): void {} disconnect(): void {} });
  vi.stubGlobal("fetch", (address: string, init?: RequestInit) => {
    const path = String(address);
    if (init?.method === "DELETE") {
      return new Promise<Response>((resolve, reject) => {
        answer = (response) => (response instanceof Error ? reject(response) : resolve(response));
      });
    }
    if (path.endsWith("/events")) return new Promise<Response>(() => undefined);
    const body = path.endsWith("/session") ? SESSION : path.endsWith("/cameras") ? { cameras: [] } : {};
    return Promise.resolve(new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } }));
  });
  model = new Model(window, new Store(readPrefs(null, ["en"], ["en"])), new Store(ENGLISH), () => Promise.resolve(true));
  await model.signIn("anna", "secret");
});
afterEach(() => {
  model.host.dispose();
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  it("shows times as the server's clock has them, if the browser knows that zone", async () => {
    expect(model.i18n.get().zone).toBe("Asia/Tokyo");
    SESSION.time_zone = "Nowhere/At_all";
    await model.signIn("anna", "secret");
    expect(model.i18n.get().zone).toBe(undefined);
  });
});

describe("signing out", () => {
  const states = (): string[] => {
    const seen: string[] = [];
    model.session.subscribe(() => seen.push(model.session.get().state));
    return seen;
  };

  it("is not called the end of the session, which the server tells everybody at the same time", async () => {
    const seen = states();
    const done = model.signOut();
    await vi.waitFor(() => expect(answer).not.toBeNull());
    model.sessionEnded();
    await answers(new Response(null, { status: 204 }));
    await done;
    expect(seen).toEqual(["out"]);
  });

  it("that was not answered leaves the session as it is: there, or ended meanwhile", async () => {
    let done = model.signOut();
    await answers(new Error("network"));
    await done;
    expect(model.session.get().state).toBe("in");
    done = model.signOut();
    await vi.waitFor(() => expect(answer).not.toBeNull());
    model.sessionEnded();
    await answers(new Error("network"));
    await done;
    expect(model.session.get().state).toBe("ended");
  });
});
