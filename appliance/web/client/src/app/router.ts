/** The page's address and the steps back from it. */

import { Store } from "../logic/store";

export type Route =
  | { readonly page: "live" }
  | { readonly page: "camera"; readonly id: string }
  /** `at`: UTC milliseconds; null: live.  No cameras: those shown last. */
  | { readonly page: "playback"; readonly cameras: readonly string[]; readonly at: number | null }
  /** `tab` is empty where none is chosen; `item`: what of it is open. */
  | { readonly page: "settings"; readonly tab: string; readonly item: string | null }
  | { readonly page: "status" }
  | { readonly page: "sign-in" }
  | { readonly page: "states" }
  | { readonly page: "unknown" };

/** As many are played in step. */
export const MOST_IN_STEP = 9;

export function routeOf(address: string): Route {
  const [path = "", query = ""] = address.split("?", 2);
  if (path === "/playback") return playbackRoute(new URLSearchParams(query));
  if (path === "/") return { page: "live" };
  if (path === "/status") return { page: "status" };
  if (path === "/sign-in") return { page: "sign-in" };
  if (path === "/states") return { page: "states" };
  const settings = /^\/settings(?:\/([a-z-]{1,40})(?:\/([^/]{1,200}))?)?$/.exec(path);
  if (settings) {
    const item = settings[2] === undefined ? null : decoded(settings[2]);
    return item === undefined ? { page: "unknown" } : { page: "settings", tab: settings[1] ?? "", item };
  }
  const camera = /^\/camera\/([^/]{1,200})$/.exec(path)?.[1];
  const id = camera === undefined ? undefined : decoded(camera);
  return id === undefined ? { page: "unknown" } : { page: "camera", id };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function playbackRoute(query: URLSearchParams): Route {
  const ids = (query.get("cams") ?? "").split(",").filter((id) => id !== "" && id.length <= 64);
  const at = Date.parse(query.get("at") ?? "");
  return { page: "playback", cameras: [...new Set(ids)].slice(0, MOST_IN_STEP), at: Number.isFinite(at) && at >= 0 ? at : null };
}

/** Where these cameras are played from an instant on, or live. */
export function playbackPath(cameras: readonly string[], at: number | null): string {
  const query = [
    ...(cameras.length > 0 ? [`cams=${cameras.map(encodeURIComponent).join(",")}`] : []),
    ...(at === null ? [] : [`at=${new Date(Math.floor(at)).toISOString()}`]),
  ];
  return query.length > 0 ? `/playback?${query.join("&")}` : "/playback";
}

export function cameraPath(id: string): string {
  return `/camera/${encodeURIComponent(id)}`;
}

/** Where the cameras are set up; `item`: the id of one, or `new`. */
export function cameraSettingsPath(item: string | null = null): string {
  return item === null ? "/settings/cameras" : `/settings/cameras/${encodeURIComponent(item)}`;
}

interface State {
  /** How many steps of ours lie before this one: whether *back* stays in the page. */
  readonly depth?: number;
}

export class Router {
  readonly path: Store<string>;
  /** Where somebody wanted to go while something was not saved; null while nobody does. */
  readonly held = new Store<string | null>(null);
  #holding = 0;
  readonly #window: Window;

  constructor(scope: Window) {
    this.#window = scope;
    this.path = new Store(scope.location.pathname + scope.location.search);
    scope.addEventListener("popstate", () => {
      const wanted = scope.location.pathname + scope.location.search;
      if (this.#holding > 0 && wanted !== this.path.get()) {
        scope.history.pushState({ depth: this.#depth + 1 }, "", this.path.get());
        this.held.set(wanted);
      } else {
        this.path.set(wanted);
      }
    });
    scope.addEventListener("beforeunload", (e) => {
      if (this.#holding > 0) e.preventDefault();
    });
  }

  get route(): Route {
    return routeOf(this.path.get());
  }

  get #depth(): number {
    return (this.#window.history.state as State | null)?.depth ?? 0;
  }

  /** Until what is returned is called, leaving this page is asked about first: `held` says where to. */
  hold(): () => void {
    this.#holding++;
    let over = false;
    return () => {
      if (!over) this.#holding--;
      over = true;
    };
  }

  go(path: string): void {
    if (path === this.path.get()) return;
    if (this.#holding > 0) {
      this.held.set(path);
      return;
    }
    this.#window.history.pushState({ depth: this.#depth + 1 }, "", path);
    this.path.set(path);
  }

  replace(path: string): void {
    this.#window.history.replaceState({ depth: this.#depth }, "", path);
    this.path.set(path);
  }

  /** One step back, or to `fallback` when this page was the first. */
  back(fallback: string): void {
    if (this.#depth > 0) this.#window.history.back();
    else if (this.#holding > 0) this.held.set(fallback);
    else this.replace(fallback);
  }
}
