/** The service worker: one classic script at the root, built after the page, knowing what the page is made of. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "vite";

const outDir = path.resolve(import.meta.dirname, "../static");

function shell(): { files: string[]; version: string } {
  const files = readdirSync(outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(outDir, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"))
    .filter((name) => name !== "sw.js" && !name.startsWith("."))
    .sort();
  const hash = createHash("sha256");
  for (const name of files) hash.update(name).update(readFileSync(path.join(outDir, name)));
  return { files: files.map((name) => `/${name}`), version: hash.digest("hex").slice(0, 16) };
}

const { files, version } = shell();

export default defineConfig({
  publicDir: false,
  define: { __SHELL__: JSON.stringify(files), __BUILD__: JSON.stringify(version) },
  build: {
    outDir,
    emptyOutDir: false,
    lib: { entry: path.resolve(import.meta.dirname, "src/sw/sw.ts"), formats: ["iife"], name: "sw", fileName: () => "sw.js" },
  },
});
