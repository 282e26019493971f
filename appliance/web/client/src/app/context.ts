/** How views reach the model and the texts. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { ENGLISH } from "../i18n/languages";
import type { Translator } from "../i18n/translator";
import type { Model } from "./model";

export const ModelContext = createContext<Model | null>(null);
export const I18nContext = createContext<Translator>(ENGLISH);

export function useModel(): Model {
  const model = useContext(ModelContext);
  if (!model) throw new Error("a view outside the application");
  return model;
}

export function useI18n(): Translator {
  return useContext(I18nContext);
}
