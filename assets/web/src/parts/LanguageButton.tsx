import { useTexts } from "../text/language";

/** Offers the other language, in that language. */
export function LanguageButton() {
  const { t, language, setLanguage } = useTexts();
  const other = language === "en" ? "nl" : "en";
  return (
    <button type="button" class="quiet" lang={other} onClick={() => setLanguage(other)}>
      {t.language.other}
    </button>
  );
}
