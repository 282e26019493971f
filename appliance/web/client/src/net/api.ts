/** The HTTP interface (design.md §9), as this page uses it.  Answers are checked; refusals are `ApiError`. */

import { readCameras, type Camera } from "../logic/cameras";
import { amount, isRecord, text } from "../logic/messages";

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  readonly secure: boolean;
}

export interface Session {
  readonly csrf: string;
  readonly user: { readonly id: string; readonly name: string; readonly role: string; readonly mustChangePassword: boolean };
  readonly administer: boolean;
  /** IANA name of the server's time zone, if it has one that this browser knows. */
  readonly zone?: string;
}

/** The server said no (RFC 9457). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly field: string | null = null,
    readonly retryAfter: number | null = null,
    /** What to do about it, in English. */
    readonly hint = "",
  ) {
    super(detail || code);
    this.name = "ApiError";
  }
}

/** The server did not answer, or not in time. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

const TIMEOUT_MS = 10_000;
const SNAPSHOT_TIMEOUT_MS = 20_000;

async function problem(response: Response): Promise<ApiError> {
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    // a proxy in between answers in its own way; the status is all there is
  }
  const data = isRecord(body) ? body : {};
  const retry = Number(response.headers.get("Retry-After"));
  return new ApiError(
    response.status,
    text(data["code"]) ?? `http_${response.status}`,
    text(data["detail"], 2000) ?? text(data["title"]) ?? "",
    text(data["field"]),
    Number.isFinite(retry) && retry > 0 ? Math.min(retry, 86_400) : null,
    text(data["hint"], 2000) ?? "",
  );
}

function readSession(body: unknown): Session {
  const data = isRecord(body) ? body : {};
  const user = isRecord(data["user"]) ? data["user"] : {};
  const rights = isRecord(data["rights"]) ? data["rights"] : {};
  const csrf = text(data["csrf"]);
  const id = text(user["id"]);
  const name = text(user["name"]);
  if (csrf === null || id === null || name === null) throw new ApiError(502, "unreadable", "");
  return {
    csrf,
    user: { id, name, role: text(user["role"]) ?? "", mustChangePassword: user["must_change_password"] === true },
    administer: rights["administer"] === true,
    ...knownZone(text(data["time_zone"])),
  };
}

function knownZone(name: string | null): { readonly zone?: string } {
  if (!name) return {};
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return { zone: name };
  } catch {
    return {};
  }
}

export class Api {
  /** Set while signed in; sent with what changes something. */
  csrf: string | null = null;

  constructor(
    private readonly base = "/api/v1",
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  async #request(method: string, path: string, body?: object, timeout = TIMEOUT_MS, stop?: AbortSignal, more: Readonly<Record<string, string>> = {}): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...more };
    if (body) headers["Content-Type"] = "application/json";
    if (method !== "GET" && this.csrf !== null) headers["X-CSRF-Token"] = this.csrf;
    let response: Response;
    try {
      response = await this.fetcher(`${this.base}${path}`, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        // what is taken away is taken away even if the page closes meanwhile
        keepalive: method === "DELETE",
        signal: stop ?? AbortSignal.timeout(timeout),
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    } catch (error) {
      throw new Unreachable(String(error));
    }
    // what stands before the server answers for it when it is away
    if ([502, 503, 504].includes(response.status) && !(response.headers.get("Content-Type") ?? "").includes("problem+json")) {
      throw new Unreachable(`status ${response.status}`);
    }
    if (!response.ok) throw await problem(response);
    return response;
  }

  async #json(method: string, path: string, body?: object, timeout = TIMEOUT_MS): Promise<unknown> {
    const response = await this.#request(method, path, body, timeout);
    if (response.status === 204) return null;
    try {
      return await response.json();
    } catch {
      throw new ApiError(502, "unreadable", "");
    }
  }

  /** For the parts of the page that are loaded on demand: an answer that nobody has looked at yet. */
  async call(method: string, path: string, body?: object, timeout = TIMEOUT_MS): Promise<unknown> {
    return this.#json(method, path, body, timeout);
  }

  /** The same for what is not JSON; whoever has the signal decides how long to wait. */
  async open(path: string, signal: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.#request("GET", path, undefined, TIMEOUT_MS, signal, headers);
  }

  async server(): Promise<ServerInfo> {
    const body = await this.#json("GET", "/server");
    const data = isRecord(body) ? body : {};
    return { name: text(data["name"], 1024) ?? "Fanal", version: text(data["version"]) ?? "", secure: data["secure"] === true };
  }

  async session(): Promise<Session> {
    return this.#keep(await this.#json("GET", "/session"));
  }

  async signIn(username: string, password: string): Promise<Session> {
    return this.#keep(await this.#json("POST", "/session", { username, password }));
  }

  #keep(body: unknown): Session {
    const session = readSession(body);
    this.csrf = session.csrf;
    return session;
  }

  async signOut(): Promise<void> {
    await this.#request("DELETE", "/session");
    this.csrf = null;
  }

  async changePassword(old: string, replacement: string): Promise<void> {
    await this.#request("POST", "/session/password", { old, new: replacement });
  }

  async cameras(): Promise<Camera[]> {
    const cameras = readCameras(await this.#json("GET", "/cameras"));
    if (cameras === null) throw new ApiError(502, "unreadable", "");
    return cameras;
  }

  async snapshot(camera: string): Promise<Blob> {
    const path = `/cameras/${encodeURIComponent(camera)}/snapshot.jpg`;
    const response = await this.#request("GET", path, undefined, SNAPSHOT_TIMEOUT_MS);
    try {
      return await response.blob();
    } catch (error) {
      throw new Unreachable(String(error));
    }
  }
}

/** Seconds to wait that a refusal names, with a floor for servers that name none. */
export function retryAfter(error: ApiError): number {
  return amount(error.retryAfter) ?? 30;
}
