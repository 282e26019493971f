/**
 * gettext catalogues (`locale/<language>/client.po`) → what the page loads.  The part of the format that we use:
 * `msgctxt`, `msgid`, `msgid_plural`, `msgstr`, `msgstr[n]`, comments.
 */

import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

export interface Entry {
  readonly context: string | null;
  readonly id: string;
  readonly plural: string | null;
  readonly texts: readonly string[];
  readonly comments: readonly string[];
}

/** How a page looks an entry up. */
export function keyOf(entry: Pick<Entry, "context" | "id">): string {
  return entry.context === null ? entry.id : `${entry.context}\u0004${entry.id}`;
}

export type Catalogue = Record<string, string | string[]>;

/** Parse a catalogue.  Throws Error naming the line that is wrong. */
export function parsePo(text: string): Entry[] {
  const entries: Entry[] = [];
  let current: Record<string, string> = {};
  let comments: string[] = [];
  let field: string | null = null;

  const finish = (): void => {
    const id = current["msgid"];
    if (id !== undefined && id !== "") {
      const texts: string[] = [];
      if (current["msgstr"] !== undefined) texts.push(current["msgstr"]);
      for (let i = 0; current[`msgstr[${i}]`] !== undefined; i++) texts.push(current[`msgstr[${i}]`] ?? "");
      entries.push({ context: current["msgctxt"] ?? null, id, plural: current["msgid_plural"] ?? null, texts, comments });
    }
    current = {};
    comments = [];
    field = null;
  };

  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    const fault = (): Error => new Error(`line ${index + 1}: cannot read ${JSON.stringify(line)}`);
    if (line === "") return finish();
    if (line.startsWith("#~")) return;
    if (line.startsWith("#")) {
      if (field !== null) finish();
      comments.push(line);
      return;
    }
    const start = /^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+(".*")$/.exec(line);
    const quoted = start ? start[2] : /^".*"$/.test(line) ? line : undefined;
    if (quoted === undefined) throw fault();
    if (start?.[1] !== undefined) {
      if ((start[1] === "msgid" || start[1] === "msgctxt") && current["msgstr"] !== undefined) finish();
      field = start[1];
      current[field] = "";
    }
    if (field === null) throw fault();
    try {
      current[field] += JSON.parse(quoted) as string;
    } catch {
      throw fault();
    }
  });
  finish();
  return entries;
}

/** What the page needs of it; entries without a translation are left out and shown in English. */
export function compilePo(text: string): Catalogue {
  const catalogue: Catalogue = {};
  for (const entry of parsePo(text)) {
    if (entry.texts.some((t) => t === "")) continue;
    catalogue[keyOf(entry)] = entry.plural === null ? (entry.texts[0] ?? "") : [...entry.texts];
  }
  return catalogue;
}

function quote(value: string): string {
  return JSON.stringify(value);
}

/** The catalogue of exactly these messages, with the translations already there.  In English each text is its own. */
export function writePo(language: string, wanted: readonly Entry[], known: readonly Entry[]): string {
  const before = new Map(known.map((entry) => [keyOf(entry), entry]));
  const own = language === "en";
  const blocks = [
    [
      `# Fanal, texts of the web client: ${language}`,
      'msgid ""',
      'msgstr ""',
      `"Language: ${language}\\n"`,
      '"MIME-Version: 1.0\\n"',
      '"Content-Type: text/plain; charset=UTF-8\\n"',
      '"Content-Transfer-Encoding: 8bit\\n"',
      `"Plural-Forms: nplurals=2; plural=(n ${own ? "!= 1" : "> 1"});\\n"`,
    ],
  ];
  for (const entry of wanted) {
    const texts = before.get(keyOf(entry))?.texts ?? [];
    const block = [...entry.comments];
    if (entry.context !== null) block.push(`msgctxt ${quote(entry.context)}`);
    block.push(`msgid ${quote(entry.id)}`);
    if (entry.plural === null) {
      block.push(`msgstr ${quote(own ? entry.id : (texts[0] ?? ""))}`);
    } else {
      block.push(`msgid_plural ${quote(entry.plural)}`);
      block.push(`msgstr[0] ${quote(own ? entry.id : (texts[0] ?? ""))}`);
      block.push(`msgstr[1] ${quote(own ? entry.plural : (texts[1] ?? ""))}`);
    }
    blocks.push(block);
  }
  return `${blocks.map((block) => block.join("\n")).join("\n\n")}\n`;
}

/** Lets the sources import a catalogue. */
export function poPlugin(): Plugin {
  return {
    name: "fanal-po",
    load(id) {
      if (!id.endsWith(".po")) return null;
      this.addWatchFile(id);
      return { code: `export default ${JSON.stringify(compilePo(readFileSync(id, "utf8")))};`, moduleType: "js", map: null };
    },
  };
}
