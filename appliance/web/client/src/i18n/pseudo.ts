/** A language nobody speaks, a third longer than English: shows what is not translated and what does not fit. */

const FACES: Readonly<Record<string, string>> = {
  a: "á", b: "ƀ", c: "ç", d: "ð", e: "é", f: "ƒ", g: "ğ", h: "ĥ", i: "í", j: "ĵ", k: "ķ", l: "ł", m: "ɱ", n: "ñ", o: "ö",
  p: "þ", q: "ǫ", r: "ŕ", s: "š", t: "ţ", u: "ü", v: "ṽ", w: "ŵ", x: "ẋ", y: "ý", z: "ž", A: "Å", E: "É", I: "Î", O: "Ø",
  U: "Ü", C: "Ç", S: "Š", T: "Þ", L: "Ł", N: "Ñ",
};

export function disguise(text: string): string {
  const parts = text.split(/(\{\w+\})/);
  const faced = parts.map((part) => (part.startsWith("{") ? part : part.replace(/[a-zA-Z]/g, (c) => FACES[c] ?? c))).join("");
  const letters = text.replace(/\{\w+\}/g, "").length;
  const more = letters > 2 ? ` ${"éàôü".repeat(40).slice(0, Math.max(1, Math.round(letters * 0.3) - 1))}` : "";
  return `${faced}${more}`;
}
