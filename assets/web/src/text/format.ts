// Numbers, times and codes as people read them.

import type { Dictionary } from "./en";

export type Language = "en" | "nl";

const LOCALE: Record<Language, string> = { en: "en-GB", nl: "nl-NL" };

export function number(value: number, language: Language, digits = 0): string {
  if (!Number.isFinite(value)) return "–";
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LOCALE[language], format).format(value);
}

/** Seconds as `4 s`, `3 min 5 s` or `2 h 4 min`; `2 u 4 min` in Dutch. */
export function duration(seconds: number, language: Language): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds > 0 && seconds < 1) return "< 1 s";
  const whole = Math.floor(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (h > 0) return `${number(h, language)} ${language === "nl" ? "u" : "h"} ${min} min`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
}

export function timeOfDay(at: Date, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { timeStyle: "medium" }).format(at);
}

/** Day and time of an RFC 3339 time stamp; as it stands where it is none. */
export function moment(stamp: string, language: Language): string {
  const at = new Date(stamp);
  if (Number.isNaN(at.getTime())) return stamp;
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "medium", timeStyle: "short" }).format(at);
}

/** As `moment`, to the second. */
export function exactMoment(stamp: string, language: Language): string {
  const at = new Date(stamp);
  if (Number.isNaN(at.getTime())) return stamp;
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "medium", timeStyle: "medium" }).format(at);
}

/** A reason code in words; one that this page does not know yet stays a code. */
export function codeName(code: string, texts: Dictionary): string {
  return Object.hasOwn(texts.code, code) ? texts.code[code as keyof Dictionary["code"]] : code;
}

/** The reason without the state that stands before it already (`no signal: timeout` beside "No signal"). */
export function shortReason(reason: string): string {
  return reason.replace(/^no signal: /, "");
}

/** An angle as a number, with a true minus. */
export function degrees(value: number, language: Language, digits = 2): string {
  return number(value, language, digits).replace("-", "−");
}
