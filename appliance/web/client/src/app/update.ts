/**
 * After an upgrade of the server the browser gets the new page by itself (CLI-9): the service worker keeps only the
 * shell and fetches it anew on every visit, and a page that is open asks whether it is still the one given out.
 */

/** The scripts that a page is made of: their names change with their content. */
export function scriptsOf(html: string): string {
  return [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => m[1]).sort().join();
}

/** Whether the server still gives out the page that is running.  Rejects when the server cannot be asked. */
export async function isCurrentPage(running: Document): Promise<boolean> {
  const response = await fetch("/index.html", { cache: "no-store", credentials: "same-origin" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const given = scriptsOf(await response.text());
  const own = scriptsOf(running.documentElement.getAttribute("data-shell") ?? "");
  return given === "" || own === "" || given === own;
}

/** Remember what this page was made of before anything is added to it. */
export function markShell(running: Document): void {
  const parts = [...running.querySelectorAll<HTMLElement>("script[src], link[href]")].map((e) => `src="${e.getAttribute("src") ?? e.getAttribute("href") ?? ""}"`);
  running.documentElement.setAttribute("data-shell", parts.join(" "));
}

export function registerServiceWorker(scope: Window): void {
  if (!import.meta.env.PROD || !("serviceWorker" in scope.navigator)) return;
  // refused where the certificate is not trusted: the page works without
  void scope.navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
}
