/** Which language the interface speaks, and how dates and numbers look in it.
 *
 * Invariant: `<html lang dir>` and the catalogue always agree. */
import { baseLocale, getLocale, isLocale, type Locale, setLocale } from "@/paraglide/runtime";

export const locale: { current: Locale } = $state({ current: baseLocale });

/** Names of the languages, each in itself. */
export const languageNames: Record<Locale, string> = { en: "English", de: "Deutsch", ar: "العربية" };

/** Languages whose letters run from right to left. */
const RIGHT_TO_LEFT: readonly Locale[] = ["ar"];

/** The language for a setting: the owner's choice, else the first of the computer's languages that we speak. */
export function localeFor(setting: string, computer: readonly string[]): Locale {
  if (isLocale(setting)) return setting;
  for (const tag of computer) {
    const base = tag.split("-")[0]?.toLowerCase();
    if (isLocale(base)) return base;
  }
  return baseLocale;
}

/** Speaks the language from now on. */
export function speak(next: Locale) {
  void setLocale(next, { reload: false });
  locale.current = next;
  document.documentElement.lang = next;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(next) ? "rtl" : "ltr";
}

const DEFAULT_TAGS: Record<Locale, string> = { en: "en-GB", de: "de-DE", ar: "ar" };

/** The language with the computer's region ("en-US"), for dates and numbers. Western digits, as on the owner's phone. */
export function localeTag(): string {
  const current = getLocale();
  const regional = navigator.languages.find((tag) => tag.toLowerCase().startsWith(`${current}-`));
  return current === "ar" ? `${regional ?? "ar"}-u-nu-latn-ca-gregory` : (regional ?? DEFAULT_TAGS[current]);
}
