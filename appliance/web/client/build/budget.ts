/** Fails the build when the first load grows beyond its budget (ui.md §19.10). */

import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const MOST_BYTES = 90 * 1024;

/** What the bundler says of a part, as far as it matters here. */
export interface Part {
  readonly type: "chunk" | "asset";
  readonly fileName: string;
  readonly code?: string;
  readonly source?: string | Uint8Array;
  readonly isEntry?: boolean;
  /** File names of what it cannot begin without. */
  readonly imports?: readonly string[];
}

/** The entry with all that it imports at once, and every style; what is loaded on demand does not count. */
export function firstLoad(bundle: Readonly<Record<string, Part>>): Part[] {
  const found = new Set<Part>(Object.values(bundle).filter((part) => part.isEntry || part.fileName.endsWith(".css")));
  // a set that grows while it is walked is walked to its end
  for (const part of found) for (const name of part.imports ?? []) if (bundle[name]) found.add(bundle[name]);
  return [...found];
}

export function budgetPlugin(): Plugin {
  return {
    name: "fanal-budget",
    apply: "build",
    generateBundle(_options, bundle) {
      const bytes = firstLoad(bundle).reduce((sum, part) => sum + gzipSync(part.code ?? part.source ?? "").length, 0);
      if (bytes > MOST_BYTES) this.error(`the first load is ${bytes} bytes compressed; the budget is ${MOST_BYTES}`);
    },
  };
}
