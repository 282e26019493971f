import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const client = path.resolve(import.meta.dirname, "../..");
const tokens = readFileSync(path.join(client, "src/styles/tokens.css"), "utf8");

type Colour = readonly [r: number, g: number, b: number, a: number];

function parse(hex: string): Colour {
  const digits = hex.slice(1);
  const pairs = digits.length <= 4 ? [...digits].map((d) => d + d) : (digits.match(/../g) ?? []);
  const [r = 0, g = 0, b = 0, a = 255] = pairs.map((p) => parseInt(p, 16));
  return [r, g, b, a / 255];
}

function block(selector: string): Map<string, Colour> {
  const body = new RegExp(`${selector.replace(/[[\]]/g, "\\$&")}\\s*\\{([^}]*)\\}`).exec(tokens)?.[1] ?? "";
  return new Map([...body.matchAll(/--([\w-]+):\s*(#[0-9A-Fa-f]{3,8})\s*;/g)].map((m) => [m[1] ?? "", parse(m[2] ?? "")]));
}

const dark = block(":root");
const light = new Map([...dark, ...block('[data-theme="light"]')]);

function over(top: Colour, below: Colour): Colour {
  const mix = (i: 0 | 1 | 2): number => top[i] * top[3] + below[i] * (1 - top[3]);
  return [mix(0), mix(1), mix(2), 1];
}

/** WCAG 2: relative luminance, and the ratio of two. */
function luminance([r, g, b]: Colour): number {
  const linear = (v: number): number => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}
function contrast(a: Colour, b: Colour): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const WHITE: Colour = [255, 255, 255, 1];
const SURFACES = ["bg", "s1", "s2", "s3"];
const TEXT = ["text", "text-2", "text-3", "accent", "attn", "danger", "info"];
const PAIRS: readonly (readonly [string, string])[] = [
  ["on-accent", "accent"], ["on-accent", "accent-hover"], ["on-danger", "danger-solid"], ["accent", "accent-soft"], ["attn", "attn-soft"],
  ["danger", "danger-soft"], ["text-2", "attn-soft"], ["text-2", "accent-soft"], ["text-2", "danger-soft"], ["text", "attn-soft"],
  ["text", "accent-soft"], ["text", "danger-soft"],
];
/** On the picture; chips and buttons let a pure white picture shine through at worst. */
const ON_PICTURE: readonly (readonly [string, string])[] = [
  ["pic-text", "pic-chip"], ["pic-text-2", "pic-chip"], ["pic-attn", "pic-chip"], ["pic-on-text", "pic-chip"], ["pic-text", "pic-btn-hover"],
  ["pic-dock-text", "pic-dock"], ["pic-on-text", "pic-on"], ["on-pic-accent", "pic-accent"], ["pic-on-alarm", "alarm-chip"], ["pic-text-2", "pic-bg"],
  ["pic-text", "pic-bg"], ["pic-text-2", "pic-stage"],
];

function token(theme: Map<string, Colour>, name: string): Colour {
  const colour = theme.get(name);
  if (!colour) throw new Error(`no token --${name}`);
  return colour;
}

describe.each([["dark", dark], ["light", light]] as const)("contrast, %s", (_name, theme) => {
  it.each(TEXT)("%s is read on every surface", (name) => {
    for (const surface of SURFACES) expect(contrast(token(theme, name), token(theme, surface)), surface).toBeGreaterThanOrEqual(4.5);
  });
  it("edges of controls are seen on every surface", () => {
    for (const surface of SURFACES) expect(contrast(token(theme, "edge"), token(theme, surface)), surface).toBeGreaterThanOrEqual(3);
  });
  it.each(PAIRS)("%s is read on %s", (text, ground) => {
    expect(contrast(token(theme, text), token(theme, ground))).toBeGreaterThanOrEqual(4.5);
  });
  it("recorded, and movement on it, are seen on the timeline", () => {
    expect(contrast(token(theme, "tl-rec"), token(theme, "tl-gap"))).toBeGreaterThanOrEqual(2.95);
    expect(contrast(token(theme, "tl-rec-hi"), token(theme, "tl-rec"))).toBeGreaterThanOrEqual(2.75);
  });
});

describe("contrast on the picture", () => {
  it.each(ON_PICTURE)("%s is read on %s", (text, ground) => {
    const below = over(token(dark, ground), WHITE);
    expect(contrast(over(token(dark, text), below), below)).toBeGreaterThanOrEqual(4.5);
  });
  it("names are read on the scrim over a white picture", () => {
    const stop = /--pic-scrim:[^;]*?(#[0-9A-Fa-f]{8}) 72%/.exec(tokens)?.[1];
    const below = over(parse(stop ?? "#fff"), WHITE);
    expect(contrast(token(dark, "pic-text"), below)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(token(dark, "pic-text-2"), below)).toBeGreaterThanOrEqual(4.5);
  });
  it("rings are seen on black", () => {
    expect(contrast(token(dark, "alarm"), [0, 0, 0, 1])).toBeGreaterThanOrEqual(3);
    expect(contrast(token(dark, "pic-accent"), [0, 0, 0, 1])).toBeGreaterThanOrEqual(3);
  });
});

function files(folder: string, pattern: RegExp): string[] {
  return readdirSync(path.join(client, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => pattern.test(name) && !/\.test\./.test(name))
    .map((name) => path.join(client, folder, name));
}

describe("the sources", () => {
  it("define colours nowhere but in tokens.css", () => {
    for (const file of files("src", /\.(css|tsx?)$/)) {
      if (file.endsWith("tokens.css")) continue;
      const text = readFileSync(file, "utf8").replace(/url\(#[\w-]+\)|href=\{?`?#i-|"#i-|#[a-zA-Z]+\(/g, "");
      expect(text.match(/(?<![\w&#])#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})(?![\w(])|\brgba?\(|\bhsla?\(|\boklch\(/g) ?? [], file).toEqual([]);
    }
  });
  it("use only tokens that exist", () => {
    const defined = new Set([...tokens.matchAll(/--([\w-]+):/g)].map((m) => m[1]));
    for (const file of files("src", /\.(css|tsx?)$/)) {
      for (const [, name] of readFileSync(file, "utf8").matchAll(/var\(--([\w-]+)/g)) expect(defined, `${name} in ${file}`).toContain(name);
    }
  });
  it("do nothing that the content security policy refuses", () => {
    const html = readFileSync(path.join(client, "index.html"), "utf8");
    expect(html).not.toMatch(/\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
    for (const file of files("src", /\.tsx?$/)) {
      const text = readFileSync(file, "utf8");
      expect(text, file).not.toMatch(/dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setAttribute\("style"|style="/);
    }
  });
  it("give the manifest and the page the colour of the theme", () => {
    const hex = /--bg:\s*(#[0-9A-Fa-f]{6})/.exec(tokens)?.[1];
    const manifest = JSON.parse(readFileSync(path.join(client, "public/manifest.webmanifest"), "utf8")) as Record<string, string>;
    expect([manifest["background_color"], manifest["theme_color"]]).toEqual([hex, hex]);
    expect(readFileSync(path.join(client, "index.html"), "utf8")).toContain(`name="theme-color" content="${hex}"`);
  });
  it("name no registry in the lock", () => {
    expect(readFileSync(path.join(client, "package-lock.json"), "utf8")).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });
});
