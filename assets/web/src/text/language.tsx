// Which language the page speaks, and its texts for every part.

import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import { en, type Dictionary } from "./en";
import type { Language } from "./format";
import { nl } from "./nl";

export const DICTIONARIES: Record<Language, Dictionary> = { en, nl };
const KEY = "greyplane.language";

export interface Texts {
  t: Dictionary;
  language: Language;
  setLanguage: (language: Language) => void;
}

const Context = createContext<Texts>({ t: en, language: "en", setLanguage: () => undefined });

export function useTexts(): Texts {
  return useContext(Context);
}

/** The first language in the list that the console has; English when there is none. */
export function chooseLanguage(stored: string | null, preferred: readonly string[]): Language {
  if (stored === "en" || stored === "nl") return stored;
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary === "en" || primary === "nl") return primary;
  }
  return "en";
}

// A browser may refuse to store anything; then the choice lasts as long as the page.
function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // See `stored`.
  }
}

export function LanguageProvider({ children }: { children: ComponentChildren }) {
  const [language, choose] = useState<Language>(() => chooseLanguage(stored(), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const texts = useMemo<Texts>(() => {
    const setLanguage = (wanted: Language) => {
      store(wanted);
      choose(wanted);
    };
    return { t: DICTIONARIES[language], language, setLanguage };
  }, [language]);
  return <Context.Provider value={texts}>{children}</Context.Provider>;
}
