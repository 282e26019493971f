/** How a camera is reached, as the server keeps it behind the `#` of an address (`#transport=udp&fingerprint=…`,
 *  `#fps=5&fingerprint=…` over HTTP). */

export const WAYS = ["auto", "tcp", "udp", "http"] as const;
export type Way = (typeof WAYS)[number];

export interface Split {
  readonly url: string;
  /** Null: not said, or nothing known. */
  readonly transport: Way | null;
  readonly fingerprint: string | null;
}

const KEYS = new Set(["transport", "fingerprint"]);
/** `fps` has no field of its own: it stays in the address. */
const HTTP_KEYS = new Set(["fps", "fingerprint"]);

/** Some cameras have a `#` in their paths: what holds anything else, or says nothing known, stays in the address. */
export function splitOptions(text: string): Split {
  const whole: Split = { url: text, transport: null, fingerprint: null };
  const at = text.lastIndexOf("#");
  if (at < 0) return whole;
  const keys = isHttp(text) ? HTTP_KEYS : KEYS;
  const said = new Map<string, string>();
  const stays: string[] = [];
  for (const part of text.slice(at + 1).split("&")) {
    const equals = part.indexOf("=");
    const key = part.slice(0, Math.max(equals, 0));
    if (!keys.has(key)) return whole;
    if (KEYS.has(key)) said.set(key, part.slice(equals + 1));
    else stays.push(part);
  }
  const typed = said.get("transport");
  const transport = WAYS.find((way) => way === typed?.trim().toLowerCase()) ?? null;
  if (typed !== undefined && transport === null) return whole;
  const rest = stays.length > 0 ? `#${stays.join("&")}` : "";
  return { url: text.slice(0, at) + rest, transport, fingerprint: said.get("fingerprint") ?? null };
}

/** Whether the camera shows a certificate. */
export function isSecure(url: string): boolean {
  return /^(rtsps|https):/i.test(url.trim());
}

/** There is one transport only then. */
export function isHttp(url: string): boolean {
  return /^https?:/i.test(url.trim());
}

/** A SHA-256 fingerprint as people copy it, with colons or spaces, in any case: as it is kept.  Else as it is. */
export function readFingerprint(text: string): string {
  const digits = text.toLowerCase().replace(/^\s*sha-?256:/, "").replace(/[\s:-]/g, "");
  return isFingerprint(digits) ? digits : text.trim();
}

export function isFingerprint(digits: string): boolean {
  return /^[0-9a-f]{64}$/.test(digits);
}

/** As the pages of cameras and openssl show it; what is none, as it is. */
export function showFingerprint(text: string): string {
  return isFingerprint(text) ? (text.toUpperCase().match(/../g) ?? []).join(":") : text;
}

/** In lines of eight bytes, to be compared by eye. */
export function fingerprintLines(text: string): string[] {
  return showFingerprint(readFingerprint(text)).match(/(?:[0-9A-F]{2}:?){1,8}/g) ?? [];
}
