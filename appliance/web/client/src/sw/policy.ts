/** What the service worker does with a request.  Pure. */

export type Answer =
  /** Not touched: everything that is not the shell. */
  | "network"
  /** From the cache; its name changes with its content. */
  | "cache"
  /** From the server, so that a new version comes at once; from the cache when it does not answer. */
  | "fresh";

export interface Asked {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  /** A page is being opened. */
  readonly navigation: boolean;
  /** The page asks past every cache. */
  readonly noStore: boolean;
}

export function answerFor(asked: Asked, ownOrigin: string, shell: ReadonlySet<string>): Answer {
  if (asked.method !== "GET" || asked.origin !== ownOrigin || asked.noStore) return "network";
  // the interface, video and whatever else the server has are never kept
  if (/^\/(api|healthz|metrics|trust|XProtectMobile|upnp|\.well-known)(\/|$)/.test(asked.path)) return "network";
  if (asked.navigation) return "fresh";
  if (asked.path.startsWith("/assets/")) return "cache";
  return shell.has(asked.path) ? "fresh" : "network";
}
