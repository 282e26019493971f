/**
 * Finds every text of the sources: the calls `t("…")`, `tc("context", "…")` and `tn("one", "many", n)`.
 * `npm run messages` writes them into the catalogues and drops the ones no longer used; a test holds both together.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { keyOf, parsePo, writePo, type Entry } from "./po.ts";

export const LANGUAGES = ["en", "fr"] as const;

export interface Found {
  readonly entries: Entry[];
  /** Calls whose text is not a literal, as `file:line`. */
  readonly faults: string[];
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.endsWith(".d.ts"))
    // pictures of every state are for developers and speak English only
    .filter((name) => !name.startsWith("states"))
    .map((name) => path.join(folder, name))
    .sort();
}

const CALLS: Readonly<Record<string, number>> = { t: 1, tc: 2, tn: 2 };

export function findMessages(folder: string): Found {
  const found = new Map<string, Entry>();
  const faults: string[] = [];
  for (const file of sources(folder)) {
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
    const short = path.relative(folder, file);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const name = ts.isIdentifier(node.expression) ? node.expression.text : ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : "";
        const count = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
        if (count !== undefined) {
          const literals = node.arguments.slice(0, count).map((a) => (ts.isStringLiteralLike(a) ? a.text : null));
          if (literals.length < count || literals.includes(null)) {
            const { line } = source.getLineAndCharacterOfPosition(node.getStart());
            faults.push(`${short}:${line + 1}`);
          } else {
            const [first, second] = literals as string[];
            const entry: Entry = {
              context: name === "tc" ? (first ?? "") : null,
              id: (name === "tc" ? second : first) ?? "",
              plural: name === "tn" ? (second ?? "") : null,
              texts: [],
              comments: [`#: ${short}`],
            };
            const known = found.get(keyOf(entry));
            const comments = [...new Set([...(known?.comments ?? []), ...entry.comments])];
            found.set(keyOf(entry), { ...entry, plural: entry.plural ?? known?.plural ?? null, comments });
          }
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { entries: [...found.values()], faults };
}

export function catalogueFile(client: string, language: string): string {
  return path.join(client, "..", "locale", language, "client.po");
}

/** Bring the catalogues up to date.  Throws Error when a text is not a literal. */
export function updateCatalogues(client: string): void {
  const { entries, faults } = findMessages(path.join(client, "src"));
  if (faults.length > 0) throw new Error(`texts must be literals: ${faults.join(", ")}`);
  for (const language of LANGUAGES) {
    const file = catalogueFile(client, language);
    let known: Entry[] = [];
    try {
      known = parsePo(readFileSync(file, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    writeFileSync(file, writePo(language, entries, known));
  }
}
