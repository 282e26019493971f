import { describe, expect, it } from "vitest";
import { firstLoad, type Part } from "./budget";

const chunk = (fileName: string, imports: string[], isEntry = false): Part => ({ type: "chunk", fileName, code: "", imports, isEntry });

describe("the first load", () => {
  it("is the entry, all that it imports at once, however far, and the styles", () => {
    const parts = [
      chunk("index.js", ["controls.js", "external"], true),
      chunk("controls.js", ["preact.js"]),
      chunk("preact.js", ["controls.js"]),
      chunk("playback.js", ["controls.js", "sync.js"]),
      chunk("sync.js", []),
      { type: "asset", fileName: "index.css", source: "" } as const,
      { type: "asset", fileName: "icon.png", source: "" } as const,
    ];
    const bundle = Object.fromEntries(parts.map((part) => [part.fileName, part]));
    expect(firstLoad(bundle).map((part) => part.fileName).sort()).toEqual(["controls.js", "index.css", "index.js", "preact.js"]);
  });
});
