// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Sync, type InStep } from "./sync";

const T = 1_795_000_000_000;

/** One that does what it is told at once. */
class Part implements InStep {
  position = T;
  landed = true;
  absent = false;
  next: number | null = null;
  previous: number | null = null;
  ended = false;
  stalled = false;
  takesPart = true;
  direct = true;
  factor = 1;
  held = false;
  awake = true;
  doing = { playing: false, speed: 1, gaps: "skip" as "skip" | "play" };
  readonly seeks: number[] = [];
  picture: number | null = null;
  asked = 0;

  seek(utcMs: number): void {
    this.seeks.push(utcMs);
    this.position = utcMs;
    this.absent = false;
  }
  set(doing: { playing: boolean; speed: number; gaps: "skip" | "play" }): void {
    this.doing = doing;
    this.held = false;
  }
  step(): number | null {
    if (this.picture !== null) this.position = this.picture;
    return this.picture;
  }
  askStep(): void {
    this.asked += 1;
    this.landed = false;
  }
  correct(factor: number): void {
    this.factor = factor;
  }
  hold(held: boolean): void {
    this.held = held;
  }
  rest(): void {
    this.awake = false;
  }
  wake(): void {
    this.awake = true;
  }
}

const NOW = T + 3_600_000;

function group(count: number, at: number | null = T): { sync: Sync; parts: Part[] } {
  const sync = new Sync(() => NOW + performance.now(), at);
  const parts = Array.from({ length: count }, () => new Part());
  sync.setPlayers(new Map(parts.map((part, i) => [String(i), part])));
  return { sync, parts };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("several in step", () => {
  it("begin together, when all are there", () => {
    const { sync, parts } = group(3);
    parts[1]!.landed = false;
    sync.seek(T + 1000);
    expect(parts.map((p) => p.held)).toEqual([true, true, true]);
    parts[1]!.landed = true;
    sync.look();
    expect(parts.map((p) => [p.held, p.doing.playing])).toEqual([[false, true], [false, true], [false, true]]);
  });
  it("go by the slowest, and the others are slowed a little, or jump", () => {
    const { sync, parts } = group(3);
    sync.look();
    [parts[0]!.position, parts[1]!.position, parts[2]!.position] = [T + 1100, T + 1000, T + 1030];
    sync.tick();
    expect(sync.position.get()).toBe(T + 1000);
    expect(parts.map((p) => p.factor)).toEqual([0.95, 1, 1]);
    parts[0]!.position = T + 1700;
    const before = parts[0]!.seeks.length;
    sync.tick();
    expect(parts[0]!.seeks.slice(before)).toEqual([T + 1000]);
  });
  it("wait for one that cannot go on, but not for ever", () => {
    const { sync, parts } = group(2);
    sync.look();
    parts[0]!.stalled = true;
    sync.look();
    expect(parts[1]!.held).toBe(false);
    vi.advanceTimersByTime(200);
    sync.look();
    expect(parts[1]!.held).toBe(true);
    vi.advanceTimersByTime(6000);
    sync.look();
    expect(parts[1]!.held).toBe(false);
  });
  it("do not wait for one that has no recording, which joins when it has again", () => {
    const { sync, parts } = group(2);
    sync.look();
    expect(parts[0]!.doing.gaps).toBe("play"); // nobody jumps over a gap alone
    Object.assign(parts[1]!, { absent: true, takesPart: false, next: T + 5000 });
    parts[0]!.position = T + 3000;
    sync.look();
    expect([sync.position.get(), parts[0]!.held]).toEqual([T + 3000, false]);
    parts[0]!.position = T + 5010;
    sync.look();
    expect(parts[1]!.seeks.at(-1)).toBe(T + 5010);
  });
  it("jump over what none has, and say so", () => {
    const { sync, parts } = group(2);
    sync.look();
    for (const [i, next] of [T + 9000, T + 7000].entries()) Object.assign(parts[i]!, { absent: true, takesPart: false, next });
    sync.look();
    expect(sync.skipped.get()).toEqual({ from: T, to: T + 7000 });
    expect(parts.map((p) => p.seeks.at(-1))).toEqual([T + 7000, T + 7000]);
  });
  it("or have the clock run by itself where gaps are played", () => {
    const { sync, parts } = group(1);
    sync.setGaps("play");
    Object.assign(parts[0]!, { absent: true, takesPart: false, next: T + 3000 });
    sync.look();
    vi.advanceTimersByTime(2000);
    sync.look();
    expect(sync.position.get()).toBe(T + 2000);
    vi.advanceTimersByTime(1000);
    sync.look();
    expect(parts[0]!.seeks.at(-1)).toBe(T + 3000);
  });
  it("follow the one that is stepped", () => {
    const { sync, parts } = group(2);
    sync.pause();
    parts[0]!.picture = T + 40;
    sync.step(1, "0");
    expect([sync.position.get(), parts[1]!.seeks.at(-1)]).toEqual([T + 40, T + 40]);
    parts[0]!.picture = null;
    sync.step(-1, "0");
    expect(parts[0]!.asked).toBe(1);
    parts[0]!.position = T;
    parts[0]!.landed = true;
    sync.look();
    expect([sync.position.get(), parts[1]!.seeks.at(-1)]).toEqual([T, T]);
  });
});

describe("the live end", () => {
  it("is where it begins without an instant, and nothing recorded is fetched", () => {
    const { sync, parts } = group(1, null);
    expect([sync.state.get().live, parts[0]!.awake]).toEqual([true, false]);
    sync.seek(T);
    expect([sync.state.get().live, parts[0]!.awake, parts[0]!.doing.playing, sync.position.get()]).toEqual([false, true, true, T]);
  });
  it("is reached by playing up to it, and by the end of what is recorded", () => {
    const { sync, parts } = group(1);
    const now = (): number => NOW + performance.now();
    parts[0]!.position = now() - 2500;
    sync.look();
    expect(sync.state.get().live).toBe(false);
    parts[0]!.position = now() - 1500;
    sync.look();
    expect(sync.state.get()).toMatchObject({ live: true, playing: true, speed: 1 });
    sync.seek(now() - 10_000);
    Object.assign(parts[0]!, { ended: true, takesPart: false });
    sync.look();
    expect(sync.state.get().live).toBe(true);
    sync.seek(T);
    Object.assign(parts[0]!, { ended: true, takesPart: false });
    sync.look();
    expect(sync.state.get()).toMatchObject({ live: false, playing: false });
  });
  it("is not offered to who may not watch", () => {
    const sync = new Sync(() => NOW, T, "skip", () => false);
    sync.setPlayers(new Map([["0", new Part()]]));
    sync.goLive();
    expect([sync.state.get().live, sync.position.get()]).toEqual([false, NOW - 4000]);
  });
});

describe("a pointer that drags", () => {
  it("holds playing until it is lifted", () => {
    const { sync, parts } = group(1);
    sync.seek(T + 1000, true);
    expect([parts[0]!.doing.playing, sync.state.get().playing]).toEqual([false, true]);
    sync.seek(T + 2000, true);
    sync.seek(T + 3000);
    expect([parts[0]!.doing.playing, parts[0]!.seeks.slice(-3)]).toEqual([true, [T + 1000, T + 2000, T + 3000]]);
  });
});

describe("a page that nobody sees", () => {
  it("plays nothing after a moment, and goes on when it is seen", () => {
    const { sync, parts } = group(1);
    sync.setHidden(true);
    vi.advanceTimersByTime(500);
    expect(parts[0]!.doing.playing).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(parts[0]!.doing.playing).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(parts[0]!.awake).toBe(false);
    sync.setHidden(false);
    expect([parts[0]!.awake, parts[0]!.doing.playing]).toEqual([true, true]);
  });
});
