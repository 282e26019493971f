import { readFileSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "vitest/config";
import { budgetPlugin } from "./build/budget.ts";
import { iconsPlugin } from "./build/icons.ts";
import { poPlugin } from "./build/po.ts";
import { fakeServer } from "./dev/fake-server.ts";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };
/** A running Fanal to develop against, as http://127.0.0.1:8081; without it the fake of `dev/` answers. */
const real = process.env["FANAL_URL"];

export default defineConfig({
  plugins: [poPlugin(), iconsPlugin(), budgetPlugin(), ...(real === undefined ? [fakeServer()] : [])],
  define: { __VERSION__: JSON.stringify(version) },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: path.resolve(import.meta.dirname, "../static"),
    emptyOutDir: true,
    target: ["chrome111", "edge111", "firefox114", "safari16.4"],
    // every asset is a file: the content security policy has no place for data: in styles
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    fs: { allow: [".."] },
    ...(real === undefined ? {} : { proxy: { "/api": { target: real, ws: true, changeOrigin: true, secure: false } } }),
  },
  preview: real === undefined ? {} : { proxy: { "/api": { target: real, ws: true, changeOrigin: true, secure: false } } },
  test: {
    include: ["src/**/*.test.{ts,tsx}", "build/**/*.test.ts"],
    // each file with modules and a document of its own takes three times as long; what a test changes it puts back
    pool: "threads",
    isolate: false,
  },
});
