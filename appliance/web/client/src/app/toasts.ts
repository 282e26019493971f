/** Short messages at the bottom: at most two at once, errors until they are closed (ui.md §14). */

import { Store } from "../logic/store";

export interface Toast {
  readonly id: number;
  readonly kind: "good" | "bad" | "info";
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** Goes only when closed. */
  readonly stays: boolean;
  readonly shownMs: number;
  /** Goes after so long even if it is held. */
  readonly mostMs?: number;
  /** Happens when the toast goes in any way but by its action. */
  readonly gone?: () => Promise<void>;
}

const MOST = 2;
export const SHOWN_MS = 5000;
/** Time to think again. */
export const UNDO_MS = 8000;
/** As long as that may be drawn out by holding the toast: the server does not wait for ever. */
export const UNDO_MOST_MS = 50_000;

export class Toasts {
  readonly list = new Store<readonly Toast[]>([]);
  #next = 1;

  add(kind: Toast["kind"], text: string, action?: Toast["action"], stays = kind === "bad"): void {
    this.#push({ id: this.#next++, kind, text, stays, shownMs: SHOWN_MS, ...(action ? { action } : {}) });
  }

  /** Says what will have happened when the toast is gone, with a way to stop it until then (ui.md §1.6). */
  addUndo(text: string, label: string, undo: () => void, gone: () => Promise<void>): number {
    const id = this.#next++;
    this.#push({ id, kind: "info", text, stays: false, shownMs: UNDO_MS, mostMs: UNDO_MOST_MS, action: { label, run: undo }, gone });
    return id;
  }

  /** Takes a toast away before anything of it happened; whether it was still there. */
  drop(id: number): boolean {
    return this.#take(id) !== undefined;
  }

  #push(toast: Toast): void {
    const out: Toast[] = [];
    this.list.update((list) => {
      const rest = list.filter((t) => t.gone || t.text !== toast.text);
      // what stays is given up last
      while (rest.length >= MOST) out.push(...rest.splice(Math.max(0, rest.findIndex((t) => !t.stays)), 1));
      return [...rest, toast];
    });
    for (const each of out) void each.gone?.();
  }

  close(id: number): void {
    void this.#take(id)?.gone?.();
  }

  /** Its action was pressed. */
  act(id: number): void {
    this.#take(id)?.action?.run();
  }

  /** Whatever waits for its toast to go happens now: the page is about to close, or somebody signs out. */
  async settle(): Promise<void> {
    const waiting = this.list.get().filter((t) => t.gone);
    this.list.update((list) => list.filter((t) => !t.gone));
    await Promise.all(waiting.map((t) => t.gone?.()));
  }

  #take(id: number): Toast | undefined {
    const toast = this.list.get().find((t) => t.id === id);
    this.list.update((list) => list.filter((t) => t.id !== id));
    return toast;
  }
}
