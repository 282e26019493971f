import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, ApiError, Unreachable } from "./api";
import { EventStream } from "./event-stream";

const SESSION = { token: "t", csrf: "c", user: { id: "1", name: "admin", role: "administrator", must_change_password: true }, rights: { administer: true } };

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { "Content-Type": type, ...headers } });
}

describe("the interface", () => {
  const asked: { url: string; init: RequestInit }[] = [];
  let answer: () => Response | Promise<Response>;
  const api = (): Api => new Api("/api/v1", ((url: string, init: RequestInit) => {
    asked.push({ url, init });
    return Promise.resolve().then(answer);
  }) as typeof fetch);
  beforeEach(() => {
    asked.length = 0;
  });

  it("signs in, and from then on proves with every change that it is this page", async () => {
    const it = api();
    answer = () => json(SESSION);
    expect(await it.signIn("admin", "secret")).toEqual({
      csrf: "c", administer: true, user: { id: "1", name: "admin", role: "administrator", mustChangePassword: true },
    });
    expect(asked[0]?.url).toBe("/api/v1/session");
    expect(asked[0]?.init.body).toBe('{"username":"admin","password":"secret"}');
    answer = () => json(null, 204);
    await it.changePassword("a", "b");
    expect(asked[1]?.init.headers).toMatchObject({ "X-CSRF-Token": "c" });
    expect(asked[1]?.init.body).toBe('{"old":"a","new":"b"}');
    answer = () => json({ cameras: [] });
    await it.cameras();
    expect(asked[2]?.init.headers).not.toHaveProperty("X-CSRF-Token");
  });

  it("knows a refusal with its code, field and wait", async () => {
    answer = () => json({ code: "locked", detail: "wait", field: "old" }, 429, { "Retry-After": "760" });
    await expect(api().session()).rejects.toMatchObject({ status: 429, code: "locked", detail: "wait", field: "old", retryAfter: 760 });
    answer = () => new Response("<html>", { status: 404 });
    await expect(api().session()).rejects.toMatchObject({ status: 404, code: "http_404" });
    answer = () => json({ code: "x" }, 429, { "Retry-After": "never" });
    await expect(api().session()).rejects.toMatchObject({ retryAfter: null });
  });

  it("tells a server that is away from one that refuses", async () => {
    answer = () => Promise.reject(new TypeError("network"));
    await expect(api().session()).rejects.toBeInstanceOf(Unreachable);
    answer = () => new Response("bad gateway", { status: 502 });
    await expect(api().session()).rejects.toBeInstanceOf(Unreachable);
    answer = () => json({ code: "no_picture" }, 503);
    await expect(api().snapshot("x")).rejects.toBeInstanceOf(ApiError);
  });

  it("does not rely on what an answer should have been", async () => {
    for (const body of [null, [], {}, { csrf: 1 }, { csrf: "c", user: {} }, "text", { csrf: "c", user: { id: "1" } }]) {
      answer = () => json(body);
      await expect(api().session()).rejects.toBeInstanceOf(ApiError);
    }
    answer = () => new Response("not json");
    await expect(api().cameras()).rejects.toBeInstanceOf(ApiError);
    answer = () => json([]);
    expect(await api().server()).toEqual({ name: "Fanal", version: "", secure: false });
  });

  it("puts ids into addresses safely", async () => {
    answer = () => new Response(new Blob(["x"]));
    await api().snapshot("../../session?x#");
    expect(asked[0]?.url).toBe("/api/v1/cameras/..%2F..%2Fsession%3Fx%23/snapshot.jpg");
  });
});

describe("the event stream", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  interface Connection {
    readonly signal: AbortSignal;
    readonly send: (text: string) => void;
    readonly end: () => void;
  }
  function server(): { fetcher: typeof fetch; connections: Connection[]; status: { now: number } } {
    const connections: Connection[] = [];
    const status = { now: 200 };
    const fetcher = ((_url: string, init: RequestInit) => {
      if (status.now === 0) return Promise.reject(new TypeError("network"));
      const signal = init.signal as AbortSignal;
      let control!: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({ start: (c) => void (control = c) });
      signal.addEventListener("abort", () => {
        try {
          control.error(new DOMException("aborted", "AbortError"));
        } catch {
          // it had ended
        }
      });
      connections.push({ signal, send: (text) => control.enqueue(new TextEncoder().encode(text)), end: () => control.close() });
      return Promise.resolve(new Response(body, { status: status.now }));
    }) as typeof fetch;
    return { fetcher, connections, status };
  }
  function started(): ReturnType<typeof server> & { log: string[]; stream: EventStream } {
    const made = server();
    const log: string[] = [];
    const stream = new EventStream(
      "/api/v1/events",
      {
        up: () => log.push("up"),
        down: (_since, next) => log.push(`down ${Math.round(next - performance.now())}`),
        event: (e) => log.push(`${e.event} ${e.data}`),
        unauthorized: () => log.push("unauthorized"),
      },
      made.fetcher,
      () => 0.5,
    );
    stream.start();
    return { ...made, log, stream };
  }
  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  it("hands on events and goes on after an end", async () => {
    const { connections, log, stream } = started();
    await pass(1);
    connections[0]?.send('event: hello\ndata: {"version":"1"}\n\nevent: camera_rem');
    await pass(1);
    connections[0]?.send("oved\ndata: {}\n\n");
    await pass(1);
    connections[0]?.end();
    await pass(1);
    expect(log).toEqual(["up", 'hello {"version":"1"}', "camera_removed {}", "down 1000"]);
    await pass(1000);
    expect(log.at(-1)).toBe("up");
    stream.stop();
  });

  it("takes a comment for life, and silence for death", async () => {
    const { connections, log, stream } = started();
    for (let i = 0; i < 10; i++) {
      await pass(15_000);
      connections[0]?.send(":\n\n");
    }
    await pass(1);
    expect(connections).toHaveLength(1);
    await pass(40_001);
    expect(log.at(-1)).toBe("down 1000");
    expect(connections[0]?.signal.aborted).toBe(true);
    stream.stop();
  });

  it("waits longer each time while the server is away, and not at all when told to try", async () => {
    const { status, log, stream, connections } = started();
    await pass(1);
    status.now = 0;
    connections[0]?.end();
    await pass(1 + 1000 + 2000 + 4000 + 10);
    expect(log).toEqual(["up", "down 1000", "down 2000", "down 4000", "down 8000"]);
    status.now = 200;
    stream.retryNow();
    await pass(1);
    expect(log.at(-1)).toBe("up");
    stream.stop();
  });

  it("ends when the session does", async () => {
    const { status, log, connections } = started();
    await pass(1);
    status.now = 401;
    connections[0]?.end();
    await pass(1001);
    expect(log.at(-1)).toBe("unauthorized");
    await pass(60_000);
    expect(connections.length).toBeLessThanOrEqual(2);
  });

  it("leaves nothing running when stopped", async () => {
    const { connections, log, stream } = started();
    await pass(1);
    stream.stop();
    await pass(100_000);
    expect(connections).toHaveLength(1);
    expect(connections[0]?.signal.aborted).toBe(true);
    expect(log).toEqual(["up"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
