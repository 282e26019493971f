/** Texts in the reader's language.  English is in the sources; other catalogues are loaded when asked for. */

export type Catalogue = Readonly<Record<string, string | readonly string[]>>;
export type Values = Readonly<Record<string, string | number>>;

export interface Translator {
  /** BCP 47. */
  readonly language: string;
  /** IANA name of the time zone in which times are told; the browser's own without one. */
  readonly zone?: string;
  /** The text, with `{name}` replaced by the value of that name. */
  t(text: string, values?: Values): string;
  /** A text that means something else elsewhere, told apart by its context. */
  tc(context: string, text: string, values?: Values): string;
  /** One or many of something; `{n}` is the number. */
  tn(one: string, many: string, n: number, values?: Values): string;
}

/** The same texts, with the times of another zone. */
export function inZone(translator: Translator, zone: string | undefined): Translator {
  const { zone: _, ...rest } = translator;
  return zone === undefined ? rest : { ...rest, zone };
}

export function fill(text: string, values: Values | undefined): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

export function translator(language: string, catalogue: Catalogue, disguise: (text: string) => string = (s) => s): Translator {
  const rules = new Intl.PluralRules(language === "xx" ? "en" : language);
  const numbers = new Intl.NumberFormat(language === "xx" ? "en" : language);
  const find = (key: string, fallback: string): string => {
    const entry = catalogue[key];
    return disguise(typeof entry === "string" ? entry : fallback);
  };
  return {
    language,
    t: (text, values) => fill(find(text, text), values),
    tc: (context, text, values) => fill(find(`${context}\u0004${text}`, text), values),
    tn: (one, many, n, values) => {
      const form = rules.select(n) === "one" ? 0 : 1;
      const entry = catalogue[one];
      const own = form === 0 ? one : many;
      return fill(disguise(typeof entry === "object" ? (entry[form] ?? own) : own), { n: numbers.format(n), ...values });
    },
  };
}
