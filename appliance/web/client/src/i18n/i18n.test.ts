import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { catalogueFile, findMessages, LANGUAGES } from "../../build/messages";
import { compilePo, keyOf, parsePo, writePo, type Entry } from "../../build/po";
import * as format from "../logic/format";
import { preferredLanguage } from "./languages";
import { disguise } from "./pseudo";
import { fill, inZone, translator } from "./translator";

const client = path.resolve(import.meta.dirname, "../..");
const { entries: wanted, faults } = findMessages(path.join(client, "src"));
const catalogue = (language: string): string => readFileSync(catalogueFile(client, language), "utf8");
const holes = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? ""))].sort();

describe("every text", () => {
  it("is a literal, so that it can be found", () => {
    expect(faults).toEqual([]);
    expect(wanted.length).toBeGreaterThan(100);
  });

  it.each(LANGUAGES)("is in the catalogue of %s, and nothing else is (npm run messages)", (language) => {
    expect(parsePo(catalogue(language)).map(keyOf).sort()).toEqual(wanted.map(keyOf).sort());
  });

  it("is translated into French, with the same values in it", () => {
    const untranslated: string[] = [];
    for (const entry of parsePo(catalogue("fr"))) {
      const count = entry.plural === null ? 1 : 2;
      if (entry.texts.length !== count || entry.texts.includes("")) untranslated.push(entry.id);
      else entry.texts.forEach((text, i) => expect(holes(text), text).toEqual(holes(i === 0 ? entry.id : (entry.plural ?? ""))));
    }
    expect(untranslated).toEqual([]);
  });

  it("follows the French rules of the printer: a narrow space before : ; ? ! and inside « »", () => {
    for (const entry of parsePo(catalogue("fr"))) {
      for (const text of entry.texts) {
        expect(text, "wrong or missing space").not.toMatch(/[^\u202f\s][:;?!»](?!\/\/)|[ \u00a0][:;?!»]|«[^\u202f]/);
        expect(text, "straight apostrophe or three points").not.toMatch(/'|\.\.\./);
      }
    }
  });

  it("is the same in English", () => {
    for (const entry of parsePo(catalogue("en"))) expect(entry.texts[0]).toBe(entry.id);
  });

  it("uses no word that the house does not (ui.md §15)", () => {
    for (const { id } of wanted) expect(id).not.toMatch(/\b(please|sorry|oops|successfully|error code)\b/i);
  });
});

describe("catalogues", () => {
  const entries: Entry[] = [
    { context: null, id: 'a "quoted" text\nin two lines', plural: null, texts: ["un"], comments: ["#: x.ts"] },
    { context: "page", id: "Live", plural: null, texts: ["Direct"], comments: [] },
    { context: null, id: "{n} lost", plural: "{n} lost", texts: ["{n} perdue", "{n} perdues"], comments: [] },
  ];
  it("come back as they were written", () => {
    const text = writePo("fr", entries, entries);
    expect(parsePo(text)).toEqual(entries);
    expect(writePo("fr", entries, parsePo(text))).toBe(text);
  });
  it("keep only what is used, and leave what is new untranslated", () => {
    const text = writePo("fr", [entries[1]!, { ...entries[0]!, id: "new" }], entries);
    expect(parsePo(text).map((e) => e.texts[0])).toEqual(["Direct", ""]);
    expect(compilePo(text)).toEqual({ "page\u0004Live": "Direct" });
  });
  it("say which line cannot be read", () => {
    expect(() => parsePo('msgid "a"\nmsgstr "b\n')).toThrow("line 2");
    expect(() => parsePo("nonsense")).toThrow("line 1");
    expect(() => parsePo('"alone"')).toThrow("line 1");
  });
});

describe("the translator", () => {
  const fr = translator("fr", { Live: "Direct", "page\u0004Live": "En direct", "{n} lost": ["{n} perdue", "{n} perdues"] });
  it("translates, by context where there is one, and speaks English where it must", () => {
    expect([fr.t("Live"), fr.tc("page", "Live"), fr.t("Unknown")]).toEqual(["Direct", "En direct", "Unknown"]);
  });
  it("counts as the language does", () => {
    expect([0, 1, 2, 1000].map((n) => fr.tn("{n} lost", "{n} lost", n))).toEqual(["0 perdue", "1 perdue", "2 perdues", "1\u202f000 perdues"]);
    const en = translator("en", {});
    expect([0, 1, 2].map((n) => en.tn("{n} camera", "{n} cameras", n))).toEqual(["0 cameras", "1 camera", "2 cameras"]);
  });
  it("puts values in once, whatever is in them", () => {
    expect(fill("{a} and {b}", { a: "{b}", b: "<b>" })).toBe("{b} and <b>");
    expect(fill("{missing}", { a: 1 })).toBe("{missing}");
  });
  it("chooses the first language it speaks", () => {
    expect(preferredLanguage(["de", "fr-CH", "en"])).toBe("fr");
    expect(preferredLanguage(["xx", "de"])).toBe("en");
    expect(preferredLanguage([])).toBe("en");
  });
  it("can disguise texts to show what does not fit", () => {
    expect(disguise("Sign in as {name}")).toContain("{name}");
    expect(disguise("Sign in as {name}").length).toBeGreaterThan("Sign in as {name}".length * 1.15);
  });
});

describe("numbers and times", () => {
  const en = translator("en", {});
  const fr = translator("fr", { "kB/s": "ko/s", "MB/s": "Mo/s", fps: "i/s" });
  it("are written as the language does", () => {
    expect(format.rate(en, 268_400)).toBe("268\u202fkB/s");
    expect(format.rate(en, 1_900_000)).toBe("1.9\u202fMB/s");
    expect(format.rate(fr, 1_900_000)).toBe("1,9\u202fMo/s");
    expect(format.fps(en, 24.96)).toBe("25\u202ffps");
    expect(format.fps(en, 4.5)).toBe("4.5\u202ffps");
    expect(format.seconds(fr, 0.42, 2)).toBe("0,42\u202fs");
    expect(format.wait(760)).toBe("12\u202fmin\u202f40\u202fs");
    expect(format.wait(3.2)).toBe("4\u202fs");
    expect(format.clock(en, new Date(2026, 2, 12, 14, 3, 27).getTime())).toBe("14:03:27");
    expect(format.clock(fr, new Date(2026, 2, 12, 0, 3, 27).getTime())).toBe("00:03:27");
    expect(format.dayAndClock(en, new Date(2026, 2, 12, 14, 16).getTime())).toBe("12 Mar 2026, 14:16");
    expect(format.dayAndClock(fr, new Date(2026, 2, 12, 14, 16).getTime())).toBe("12 mars 2026, 14:16");
    const tokyo = inZone(fr, "Asia/Tokyo");
    expect(format.clock(tokyo, Date.UTC(2026, 2, 12, 14, 3, 27))).toBe("23:03:27");
    expect(format.dayAndClock(tokyo, Date.UTC(2026, 2, 12, 15, 16))).toBe("13 mars 2026, 00:16");
    expect([format.sameDay(tokyo, Date.UTC(2026, 2, 12, 14), Date.UTC(2026, 2, 12, 16)), format.sameDay(tokyo, 0, 3_600_000)]).toEqual([false, true]);
    expect(inZone(tokyo, undefined).zone).toBe(undefined);
    expect(format.initials("lea.martin")).toBe("LM");
    expect(format.initials("Léa Martin-Dupont")).toBe("LD");
    expect(format.initials("admin")).toBe("AD");
  });
});
