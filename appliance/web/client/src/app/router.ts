/** The page's address and the steps back from it. */

import { Store } from "../logic/store";

export type Route =
  | { readonly page: "live" }
  | { readonly page: "camera"; readonly id: string }
  | { readonly page: "sign-in" }
  | { readonly page: "states" }
  | { readonly page: "unknown" };

export function routeOf(path: string): Route {
  if (path === "/") return { page: "live" };
  if (path === "/sign-in") return { page: "sign-in" };
  if (path === "/states") return { page: "states" };
  const camera = /^\/camera\/([^/]{1,200})$/.exec(path)?.[1];
  if (camera !== undefined) {
    try {
      return { page: "camera", id: decodeURIComponent(camera) };
    } catch {
      return { page: "unknown" };
    }
  }
  return { page: "unknown" };
}

export function cameraPath(id: string): string {
  return `/camera/${encodeURIComponent(id)}`;
}

interface State {
  /** How many steps of ours lie before this one: whether *back* stays in the page. */
  readonly depth?: number;
}

export class Router {
  readonly path: Store<string>;
  readonly #window: Window;

  constructor(scope: Window) {
    this.#window = scope;
    this.path = new Store(scope.location.pathname);
    scope.addEventListener("popstate", () => this.path.set(scope.location.pathname));
  }

  get route(): Route {
    return routeOf(this.path.get());
  }

  get #depth(): number {
    return (this.#window.history.state as State | null)?.depth ?? 0;
  }

  go(path: string): void {
    if (path === this.path.get()) return;
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
    else this.replace(fallback);
  }
}
