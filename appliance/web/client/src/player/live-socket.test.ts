import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveSocket } from "./live-socket";
import { FakeWebSocket } from "./testing";

function made(): { socket: LiveSocket; log: string[] } {
  const log: string[] = [];
  const socket = new LiveSocket(
    "ws://here/live",
    {
      opened: () => log.push("opened"),
      text: (data) => log.push(`text ${data}`),
      binary: (data) => log.push(`binary ${data.byteLength}`),
      closed: (code, had) => log.push(`closed ${code} ${had}`),
    },
    () => 0.5,
  );
  return { socket, log };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeWebSocket.all = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the live socket", () => {
  it("hands on what comes", () => {
    const { socket, log } = made();
    socket.connect();
    FakeWebSocket.last.accept();
    FakeWebSocket.last.onmessage?.({ data: "{}" });
    FakeWebSocket.last.give(new ArrayBuffer(3));
    expect(log).toEqual(["opened", "text {}", "binary 3"]);
    expect(FakeWebSocket.last.binaryType).toBe("arraybuffer");
  });

  it("tries again after 1 2 4 8 15 15 s while the server is away", () => {
    const { socket } = made();
    socket.connect();
    for (const seconds of [1, 2, 4, 8, 15, 15]) {
      const count = FakeWebSocket.all.length;
      FakeWebSocket.last.end(1006);
      vi.advanceTimersByTime(seconds * 1000 - 1);
      expect(FakeWebSocket.all.length).toBe(count);
      vi.advanceTimersByTime(1);
      expect(FakeWebSocket.all.length).toBe(count + 1);
    }
  });

  it("starts over with the waits after a connection that lasted", () => {
    const { socket } = made();
    socket.connect();
    FakeWebSocket.last.end(1006);
    vi.advanceTimersByTime(1000);
    FakeWebSocket.last.end(1006);
    vi.advanceTimersByTime(2000);
    FakeWebSocket.last.accept();
    vi.advanceTimersByTime(11_000);
    FakeWebSocket.last.end(1001);
    vi.advanceTimersByTime(1000);
    expect(FakeWebSocket.all.length).toBe(4);
    expect(socket.open).toBe(false);
  });

  it("tries at once when told that the network is back", () => {
    const { socket } = made();
    socket.connect();
    FakeWebSocket.last.end(1006);
    socket.retryNow();
    expect(FakeWebSocket.all.length).toBe(2);
    vi.advanceTimersByTime(5000);
    expect(FakeWebSocket.all.length).toBe(2);
  });

  it.each([4401, 4403, 4404])("does not try again after %i", (code) => {
    const { socket, log } = made();
    socket.connect();
    FakeWebSocket.last.accept();
    FakeWebSocket.last.end(code);
    vi.advanceTimersByTime(60_000);
    expect(FakeWebSocket.all.length).toBe(1);
    expect(log.at(-1)).toBe(`closed ${code} true`);
    expect(socket.wanted).toBe(false);
  });

  it("waits longer after a cap", () => {
    const { socket } = made();
    socket.connect();
    FakeWebSocket.last.accept();
    FakeWebSocket.last.end(4429);
    vi.advanceTimersByTime(14_000);
    expect(FakeWebSocket.all.length).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(FakeWebSocket.all.length).toBe(2);
  });

  it("gives up a connection that does not come about", () => {
    const { socket, log } = made();
    socket.connect();
    vi.advanceTimersByTime(10_000);
    expect(log).toEqual(["closed 1006 false"]);
    vi.advanceTimersByTime(1000);
    expect(FakeWebSocket.all.length).toBe(2);
  });

  it("restarts at once, and more slowly when that does not help", () => {
    const { socket } = made();
    socket.connect();
    FakeWebSocket.last.accept();
    socket.restart();
    expect(FakeWebSocket.all.length).toBe(2);
    FakeWebSocket.last.accept();
    socket.restart();
    expect(FakeWebSocket.all.length).toBe(2);
    vi.advanceTimersByTime(2000);
    expect(FakeWebSocket.all.length).toBe(3);
  });

  it("is silent once closed, whatever still comes", () => {
    const { socket, log } = made();
    socket.connect();
    const first = FakeWebSocket.last;
    first.accept();
    socket.close();
    first.onmessage?.({ data: "late" });
    first.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(60_000);
    expect(log).toEqual(["opened"]);
    expect(FakeWebSocket.all.length).toBe(1);
    expect(socket.send({})).toBe(false);
  });
});
