/**
 * The page's one model: who is signed in, which cameras there are, whether the server can be reached, and the players.
 * Views read its stores and call its methods; nothing of it is drawn here.
 */

import { inZone, type Translator } from "../i18n/translator";
import { Announcer } from "../logic/announce";
import { applyEvent, mayWatch, type Camera } from "../logic/cameras";
import { amount, isRecord } from "../logic/messages";
import type { ServerEvent } from "../logic/sse";
import { Store } from "../logic/store";
import { Api, ApiError, Unreachable, type ServerInfo, type Session } from "../net/api";
import { EventStream } from "../net/event-stream";
import type { Refusal } from "../player/live-socket";
import { PlayerHost } from "../player/player-host";
import type { Prefs } from "./prefs";
import { Router } from "./router";
import { Toasts } from "./toasts";

export type SessionState =
  | { readonly state: "unknown" }
  | { readonly state: "out" }
  | { readonly state: "in"; readonly session: Session }
  /** It ended while working: the page stays under a sign-in card. */
  | { readonly state: "ended"; readonly session: Session };

export type Connection =
  | { readonly state: "up" }
  | { readonly state: "down"; readonly since: number; readonly sinceUtc: number; readonly nextTryAt: number }
  /** Up again a moment ago. */
  | { readonly state: "back" };

export type Sheet = "account" | "password" | "keys" | null;

/** An interruption shorter than this is not worth a word. */
const TOLD_AFTER_MS = 2000;
const A_MOMENT_MS = 30_000;
const BACK_SHOWN_MS = 2000;
const REFETCH_MS = 300;
const DOUBT_EVERY_MS = 10_000;

export class Model {
  readonly server = new Store<ServerInfo | null>(null);
  readonly session = new Store<SessionState>({ state: "unknown" });
  /** Null until they are known. */
  readonly cameras = new Store<readonly Camera[] | null>(null);
  readonly connection = new Store<Connection>({ state: "up" });
  /** The server runs another version than the one this page came from. */
  readonly updated = new Store(false);
  readonly toasts = new Toasts();
  /** Said to screen readers. */
  readonly spoken = new Store("");
  readonly api: Api;
  readonly router: Router;
  readonly prefs: Store<Prefs>;
  readonly i18n: Store<Translator>;
  readonly host: PlayerHost;
  /** Camera whose sound is on. */
  readonly sound = new Store<string | null>(null);
  /** The camera that was opened last: the grid gives it the focus back. */
  lastCamera: string | null = null;
  /** Cameras that are removed unless somebody thinks again. */
  readonly leaving = new Store<ReadonlySet<string>>(new Set());
  /** What is open over the page. */
  readonly sheet = new Store<Sheet>(null);
  /** The cameras that were played last. */
  played: readonly string[] = [];
  /** Whether *Why do I see this?* is open beside a camera. */
  readonly whyOpen = new Store(false);

  readonly #announcer = new Announcer();
  /** Hear what the server tells by itself, whatever it is. */
  readonly listeners = new Set<(event: string, body: unknown) => void>();
  readonly #events: EventStream;
  readonly #currentPage: () => Promise<boolean>;
  #version: string | null = null;
  /** How far this device's clock is behind the server's. */
  #clockBehindMs = 0;
  #refetch: ReturnType<typeof setTimeout> | null = null;
  #quiet: ReturnType<typeof setTimeout> | null = null;
  #latest: Connection | null = null;
  #doubtedAt = -Infinity;
  #wakeStart: (() => void) | null = null;
  #signingOut = false;
  /** The session ended while somebody was signing out. */
  #endedMeanwhile = false;

  /** `currentPage` tells whether the server still gives out the page that is running. */
  constructor(scope: Window, prefs: Store<Prefs>, i18n: Store<Translator>, currentPage: () => Promise<boolean>) {
    this.prefs = prefs;
    this.i18n = i18n;
    this.#currentPage = currentPage;
    this.api = new Api();
    this.router = new Router(scope);
    const origin = scope.location.origin.replace(/^http/, "ws");
    this.host = new PlayerHost(`${origin}/api/v1`, { refused: (_camera, why) => this.#playerRefused(why) });
    this.#events = new EventStream("/api/v1/events", {
      up: () => this.#up(),
      down: (since, nextTryAt) => this.#down(since, nextTryAt),
      event: (event) => this.#event(event),
      unauthorized: () => this.sessionEnded(),
    });
    scope.addEventListener("online", () => {
      this.tryNow();
      this.#doubt();
    });
    scope.addEventListener("offline", () => this.#doubt());
    scope.addEventListener("pagehide", () => void this.toasts.settle());
    scope.document.addEventListener("visibilitychange", () => {
      if (!scope.document.hidden && this.connection.get().state === "down") this.tryNow();
      if (scope.document.hidden && this.updated.get()) scope.location.reload();
    });
  }

  /** Find out who is there.  Goes on trying while the server cannot be reached. */
  async start(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        // the name is for the sign-in page and the title only: nothing waits for it
        void this.#loadServer();
        this.#signedIn(await this.api.session());
        this.#answered();
        return;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) {
          this.#answered();
          this.session.set({ state: "out" });
          if (this.router.route.page !== "states") this.router.replace("/sign-in");
          return;
        }
        const wait = [1000, 2000, 4000, 8000, 15_000][Math.min(attempt, 4)] ?? 15_000;
        const now = performance.now();
        const before = this.connection.get();
        const since = before.state === "down" ? before : { since: now - TOLD_AFTER_MS, sinceUtc: Date.now() };
        this.connection.set({ state: "down", since: since.since, sinceUtc: since.sinceUtc, nextTryAt: now + wait });
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait);
          this.#wakeStart = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  }

  #answered(): void {
    if (this.connection.get().state === "down") this.#backAgain();
  }

  async #loadServer(): Promise<void> {
    try {
      const info = await this.api.server();
      this.server.set(info);
      this.#version ??= info.version;
    } catch (error) {
      if (!(error instanceof Unreachable || error instanceof ApiError)) throw error;
    }
  }

  // ---- session ----

  /** Throws ApiError (`bad_credentials`, `locked`) or Unreachable. */
  async signIn(username: string, password: string): Promise<void> {
    this.#signedIn(await this.api.signIn(username, password));
  }

  #signedIn(session: Session): void {
    const before = this.session.get();
    if (before.state === "ended" && before.session.user.id !== session.user.id) {
      // somebody else: what the one before saw is not theirs
      this.host.clear();
      this.cameras.set(null);
    }
    this.session.set({ state: "in", session });
    if (this.i18n.get().zone !== session.zone) this.i18n.update((now) => inZone(now, session.zone));
    if (this.router.route.page === "sign-in" || this.router.route.page === "unknown") this.router.replace("/");
    this.host.resume();
    this.#events.start();
    void this.loadCameras();
  }

  async signOut(): Promise<void> {
    await this.toasts.settle();
    this.#signingOut = true;
    this.#endedMeanwhile = false;
    try {
      await this.api.signOut();
    } catch (error) {
      const gone = error instanceof ApiError && error.status === 401;
      if (!gone) {
        this.#signingOut = false;
        if (this.#endedMeanwhile) this.sessionEnded();
        else this.toasts.add("bad", this.i18n.get().t("The server did not answer. You are still signed in."));
        return;
      }
    }
    this.#signingOut = false;
    this.#events.stop();
    this.setSound(null);
    this.host.clear();
    this.cameras.set(null);
    this.connection.set({ state: "up" });
    this.session.set({ state: "out" });
    this.router.replace("/sign-in");
  }

  sessionEnded(): void {
    const before = this.session.get();
    // whoever signs out is not told that the session has ended, nor asked to sign in over it
    this.#endedMeanwhile = true;
    if (before.state !== "in" || this.#signingOut) return;
    this.#events.stop();
    this.setSound(null);
    this.host.suspend();
    this.connection.set({ state: "up" });
    this.session.set({ state: "ended", session: before.session });
  }

  /** Throws ApiError or Unreachable. */
  async changePassword(old: string, replacement: string): Promise<void> {
    await this.api.changePassword(old, replacement);
    this.session.update((now) =>
      now.state === "in"
        ? { state: "in", session: { ...now.session, user: { ...now.session.user, mustChangePassword: false } } }
        : now,
    );
  }

  // ---- cameras ----

  async loadCameras(): Promise<void> {
    try {
      this.#setCameras(await this.api.cameras());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.sessionEnded();
      else if (!(error instanceof Unreachable || error instanceof ApiError)) throw error;
      // else: the events' next connection asks again
    }
  }

  #setCameras(cameras: readonly Camera[]): void {
    this.cameras.set(cameras);
    const sound = this.sound.get();
    if (sound !== null && !cameras.some((c) => c.id === sound && c.rights.includes("audio"))) this.setSound(null);
    this.host.retain(new Set(cameras.filter(mayWatch).map((c) => c.id)), new Set(cameras.map((c) => c.id)));
  }

  /** Ask for the list again soon: rights or their order changed. */
  #reload(): void {
    this.#refetch ??= setTimeout(() => {
      this.#refetch = null;
      if (this.session.get().state === "in") void this.loadCameras();
    }, REFETCH_MS);
  }

  #playerRefused(why: Refusal): void {
    if (why === "session") this.sessionEnded();
    else if (why === "silence") this.#doubt();
    else this.#reload(); // the list tells what a refused socket cannot
  }

  /** Sound of one camera or none; call it inside the tap or key that asks for it. */
  setSound(camera: string | null): void {
    this.host.setSound(camera);
    this.sound.set(camera);
  }

  /** Tell a screen reader that something changed at a camera; not too often. */
  say(camera: string, text: string): void {
    if (this.#announcer.admit(camera, text, performance.now())) this.spoken.set(text);
  }

  // ---- connection ----

  /** Something speaks against the connection: make sure, but not for every picture that says so. */
  #doubt(): void {
    const now = performance.now();
    if (now - this.#doubtedAt < DOUBT_EVERY_MS || this.connection.get().state === "down") return;
    this.#doubtedAt = now;
    this.#events.restart();
  }

  tryNow(): void {
    this.#wakeStart?.();
    this.#events.retryNow();
    this.host.retryNow();
  }

  #up(): void {
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    this.#quiet = null;
    if (this.connection.get().state === "down") this.#backAgain();
    this.host.retryNow();
    this.#reload(); // whatever happened meanwhile
  }

  #backAgain(): void {
    this.connection.set({ state: "back" });
    setTimeout(() => {
      if (this.connection.get().state === "back") this.connection.set({ state: "up" });
    }, BACK_SHOWN_MS);
  }

  #down(since: number, nextTryAt: number): void {
    const now = performance.now();
    this.#latest = { state: "down", since, sinceUtc: Date.now() - (now - since), nextTryAt };
    if (now - since >= TOLD_AFTER_MS || this.connection.get().state === "down") {
      this.connection.set(this.#latest);
      return;
    }
    this.#quiet ??= setTimeout(() => {
      this.#quiet = null;
      if (this.session.get().state === "in" && this.#latest) this.connection.set(this.#latest);
    }, TOLD_AFTER_MS - (now - since));
  }

  #event({ event, data }: ServerEvent): void {
    let body: unknown;
    try {
      body = JSON.parse(data);
    } catch {
      return; // an event of a later version, perhaps
    }
    for (const listener of [...this.listeners]) listener(event, body);
    switch (event) {
      case "hello":
        if (!isRecord(body)) break;
        this.#setClock(amount(body["utc_ms"]));
        if (typeof body["version"] === "string") void this.#hello(body["version"]);
        break;
      case "session_ended":
        this.sessionEnded();
        break;
      case "rights_changed":
        this.#reload();
        break;
      case "camera_added":
      case "camera_changed":
        this.#reload(); // its place in the order is the server's to say
        this.#apply(event, body);
        break;
      default:
        this.#apply(event, body);
    }
  }

  /** UTC milliseconds by the server's clock, as far as it is known. */
  now(): number {
    return Date.now() + this.#clockBehindMs;
  }

  /** Where *Play back* begins: who presses it has just seen something. */
  aMomentAgo(): number {
    return this.now() - A_MOMENT_MS;
  }

  #setClock(serverMs: number | null): void {
    if (serverMs !== null) this.#clockBehindMs = serverMs - Date.now();
  }

  #apply(event: string, body: unknown): void {
    const cameras = this.cameras.get();
    if (!cameras) return;
    const next = applyEvent(cameras, event, body);
    if (next !== cameras) this.#setCameras(next);
  }

  /** After every connection: a server that was upgraded meanwhile has another page for us. */
  async #hello(version: string): Promise<void> {
    if (this.#version !== null && this.#version !== version) void this.#loadServer();
    this.#version = version;
    try {
      if (!(await this.#currentPage())) this.updated.set(true);
    } catch {
      // asked again at the next connection
    }
  }
}
