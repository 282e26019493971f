/** What an administrator has typed about a camera: what of it changed, what is wrong with it, what is sent. */

import { addressFault, hostOf, readAddress, type AddressFault } from "./camera-address";
import type { AdminCamera } from "./camera-admin";
import { isFingerprint, isHttp, isSecure, readFingerprint, splitOptions, type Way } from "./camera-options";

export interface Draft {
  readonly name: string;
  readonly url: string;
  /** The smaller stream's address; empty for none. */
  readonly sub: string;
  readonly username: string;
  /** Null: not touched.  Nobody ever gets one back from the server. */
  readonly password: string | null;
  readonly transport: Way;
  /** SHA-256 of the only certificate that the camera may show; empty: one that an authority vouches for. */
  readonly fingerprint: string;
}

export type FieldName = keyof Draft;

export const EMPTY: Draft = { name: "", url: "", sub: "", username: "", password: null, transport: "auto", fingerprint: "" };

export function draftOf(camera: AdminCamera): Draft {
  const [main, sub] = camera.streams;
  return { ...EMPTY, name: camera.name, url: main?.url ?? "", sub: sub?.url ?? "", username: main?.username ?? "" };
}

/** The draft as it is meant: addresses whole, and what stood in one and has a field of its own, there. */
export function tidied(draft: Draft): Draft {
  const main = readAddress(draft.url);
  const sub = readAddress(draft.sub);
  const options = splitOptions(main.url);
  const fingerprint = isSecure(options.url) ? readFingerprint(options.fingerprint ?? draft.fingerprint) : "";
  const tidy: Draft = {
    name: draft.name.trim().replace(/\s+/g, " "),
    url: options.url,
    // credentials of the smaller stream are the server's to take apart: they may be others
    sub: sub.username === null ? sub.url : draft.sub.trim(),
    username: main.username ?? draft.username.trim(),
    password: main.username === null ? draft.password : (main.password ?? draft.password),
    transport: isHttp(options.url) ? "auto" : (options.transport ?? draft.transport),
    fingerprint,
  };
  return { ...tidy, sub: withoutSame(tidy) };
}

/** The smaller stream's address, without the options that all streams of its host have. */
function withoutSame({ url, sub, transport, fingerprint }: Draft): string {
  const own = splitOptions(sub);
  const same = (own.transport ?? "auto") === transport && readFingerprint(own.fingerprint ?? "") === fingerprint;
  return same && hostOf(own.url) === hostOf(url) ? own.url : sub;
}

/** Another camera shows another certificate: what is pinned stays behind with the host, unless it was typed anew. */
export function unpinned(draft: Draft, saved: Draft | null): Draft {
  const stays = saved === null || draft.fingerprint !== saved.fingerprint || !leavesHost(draft, saved);
  return stays ? draft : { ...draft, fingerprint: "" };
}

export function changedFields(draft: Draft, saved: Draft): FieldName[] {
  return (Object.keys(saved) as FieldName[]).filter((field) => draft[field] !== saved[field]);
}

/** Whether the password that is kept is of no use any more: it never goes to another host. */
export function leavesHost(draft: Draft, saved: Draft): boolean {
  const host = hostOf(readAddress(draft.url).url);
  return host !== "" && host !== hostOf(saved.url);
}

export type Faults = Partial<Record<"name" | "url" | "sub", AddressFault>> & {
  readonly transport?: "udp";
  readonly fingerprint?: "fingerprint";
};

/** `saved`: of an existing camera, whose untouched addresses are not looked at (what is hidden in them stays). */
export function faultsOf(draft: Draft, saved: Draft | null, needsName: boolean): Faults {
  const faults: { -readonly [K in keyof Faults]: Faults[K] } = {};
  if (needsName && draft.name === "") faults.name = "empty";
  if (draft.url !== saved?.url) {
    const fault = addressFault(draft.url);
    if (fault !== null) faults.url = fault;
  }
  if (draft.sub !== "" && draft.sub !== saved?.sub) {
    const fault = addressFault(draft.sub);
    if (fault !== null) faults.sub = fault;
  }
  if (isSecure(draft.url) && draft.transport === "udp") faults.transport = "udp";
  if (draft.fingerprint !== "" && !isFingerprint(draft.fingerprint)) faults.fingerprint = "fingerprint";
  return faults;
}

/** The body of a change: only what differs. */
export function changeBody(draft: Draft, saved: Draft): Record<string, string> {
  const body: Record<string, string> = {};
  for (const field of changedFields(draft, saved)) {
    const value = draft[field];
    if (value !== null) body[field] = value;
  }
  // the server gives a new host nothing of what it keeps
  if (draft.username !== "" && leavesHost(draft, saved)) body["username"] = draft.username;
  // nor does a new address have the options of the old one
  if ("url" in body || "sub" in body) Object.assign(body, optionsOf(draft));
  return body;
}

function optionsOf({ transport, fingerprint }: Draft): Record<string, string> {
  return { ...(transport === "auto" ? {} : { transport }), ...(fingerprint === "" ? {} : { fingerprint }) };
}

/** The body of a test: of an existing camera only what differs, so that its own password is used. */
export function testBody(draft: Draft, saved: Draft | null, camera: string | null): Record<string, string> {
  if (saved !== null && camera !== null) {
    const { name: _, ...body } = changeBody(draft, saved);
    return { ...body, camera };
  }
  const { name: _, ...body } = newBody(draft);
  return body;
}

export function newBody(draft: Draft): Record<string, string> {
  const body: Record<string, string> = { name: draft.name, url: draft.url };
  if (draft.sub !== "") body["sub"] = draft.sub;
  if (draft.username !== "") body["username"] = draft.username;
  if (draft.password !== null && draft.password !== "") body["password"] = draft.password;
  return { ...body, ...optionsOf(draft) };
}

/** What a test depends on: its result counts while this stays the same. */
export function testKey({ url, sub, username, password, transport, fingerprint }: Draft): string {
  return JSON.stringify([url, sub, username, password, transport, fingerprint]);
}

