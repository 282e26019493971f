/** Short messages at the bottom: at most two at once, errors until they are closed (ui.md §14). */

import { Store } from "../logic/store";

export interface Toast {
  readonly id: number;
  readonly kind: "good" | "bad" | "info";
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** Goes only when closed. */
  readonly stays: boolean;
}

const MOST = 2;
export const SHOWN_MS = 5000;

export class Toasts {
  readonly list = new Store<readonly Toast[]>([]);
  #next = 1;

  add(kind: Toast["kind"], text: string, action?: Toast["action"], stays = kind === "bad"): void {
    const toast: Toast = { id: this.#next++, kind, text, stays, ...(action ? { action } : {}) };
    this.list.update((list) => {
      const rest = list.filter((t) => t.text !== text);
      // what stays is given up last
      while (rest.length >= MOST) rest.splice(Math.max(0, rest.findIndex((t) => !t.stays)), 1);
      return [...rest, toast];
    });
  }

  close(id: number): void {
    this.list.update((list) => list.filter((t) => t.id !== id));
  }
}
