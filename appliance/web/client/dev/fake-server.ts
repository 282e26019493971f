/**
 * A fake Fanal inside Vite, for working on the page without cameras: `npm run dev`, user `admin`, password `fanal`.
 * It follows the HTTP interface (design.md §9) closely enough to develop against, and can be told to misbehave:
 * `POST /dev` with `{"do": "lose" | "return" | "wait" | "add" | "remove" | "deny" | "allow" | "end" | "drop" | "run" |
 * "stall" | "skip" | "break" | "update", "camera": number}`.  Never part of the bundle.
 */

import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Connect, Plugin } from "vite";
import { clip, SCENE_COUNT, type Clip } from "./media.ts";
import { ServerSocket } from "./web-socket.ts";

const NAMES = ["Front gate", "Loading dock", "Car park east", "Warehouse aisle 3", "Reception", "Server room", "Corridor, level 2", "Roof", "Bicycle shed", "Harbour side", "Quai éclairé", "Ventilation plant", "Main entrance", "Staircase B", "Archive", "Canteen", "Car park west", "Forklift bay", "North fence", "South fence"];
const TICK_MS = 20;
const STATUS = { ok: "ok", waiting: "waiting", lost: "lost" } as const;

interface Camera {
  readonly id: string;
  name: string;
  readonly scene: number;
  readonly sound: boolean;
  state: keyof typeof STATUS;
  reason: string | null;
  rights: string[];
  /** Unix seconds of decode time 0 of the run. */
  zero: number;
  stalledUntil: number;
}

interface Viewer {
  readonly camera: Camera;
  readonly socket: ServerSocket;
  clip: Clip | null;
  name: string;
  /** Seconds of the run already sent. */
  sent: number;
  paused: boolean;
  audio: boolean;
  wide: boolean;
}

function stamp(clipUsed: Clip, index: number, loop: number): Buffer {
  const fragment = clipUsed.fragments[index];
  if (!fragment) throw new Error("no such fragment");
  const ticks = fragment.ticks + BigInt(loop * clipUsed.seconds * (clipUsed.timescales.get(fragment.track) ?? 1));
  const data = Buffer.from(fragment.data);
  if (fragment.wide) data.writeBigUInt64BE(ticks, fragment.at);
  else data.writeUInt32BE(Number(ticks & 0xffffffffn), fragment.at);
  return data;
}

class Fake {
  readonly cameras: Camera[];
  readonly viewers = new Set<Viewer>();
  readonly listeners = new Set<ServerResponse>();
  readonly sessions = new Map<string, string>();
  readonly clips = new Map<string, Clip>();
  #failures = 0;
  #lockedUntil = 0;
  #mustChange = true;
  #password = "fanal";
  #added = 0;
  #version = "0.1.0";

  constructor(count: number) {
    this.cameras = NAMES.slice(0, count).map((_, i) => this.#camera(i));
    // made now, once, so that no viewer waits for ffmpeg
    for (const camera of this.cameras.slice(0, SCENE_COUNT)) {
      for (const name of ["main", "sub"] as const) {
        this.clip(camera, name, false);
        if (camera.sound) this.clip(camera, name, true);
      }
    }
    setInterval(() => this.#pump(), TICK_MS).unref();
    setInterval(() => this.listeners.forEach((l) => l.write(":\n\n")), 15_000).unref();
  }

  #camera(i: number): Camera {
    return {
      id: randomUUID(), name: NAMES[i % NAMES.length] ?? "", scene: i % SCENE_COUNT, sound: i % SCENE_COUNT === 0, state: "ok",
      reason: null, rights: ["live", "audio"], zero: Math.floor(Date.now() / 1000) - 100 - 7 * i, stalledUntil: 0,
    };
  }

  clip(camera: Camera, name: "main" | "sub", sound: boolean): Clip {
    const key = `${camera.scene} ${name} ${sound}`;
    const known = this.clips.get(key) ?? clip(camera.scene, name, sound);
    this.clips.set(key, known);
    return known;
  }

  describe(camera: Camera): object {
    return {
      id: camera.id, name: camera.name, site: "Demo",
      state: { state: camera.state, reason: camera.reason, since: new Date().toISOString() },
      streams: [
        { id: `${camera.id}-1`, name: "main", codec: "h264", width: 1280, height: 720, fps: 25, kbps: 2000 },
        { id: `${camera.id}-2`, name: "sub", codec: "h264", width: 640, height: 360, fps: 25, kbps: 400 },
      ],
      rights: camera.rights, audio: camera.sound, ptz: false, talk: false, recorded: false,
    };
  }

  tell(event: string, data: object): void {
    for (const listener of this.listeners) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  // ---- live ----

  view(camera: Camera, socket: ServerSocket): void {
    const viewer: Viewer = { camera, socket, clip: null, name: "", sent: 0, paused: true, audio: false, wide: false };
    this.viewers.add(viewer);
    socket.onClose = () => this.viewers.delete(viewer);
    socket.onText = (text) => {
      const message = JSON.parse(text) as { type: string; width: number; audio: boolean; paused: boolean; zoom: boolean };
      if (message.type !== "want") return;
      const wide = message.width > 800 || message.zoom;
      const again = viewer.paused && !message.paused;
      const change = again || wide !== viewer.wide || message.audio !== viewer.audio;
      Object.assign(viewer, { wide, audio: message.audio && camera.sound, paused: message.paused });
      if (camera.state !== "ok") socket.send(JSON.stringify({ type: "status", state: camera.state, reason: camera.reason }));
      else if (change && !message.paused) this.#start(viewer);
    };
  }

  /** Announce, send the header, and everything since the last picture that decoding can start at. */
  #start(viewer: Viewer): void {
    const { camera } = viewer;
    const name = viewer.wide ? "main" : "sub";
    const used = this.clip(camera, name, viewer.audio);
    viewer.clip = used;
    const size = viewer.wide ? { width: 1280, height: 720 } : { width: 640, height: 360 };
    viewer.socket.send(JSON.stringify({ type: "stream", mode: "direct", mime: used.mime, stream: name, ...size, fps: 25, reason: viewer.wide ? null : "tile_size", utc_zero: camera.zero * 90_000 }));
    viewer.socket.send(used.init);
    const now = Date.now() / 1000 - camera.zero;
    const keys = used.fragments.filter((f) => f.key).map((f) => f.time);
    const loop = Math.floor(now / used.seconds);
    const inLoop = now - loop * used.seconds;
    viewer.sent = loop * used.seconds + (keys.filter((t) => t <= inLoop).at(-1) ?? 0) - 0.0005;
  }

  #pump(): void {
    for (const viewer of this.viewers) {
      const { camera, clip: used } = viewer;
      if (!used || viewer.paused || camera.state !== "ok" || camera.stalledUntil > Date.now()) continue;
      const now = Date.now() / 1000 - camera.zero;
      for (let loop = Math.floor(viewer.sent / used.seconds); loop <= Math.floor(now / used.seconds); loop++) {
        used.fragments.forEach((fragment, i) => {
          const time = fragment.time + loop * used.seconds;
          if (time > viewer.sent && time <= now) viewer.socket.send(stamp(used, i, loop));
        });
      }
      viewer.sent = now;
    }
  }

  // ---- misbehaviour ----

  act(what: string, camera: Camera | undefined): void {
    const viewers = [...this.viewers].filter((v) => v.camera === camera);
    const state = (s: keyof typeof STATUS, reason: string | null): void => {
      if (!camera) return;
      Object.assign(camera, { state: s, reason });
      this.tell("camera_state", { id: camera.id, state: s, reason, since: new Date().toISOString() });
      for (const v of viewers) v.socket.send(JSON.stringify({ type: "status", state: s, reason }));
    };
    switch (what) {
      case "lose":
        return state("lost", "timeout");
      case "wait":
        return state("waiting", null);
      case "return":
        state("ok", null);
        return viewers.forEach((v) => this.#start(v));
      case "add": {
        const added = this.#camera(this.cameras.length);
        added.name = `Added ${++this.#added}`;
        this.cameras.push(added);
        return this.tell("camera_added", this.describe(added));
      }
      case "remove":
        if (camera) this.cameras.splice(this.cameras.indexOf(camera), 1);
        this.tell("camera_removed", { id: camera?.id });
        return viewers.forEach((v) => v.socket.close(4404));
      case "deny":
      case "allow":
        if (camera) camera.rights = what === "deny" ? [] : ["live", "audio"];
        this.tell("rights_changed", {});
        return what === "deny" ? viewers.forEach((v) => v.socket.close(4403)) : undefined;
      case "end":
        this.sessions.clear();
        this.tell("session_ended", {});
        return [...this.viewers].forEach((v) => v.socket.close(4401));
      case "drop":
        return [...this.viewers].filter((v) => !camera || v.camera === camera).forEach((v) => v.socket.destroy());
      case "run":
        // the camera's clock went back by a minute: a new run
        if (camera) camera.zero -= 60;
        return viewers.forEach((v) => this.#start(v));
      case "stall":
        if (camera) camera.stalledUntil = Date.now() + 6000;
        return viewers.forEach((v) => v.socket.send(JSON.stringify({ type: "status", state: "waiting", reason: null })));
      case "skip":
        return viewers.forEach((v) => {
          v.socket.send(JSON.stringify({ type: "dropped", seconds: 2 }));
          v.sent += 2;
        });
      case "break":
        return viewers.forEach((v) => {
          const init = v.clip?.init;
          if (init) v.socket.send(Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.from("moof"), randomBytes(8)]));
        });
      case "update":
        this.#version = `0.1.${Number(this.#version.split(".")[2]) + 1}`;
        return this.tell("hello", { version: this.#version });
    }
  }

  // ---- HTTP ----

  #answer(response: ServerResponse, status: number, body: object | null, headers: Record<string, string> = {}): void {
    response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", "Cache-Control": "no-store", ...headers });
    response.end(body ? JSON.stringify(body) : "");
  }

  #problem(response: ServerResponse, status: number, code: string, detail: string, headers: Record<string, string> = {}, field?: string): void {
    this.#answer(response, status, { type: "about:blank", title: code, status, code, detail, ...(field ? { field } : {}) }, headers);
  }

  signedIn(request: IncomingMessage): boolean {
    return this.sessions.has(/fanal_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "");
  }

  #session(token: string): object {
    return {
      token, csrf: this.sessions.get(token) ?? "",
      user: { id: "00000000-0000-4000-8000-000000000001", name: "admin", role: "administrator", must_change_password: this.#mustChange },
      rights: { administer: true },
    };
  }

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, string>;
    const route = `${request.method} ${url.pathname}`;
    if (route === "POST /dev") {
      this.act(body["do"] ?? "", this.cameras[Number(body["camera"] ?? 0)]);
      return this.#answer(response, 200, {});
    }
    const path = url.pathname.replace("/api/v1", "");
    if (path === "/server") return this.#answer(response, 200, { name: "Harbour warehouse", version: this.#version, secure: false, languages: ["en", "fr"] });
    if (path === "/session" && request.method === "POST") {
      if (Date.now() < this.#lockedUntil) {
        return this.#problem(response, 429, "locked", "", { "Retry-After": String(Math.ceil((this.#lockedUntil - Date.now()) / 1000)) });
      }
      if (body["username"] !== "admin" || body["password"] !== this.#password) {
        if (++this.#failures >= 3) {
          this.#failures = 0;
          this.#lockedUntil = Date.now() + 70_000;
        }
        return this.#problem(response, 401, "bad_credentials", "");
      }
      this.#failures = 0;
      const token = randomBytes(16).toString("hex");
      this.sessions.set(token, randomBytes(8).toString("hex"));
      return this.#answer(response, 200, this.#session(token), { "Set-Cookie": `fanal_session=${token}; HttpOnly; SameSite=Strict; Path=/` });
    }
    if (!this.signedIn(request)) return this.#problem(response, 401, "unauthorized", "");
    const token = /fanal_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    if (path === "/session" && request.method === "DELETE") {
      this.sessions.delete(token);
      return this.#answer(response, 204, null);
    }
    if (path === "/session") return this.#answer(response, 200, this.#session(token));
    if (path === "/session/password") {
      if (body["old"] !== this.#password) return this.#problem(response, 401, "bad_credentials", "", {}, "old");
      this.#password = body["new"] ?? "";
      this.#mustChange = false;
      return this.#answer(response, 204, null);
    }
    if (path === "/cameras") return this.#answer(response, 200, { cameras: this.cameras.map((c) => this.describe(c)) });
    if (path === "/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
      response.write(`event: hello\ndata: ${JSON.stringify({ version: this.#version })}\n\n`);
      this.listeners.add(response);
      response.on("close", () => this.listeners.delete(response));
      return undefined;
    }
    const camera = this.cameras.find((c) => path === `/cameras/${c.id}/snapshot.jpg`);
    if (camera) {
      if (camera.state !== "ok") return this.#problem(response, 503, "no_picture", "");
      this.clip(camera, "main", false);
      const file = new URL(`media/${camera.scene}-main.mp4`, import.meta.url).pathname;
      const picture = execFileSync("ffmpeg", ["-v", "error", "-i", file, "-frames:v", "1", "-f", "mjpeg", "-"]);
      response.writeHead(200, { "Content-Type": "image/jpeg" });
      response.end(picture);
      return undefined;
    }
    return this.#problem(response, 404, "not_found", "");
  }

  upgrade(request: IncomingMessage, stream: Duplex): void {
    const id = /^\/api\/v1\/cameras\/([^/]+)\/live$/.exec(request.url ?? "")?.[1];
    const camera = this.cameras.find((c) => c.id === id);
    if (!this.signedIn(request) || !camera?.rights.includes("live")) {
      stream.end(`HTTP/1.1 ${camera ? "403 Forbidden" : "404 Not Found"}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.view(camera, new ServerSocket(request, stream));
  }
}

/** The policy that the real server sends with every page. */
const POLICY = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' ws: wss:; style-src 'self'; script-src 'self'; worker-src 'self'";

export function fakeServer(): Plugin {
  const install = (middlewares: Connect.Server, http: { on(event: "upgrade", listener: (r: IncomingMessage, s: Duplex) => void): unknown } | null, bundled: boolean): void => {
    const fake = new Fake(Number(process.env["FAKE_CAMERAS"] ?? 9));
    middlewares.use((request, response, next) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (bundled) response.setHeader("Content-Security-Policy", POLICY);
      if (!url.pathname.startsWith("/api/") && url.pathname !== "/dev") return next();
      fake.handle(request, response, url).catch((error: unknown) => {
        console.error(error);
        response.statusCode = 500;
        response.end();
      });
    });
    http?.on("upgrade", (request, stream) => {
      if (request.url?.startsWith("/api/")) fake.upgrade(request, stream);
    });
  };
  return {
    name: "fanal-fake-server",
    apply: "serve",
    configureServer: (server) => install(server.middlewares, server.httpServer, false),
    configurePreviewServer: (server) => install(server.middlewares, server.httpServer, true),
  };
}
