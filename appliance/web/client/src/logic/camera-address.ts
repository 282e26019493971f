/** Addresses of cameras as people type them, before the server looks at them. */

export interface Typed {
  /** With its scheme, without user and password. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
}

export type AddressFault = "empty" | "scheme" | "host" | "hidden";

/** What the server shows instead of a password inside a path. */
export const HIDDEN = "•••";

/** The demo camera's streams, and files of the server, are no addresses of anything on a network. */
export function isInside(url: string): boolean {
  return isDemo(url) || url.startsWith("file:");
}

export function isDemo(url: string): boolean {
  return url.startsWith("demo:");
}

const SCHEMES: readonly string[] = ["rtsp", "rtsps", "http", "https"];
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign of its own: the server says what it thinks of it
  }
}

/** `192.168.1.21/main` → `rtsp://192.168.1.21/main`; user and password in front of the host are taken out of it. */
export function readAddress(text: string): Typed {
  const trimmed = text.trim();
  if (trimmed === "" || isInside(trimmed)) return { url: trimmed, username: null, password: null };
  const whole = SCHEME.test(trimmed) ? trimmed : `rtsp://${trimmed.replace(/^\/+/, "")}`;
  const match = /^([^:]+:\/\/)([^/?#]*)@([^/?#@]*)(.*)$/s.exec(whole);
  if (!match) return { url: whole, username: null, password: null };
  const [, scheme = "", userinfo = "", host = "", rest = ""] = match;
  const colon = userinfo.indexOf(":");
  return {
    url: `${scheme}${host}${rest}`,
    username: decoded(colon < 0 ? userinfo : userinfo.slice(0, colon)),
    password: colon < 0 ? null : decoded(userinfo.slice(colon + 1)),
  };
}

/** What is plainly wrong with an address that `readAddress` gave; the server checks the rest. */
export function addressFault(url: string): AddressFault | null {
  if (url === "") return "empty";
  if (url.includes(HIDDEN)) return "hidden";
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || !SCHEMES.includes(scheme)) return "scheme";
  return hostOf(url) === "" ? "host" : null;
}

/** Host and, where it says one, port: `192.168.1.21:8554`. */
export function placeOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(url)?.[1] ?? "";
}

export function hostOf(url: string): string {
  return placeOf(url).replace(/:\d*$/, "").toLowerCase();
}

/** The name, or with a number behind it the first that nobody has. */
export function freeName(wanted: string, taken: readonly string[]): string {
  const folded = new Set(taken.map((name) => name.normalize("NFKC").toLocaleLowerCase().trim()));
  const free = (name: string): boolean => !folded.has(name.normalize("NFKC").toLocaleLowerCase());
  if (free(wanted)) return wanted;
  for (let n = 2; ; n++) if (free(`${wanted} ${n}`)) return `${wanted} ${n}`;
}
