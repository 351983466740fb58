import { expect, test } from "vitest";
import { en } from "./en";
import { codeName, duration, number, shortReason, type Language } from "./format";
import { chooseLanguage, DICTIONARIES } from "./language";
import { nl } from "./nl";

test.each<[number, Language, string]>([
  [0, "en", "0 s"],
  [0.4, "en", "< 1 s"],
  [59.9, "en", "59 s"],
  [185, "nl", "3 min 5 s"],
  [7440, "en", "2 h 4 min"],
  [7440, "nl", "2 u 4 min"],
  [Number.NaN, "nl", "–"],
])("%d seconds (%s) are %s", (seconds, language, text) => {
  expect(duration(seconds, language)).toBe(text);
});

test.each<[number, Language, number, string]>([
  [24.96, "en", 1, "25.0"],
  [24.96, "nl", 1, "25,0"],
  [1234.4, "en", 0, "1,234"],
  [1234.4, "nl", 0, "1.234"],
  [Number.POSITIVE_INFINITY, "en", 0, "–"],
])("%d (%s, %i digits) is %s", (value, language, digits, text) => {
  expect(number(value, language, digits)).toBe(text);
});

test.each([
  ["telemetry-stale", "stand te oud"],
  ["not-known-yet", "not-known-yet"],
  ["toString", "toString"],
])("the code %s is %s", (code, text) => {
  expect(codeName(code, nl)).toBe(text);
});

test.each([
  ["no signal: timed out", "timed out"],
  ["telemetry 2.3 s old", "telemetry 2.3 s old"],
])("%s is shown as %s", (reason, text) => {
  expect(shortReason(reason)).toBe(text);
});

test.each<[string | null, string[], Language]>([
  [null, ["nl-BE", "en"], "nl"],
  [null, ["de-DE", "nl"], "nl"],
  [null, ["en-US", "nl"], "en"],
  [null, ["fr"], "en"],
  [null, [], "en"],
  ["nl", ["en"], "nl"],
  ["xx", ["nl"], "nl"],
])("stored %s, wanted %j: %s", (stored, preferred, language) => {
  expect(chooseLanguage(stored, preferred)).toBe(language);
});

/** Every text by its path; one with parameters is called with marks in their place. */
function texts(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") {
    const marks = Array.from({ length: value.length }, (_, i) => `<${i}>`);
    return [[path, String(value(...marks))]];
  }
  return Object.entries(value as object).flatMap(([key, inner]) => texts(inner, `${path}.${key}`));
}

test.each(Object.keys(DICTIONARIES) as Language[])("%s says everything, with every parameter", (language) => {
  const said = new Map(texts(DICTIONARIES[language]));
  for (const [path, english] of texts(en)) {
    const text = said.get(path) ?? "";
    expect(text.trim(), path).not.toBe("");
    expect(text.match(/<\d>/g)?.sort() ?? [], path).toEqual(english.match(/<\d>/g)?.sort() ?? []);
  }
});
