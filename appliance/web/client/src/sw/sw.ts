/**
 * Keeps the shell of the page on the device, so that it opens at once and says that the server is away instead of an
 * error of the browser.  It never keeps answers of the interface, or video.  A new one takes over by itself.
 */

import { answerFor } from "./policy";

declare const self: ServiceWorkerGlobalScope;
declare const __SHELL__: readonly string[];
declare const __BUILD__: string;

/** Static routing (W3C Service Workers, `InstallEvent.addRoutes`), which the compiler's library does not have yet. */
interface Routing extends ExtendableEvent {
  addRoutes?(rule: { condition: { urlPattern: string }; source: "network" }): Promise<void>;
}

const CACHE = `fanal-shell-${__BUILD__}`;
const PAGE = "/index.html";
/** A server that takes longer counts as away. */
const PATIENCE_MS = 4000;
const shell = new Set<string>(["/", ...__SHELL__]);

self.addEventListener("install", (event) => {
  const keep = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    await cache.addAll(__SHELL__.map((path) => new Request(path, { cache: "reload" })));
    // Where the browser can: the interface does not pass here at all.  What a page still asks for while it closes would
    // be lost with it on the way.
    await (event as Routing).addRoutes?.({ condition: { urlPattern: "/api/*" }, source: "network" });
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const tidy = async (): Promise<void> => {
    const ours = (await caches.keys()).filter((name) => name.startsWith("fanal-shell-") && name !== CACHE);
    // the one before stays for pages that are still open: their parts are no longer on the server
    await Promise.all(ours.slice(0, -1).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

async function fromCache(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

async function fresh(request: Request, navigation: boolean): Promise<Response> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.status < 500) return response;
    return (await caches.match(navigation ? PAGE : request)) ?? response;
  } catch (error) {
    const kept = await caches.match(navigation ? PAGE : request);
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const navigation = request.mode === "navigate";
  const asked = { method: request.method, origin: url.origin, path: url.pathname, navigation, noStore: request.cache === "no-store" };
  const answer = answerFor(asked, self.location.origin, shell);
  if (answer === "cache") event.respondWith(fromCache(request));
  else if (answer === "fresh") event.respondWith(fresh(request, navigation));
});
