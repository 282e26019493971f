/** A value that can be watched.  Listeners are called after it changed, in the order they came. */

export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  /** Returns what ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

/** Sets what has several fields where one of them has another value. */
export function setFields<T extends object>(store: Store<T>, next: T): void {
  const before = store.get();
  if ((Object.keys(next) as (keyof T)[]).some((key) => !Object.is(before[key], next[key]))) store.set(next);
}
