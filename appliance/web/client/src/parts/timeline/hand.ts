/**
 * Pointers, wheel and pinch on the canvas (ui.md §7, §16).  A mouse sets the playhead in the lanes, selects on the ruler
 * and moves what is shown on the overview; a finger moves time and selects after a long press.  Where the playhead
 * stands in the middle, moving time is seeking, and a flick goes on.
 */

import { Inertia, timeOf, xOf, zoomAbout } from "../../logic/timeline/axis";
import type { Marker } from "../../logic/timeline/contract";
import { between, dragHandle, type Handle } from "../../logic/timeline/selection";
import type { TimelineController } from "./controller";
import { RULER } from "./layout";

const SLOP = 6;
const TOUCH_SLOP = 10;
const LONG_MS = 500;
/** Handles are drawn 10 px wide, and answer within this. */
const HANDLE_PX = 8;
const TOUCH_HANDLE_PX = 22;
const PIN_PX = 7;
const TOUCH_PIN_PX = 16;
const WHEEL = 0.0016;
const LINE_PX = 16;
/** A wheel has no end that could be seen. */
const WHEEL_REST_MS = 180;
/** Near the ends a drag moves what is shown. */
const EDGE_PX = 24;

type Grip =
  | { readonly kind: "seek" }
  | { readonly kind: "pan" }
  | { readonly kind: "overview" }
  | { readonly kind: "select"; readonly from: number }
  | { readonly kind: "handle"; handle: Handle };

interface Finger {
  x: number;
  y: number;
  readonly startX: number;
  readonly startY: number;
  readonly touch: boolean;
}

export interface Listener {
  /** Where the pointer is, over which lane and which marker; null when it left. */
  over(at: number | null, x: number, lane: number | null, marker: Marker | null, count: number): void;
  pressed(marker: Marker): void;
}

export class Hand {
  readonly #fingers = new Map<number, Finger>();
  readonly #inertia = new Inertia();
  readonly #ending = new AbortController();
  #grip: Grip | null = null;
  #moved = false;
  #pinch = 0;
  #long: ReturnType<typeof setTimeout> | null = null;
  #rest: ReturnType<typeof setTimeout> | null = null;
  #frame = 0;
  #edge = 0;

  constructor(
    private readonly timeline: TimelineController,
    private readonly listener: Listener,
  ) {
    const { signal } = this.#ending;
    const { canvas } = timeline;
    canvas.addEventListener("pointerdown", (e) => this.#down(e), { signal });
    canvas.addEventListener("pointermove", (e) => this.#move(e), { signal });
    canvas.addEventListener("pointerup", (e) => this.#up(e, false), { signal });
    canvas.addEventListener("pointercancel", (e) => this.#up(e, true), { signal });
    canvas.addEventListener("pointerleave", (e) => !this.#fingers.has(e.pointerId) && this.#left(), { signal });
    canvas.addEventListener("wheel", (e) => this.#wheel(e), { signal, passive: false });
    canvas.addEventListener("contextmenu", (e) => (e as PointerEvent).pointerType === "touch" && e.preventDefault(), { signal });
  }

  end(): void {
    this.#ending.abort();
    if (this.#long !== null) clearTimeout(this.#long);
    if (this.#rest !== null) clearTimeout(this.#rest);
    cancelAnimationFrame(this.#frame);
  }

  #point(e: PointerEvent | WheelEvent): { x: number; y: number } {
    const box = this.timeline.canvas.getBoundingClientRect();
    return { x: e.clientX - box.left, y: e.clientY - box.top };
  }

  /** The pointer's time; never before what was recorded, never to come. */
  #time(x: number): number {
    return this.timeline.limit(timeOf(this.timeline.axis, x));
  }

  #handleAt(x: number, y: number, touch: boolean): Handle | null {
    const span = this.timeline.inputs.selection.get();
    if (!span || y < RULER || y > this.timeline.layout.bottom) return null;
    const reach = touch ? TOUCH_HANDLE_PX : HANDLE_PX;
    const from = Math.abs(xOf(this.timeline.axis, span.from) - x);
    const to = Math.abs(xOf(this.timeline.axis, span.to) - x);
    if (Math.min(from, to) > reach) return null;
    return from < to ? "from" : "to";
  }

  // — pointers

  #down(e: PointerEvent): void {
    if (e.pointerType === "mouse" && e.button > 1) return;
    const { timeline } = this;
    const { x, y } = this.#point(e);
    const touch = e.pointerType !== "mouse";
    if (this.#fingers.size >= 2) return;
    this.#fingers.set(e.pointerId, { x, y, startX: x, startY: y, touch });
    timeline.canvas.setPointerCapture(e.pointerId);
    const flying = this.#inertia.moving;
    this.#stop();
    if (this.#fingers.size === 2) {
      this.#pinch = this.#distance();
      this.#forget();
      // what the first finger did until now was no drag
      if (this.#grip?.kind !== "pan") this.#letGo(true);
      this.#grip = { kind: "pan" };
      this.#moved = true;
      return;
    }
    this.#moved = flying;
    this.#inertia.grab(x, e.timeStamp);
    const handle = this.#handleAt(x, y, touch);
    if (y > timeline.layout.bottom) {
      this.#grip = { kind: "overview" };
      this.#toOverview(x, true);
    } else if (handle) this.#grip = { kind: "handle", handle };
    else if (touch || timeline.inputs.middle || e.button === 1) {
      this.#grip = { kind: "pan" };
      if (touch) this.#long = setTimeout(() => this.#select(x), LONG_MS);
    } else if (y < RULER) this.#grip = { kind: "select", from: this.#time(x) };
    else if (!timeline.pinAt(x, y, PIN_PX)) {
      this.#grip = { kind: "seek" };
      this.#seek(x, true);
    } else this.#grip = { kind: "seek" };
    timeline.busy = true;
    e.preventDefault();
    // by hand: no ring
    timeline.canvas.focus({ preventScroll: true, focusVisible: false } as FocusOptions);
  }

  /** The finger has rested: from here on it selects. */
  #select(x: number): void {
    this.#long = null;
    if (this.#moved || this.#fingers.size !== 1) return;
    const from = this.#time(x);
    this.#grip = { kind: "select", from };
    this.#moved = true;
    this.timeline.inputs.selection.set(between(from, from));
    this.#show(x, null);
  }

  #move(e: PointerEvent): void {
    const { timeline } = this;
    const finger = this.#fingers.get(e.pointerId);
    const { x, y } = this.#point(e);
    if (!finger) {
      if (e.pointerType === "mouse") this.#hovering(x, y);
      return;
    }
    const dx = x - finger.x;
    finger.x = x;
    finger.y = y;
    if (!this.#moved && Math.hypot(x - finger.startX, y - finger.startY) < (finger.touch ? TOUCH_SLOP : this.#grip?.kind === "select" ? SLOP : 2)) return;
    if (!this.#moved) this.#forget();
    this.#moved = true;
    if (this.#fingers.size === 2) {
      const distance = this.#distance();
      const middle = [...this.#fingers.values()].reduce((sum, f) => sum + f.x, 0) / 2;
      timeline.set(zoomAbout(timeline.axis, middle, Math.max(0.2, Math.min(5, distance / this.#pinch))));
      this.#pinch = distance;
      this.#pan(dx / 2, true);
      return;
    }
    switch (this.#grip?.kind) {
      case "pan":
        this.#inertia.move(x, e.timeStamp);
        this.#pan(dx, true);
        break;
      case "overview":
        this.#toOverview(x, true);
        break;
      default:
        this.#draw(x);
        this.#atEdge(x);
    }
  }

  /** Whatever follows the pointer along the axis. */
  #draw(x: number): void {
    const { selection } = this.timeline.inputs;
    if (this.#grip?.kind === "select") selection.set(between(this.#grip.from, this.#time(x)));
    else if (this.#grip?.kind === "handle") {
      const span = selection.get();
      if (!span) return;
      const dragged = dragHandle(span, this.#grip.handle, this.#time(x));
      this.#grip.handle = dragged.handle;
      selection.set(dragged.selection);
    } else if (this.#grip?.kind === "seek") this.#seek(x, true);
    this.#show(x, null);
  }

  #up(e: PointerEvent, cancelled: boolean): void {
    const finger = this.#fingers.get(e.pointerId);
    if (!finger) return;
    this.#fingers.delete(e.pointerId);
    this.#forget();
    this.#edge = 0;
    if (this.#fingers.size > 0) return; // the other finger goes on
    const { timeline } = this;
    const tap = !this.#moved && !cancelled;
    const grip = this.#grip;
    if (tap && (grip?.kind === "pan" || grip?.kind === "select" || grip?.kind === "seek")) {
      const pin = timeline.pinAt(finger.x, finger.y, finger.touch ? TOUCH_PIN_PX : PIN_PX);
      timeline.held = null;
      timeline.busy = false;
      this.#grip = null;
      if (pin?.markers[0]) this.listener.pressed(pin.markers[0]);
      else timeline.inputs.onSeek(this.#time(finger.x), { dragging: false });
      timeline.dirty();
      if (finger.touch) this.#left();
      return;
    }
    if (grip?.kind === "pan" && !cancelled && this.#inertia.release(e.timeStamp)) {
      this.#fly();
      return;
    }
    this.#letGo(false);
    if (finger.touch) this.#left();
  }

  /** The hand is gone; what it did is done. */
  #letGo(undone: boolean): void {
    const { timeline } = this;
    const at = timeline.held;
    timeline.held = null;
    timeline.busy = false;
    this.#grip = null;
    if (at !== null && !undone) timeline.inputs.onSeek(at, { dragging: false });
    timeline.dirty();
  }

  #forget(): void {
    if (this.#long !== null) clearTimeout(this.#long);
    this.#long = null;
  }

  #distance(): number {
    const [a, b] = [...this.#fingers.values()];
    return a && b ? Math.max(20, Math.abs(a.x - b.x)) : 20;
  }

  // — what moves

  #seek(x: number, dragging: boolean): void {
    const at = this.#time(x);
    if (at === this.timeline.held) return;
    this.timeline.held = at;
    this.timeline.dirty();
    this.timeline.inputs.onSeek(at, { dragging });
  }

  #pan(dx: number, dragging: boolean): void {
    const { timeline } = this;
    if (!timeline.inputs.middle) {
      timeline.pan(dx);
      return;
    }
    const at = timeline.limit(timeline.position - dx * timeline.axis.msPerPx);
    if (at === timeline.held) return;
    timeline.held = at;
    timeline.set(timeline.axis);
    timeline.dirty();
    timeline.inputs.onSeek(at, { dragging });
    this.#show(timeline.axis.left + timeline.axis.width / 2, 0);
  }

  #toOverview(x: number, dragging: boolean): void {
    const { timeline } = this;
    const at = timeline.limit(timeline.overviewTime(x));
    if (timeline.inputs.middle) {
      timeline.held = at;
      timeline.set(timeline.axis);
      timeline.dirty();
      timeline.inputs.onSeek(at, { dragging });
      return;
    }
    const { axis } = timeline;
    timeline.set({ ...axis, from: at - (axis.width * axis.msPerPx) / 2 });
  }

  #fly(): void {
    let last = performance.now();
    const step = (now: number): void => {
      const dx = this.#inertia.step(Math.max(0, Math.min(64, now - last)));
      last = now;
      const before = this.timeline.inputs.middle ? this.timeline.position : this.timeline.axis.from;
      this.#pan(dx, true);
      const after = this.timeline.inputs.middle ? this.timeline.position : this.timeline.axis.from;
      if (dx !== 0 && before === after) this.#inertia.stop(); // at the end of time
      if (this.#inertia.moving) this.#frame = requestAnimationFrame(step);
      else {
        this.#letGo(false);
        this.#left();
      }
    };
    // nothing moves by itself for those who do not want it
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.#inertia.stop();
    this.#frame = requestAnimationFrame(step);
  }

  #stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#inertia.stop();
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#rest = null;
  }

  /** A drag that has come to an end of what is shown moves it on. */
  #atEdge(x: number): void {
    const { left, width } = this.timeline.axis;
    const past = x < left + EDGE_PX ? x - left - EDGE_PX : x > left + width - EDGE_PX ? x - left - width + EDGE_PX : 0;
    const running = this.#edge !== 0;
    this.#edge = past;
    if (past === 0 || running) return;
    const go = (): void => {
      if (this.#edge === 0 || this.#fingers.size !== 1 || this.timeline.inputs.middle) return;
      this.timeline.pan(-Math.max(-12, Math.min(12, this.#edge / 3)));
      const [finger] = this.#fingers.values();
      if (finger) this.#draw(finger.x);
      this.#frame = requestAnimationFrame(go);
    };
    this.#frame = requestAnimationFrame(go);
  }

  #wheel(e: WheelEvent): void {
    const { timeline } = this;
    e.preventDefault();
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const across = e.shiftKey && e.deltaX === 0 ? e.deltaY : e.deltaX;
    const { x, y } = this.#point(e);
    if (Math.abs(across) > Math.abs(e.shiftKey ? 0 : e.deltaY)) {
      this.#pan(-across * unit, true);
      if (timeline.inputs.middle) this.#afterWheel();
    } else {
      // pinching a trackpad comes as a wheel with Ctrl, in small steps
      const speed = e.ctrlKey ? WHEEL * 6 : WHEEL;
      timeline.set(zoomAbout(timeline.axis, x, Math.exp(-e.deltaY * unit * speed)));
    }
    if (!timeline.inputs.middle) this.#hovering(x, y);
  }

  #afterWheel(): void {
    this.timeline.busy = true;
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#rest = null;
      this.#letGo(false);
      this.#left();
    }, WHEEL_REST_MS);
  }

  // — what is told

  #hovering(x: number, y: number): void {
    const { timeline } = this;
    const { canvas, axis, layout } = timeline;
    const handle = this.#handleAt(x, y, false);
    const pin = handle ? null : timeline.pinAt(x, y, PIN_PX);
    canvas.style.cursor = handle ? "ew-resize" : pin ? "pointer" : y > layout.bottom ? "default" : timeline.inputs.middle ? "grab" : y < RULER ? "crosshair" : "default";
    if (x < axis.left || y > layout.bottom || timeOf(axis, x) > timeline.inputs.now()) return this.#left();
    const marker = pin?.markers[0] ?? null;
    timeline.hover = timeOf(axis, x);
    timeline.dirty();
    this.listener.over(marker ? marker.at : timeline.hover, x, timeline.laneAt(y), marker, pin?.markers.length ?? 0);
  }

  /** The picture of the time that is set just now. */
  #show(x: number, lane: number | null): void {
    const { timeline } = this;
    const { axis } = timeline;
    timeline.hover = null;
    const inside = Math.min(axis.left + axis.width, Math.max(axis.left, x));
    this.listener.over(timeline.inputs.middle && this.#grip?.kind !== "select" && this.#grip?.kind !== "handle" ? timeline.position : this.#time(x), inside, lane, null, 0);
  }

  #left(): void {
    this.timeline.hover = null;
    this.timeline.dirty();
    this.listener.over(null, 0, null, null, 0);
  }
}
