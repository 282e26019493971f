/**
 * Touches and drags on a surface → tap, double tap, long press, drag, swipe, pinch (ui.md §16).  Pointers in, gestures
 * out; no timer of its own: the caller asks `due(now)` when the deadline has come.
 */

import type { Point } from "./zoom";

export type Gesture =
  | { readonly kind: "tap"; readonly at: Point; readonly touch: boolean }
  | { readonly kind: "double"; readonly at: Point; readonly touch: boolean }
  | { readonly kind: "long"; readonly at: Point }
  | { readonly kind: "drag"; readonly dx: number; readonly dy: number }
  | { readonly kind: "swipe"; readonly direction: "left" | "right" | "up" | "down" }
  | { readonly kind: "pinch"; readonly at: Point; readonly factor: number; readonly dx: number; readonly dy: number }
  | { readonly kind: "pinch-end"; readonly scale: number };

const SLOP = 10;
const DOUBLE_MS = 300;
const DOUBLE_PX = 40;
const LONG_MS = 500;
const SWIPE_PX = 60;
const SWIPE_MS = 500;

interface Finger {
  readonly start: Point;
  readonly startAt: number;
  at: Point;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

export class Gestures {
  readonly #fingers = new Map<number, Finger>();
  #moved = false;
  #held = false;
  #pinching = false;
  #scale = 1;
  #lastTap: { at: Point; time: number } | null = null;

  down(id: number, at: Point, now: number): void {
    if (this.#fingers.size === 0) {
      this.#moved = this.#held = this.#pinching = false;
      this.#scale = 1;
    }
    if (this.#fingers.size >= 2) return;
    this.#fingers.set(id, { start: at, startAt: now, at });
    if (this.#fingers.size === 2) this.#pinching = true;
  }

  move(id: number, at: Point): Gesture[] {
    const finger = this.#fingers.get(id);
    if (!finger) return [];
    const before = [...this.#fingers.values()].map((f) => f.at);
    const last = finger.at;
    if (!this.#moved && distance(finger.start, at) > SLOP) this.#moved = true;
    if (!this.#moved && !this.#pinching) return [];
    finger.at = at;
    if (!this.#pinching) return this.#held ? [] : [{ kind: "drag", dx: at.x - last.x, dy: at.y - last.y }];
    const [a, b] = [...this.#fingers.values()];
    const [p, q] = before;
    if (!a || !b || !p || !q) return [];
    const factor = distance(a.at, b.at) / Math.max(1, distance(p, q));
    const middle = { x: (a.at.x + b.at.x) / 2, y: (a.at.y + b.at.y) / 2 };
    const was = { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 };
    this.#scale *= factor;
    return [{ kind: "pinch", at: middle, factor, dx: middle.x - was.x, dy: middle.y - was.y }];
  }

  up(id: number, now: number, touch: boolean): Gesture[] {
    const finger = this.#fingers.get(id);
    if (!finger) return [];
    this.#fingers.delete(id);
    if (this.#pinching) {
      if (this.#fingers.size > 0) return [];
      this.#lastTap = null;
      return [{ kind: "pinch-end", scale: this.#scale }];
    }
    if (this.#held) return [];
    const dx = finger.at.x - finger.start.x;
    const dy = finger.at.y - finger.start.y;
    if (this.#moved) {
      this.#lastTap = null;
      const far = Math.max(Math.abs(dx), Math.abs(dy));
      if (!touch || far < SWIPE_PX || now - finger.startAt > SWIPE_MS) return [];
      if (Math.abs(dx) > 2 * Math.abs(dy)) return [{ kind: "swipe", direction: dx < 0 ? "left" : "right" }];
      if (Math.abs(dy) > 2 * Math.abs(dx)) return [{ kind: "swipe", direction: dy < 0 ? "up" : "down" }];
      return [];
    }
    const tap = this.#lastTap;
    if (tap && now - tap.time <= DOUBLE_MS && distance(tap.at, finger.start) <= DOUBLE_PX) {
      this.#lastTap = null;
      return [{ kind: "double", at: finger.start, touch }];
    }
    this.#lastTap = { at: finger.start, time: now };
    return [{ kind: "tap", at: finger.start, touch }];
  }

  cancel(id: number): void {
    this.#fingers.delete(id);
    this.#lastTap = null;
    this.#moved = true;
  }

  /** When a long press would be due, or null. */
  get deadline(): number | null {
    const [only] = this.#fingers.values();
    if (!only || this.#fingers.size > 1 || this.#moved || this.#held || this.#pinching) return null;
    return only.startAt + LONG_MS;
  }

  due(now: number): Gesture[] {
    const deadline = this.deadline;
    const [only] = this.#fingers.values();
    if (deadline === null || now < deadline || !only) return [];
    this.#held = true;
    this.#lastTap = null;
    return [{ kind: "long", at: only.start }];
  }
}
