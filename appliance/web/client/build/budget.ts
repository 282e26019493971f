/** Fails the build when the first load grows beyond its budget (ui.md §19.10). */

import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const MOST_BYTES = 90 * 1024;

export function budgetPlugin(): Plugin {
  return {
    name: "fanal-budget",
    apply: "build",
    generateBundle(_options, bundle) {
      // what is loaded on demand does not count
      const first = Object.values(bundle).filter((part) => (part.type === "chunk" ? part.isEntry : part.fileName.endsWith(".css")));
      const bytes = first.reduce((sum, part) => sum + gzipSync(part.type === "chunk" ? part.code : part.source).length, 0);
      if (bytes > MOST_BYTES) this.error(`the first load is ${bytes} bytes compressed; the budget is ${MOST_BYTES}`);
    },
  };
}
