import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { badge, bytes, clockTime, conversations, dayOf, percent, roughly, shortTime, spanOf } from "@/shared/format";
import { localeFor, speak } from "@/shared/locale.svelte";

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const now = new Date(2026, 4, 21, 14, 32).getTime();

const languages = Object.getOwnPropertyDescriptor(Navigator.prototype, "languages");
const computerSpeaks = (...tags: string[]) =>
  Object.defineProperty(navigator, "languages", { value: tags, configurable: true });

beforeEach(() => computerSpeaks("en-GB"));
afterEach(() => {
  if (languages) Object.defineProperty(Navigator.prototype, "languages", languages);
  speak("en");
});

describe("times", () => {
  it("names the hour today, the day this week, the date before, never '3 w'", () => {
    speak("en");
    expect(shortTime(now - 6 * MIN, now)).toBe("14:26");
    expect(shortTime(new Date(2026, 4, 20, 15, 6).getTime(), now)).toMatch(/^Wed.* 15:06$/);
    expect(shortTime(new Date(2026, 4, 12, 9, 0).getTime(), now)).toBe("12 May");
    expect(shortTime(new Date(2025, 1, 3, 9, 0).getTime(), now)).toBe("3 Feb 2025");
  });

  it("goes by the calendar day, not by 24 hours", () => {
    const midnight = new Date(2026, 4, 21, 0, 5).getTime();
    expect(shortTime(midnight - 10 * MIN, midnight)).toMatch(/^Wed/);
    expect(shortTime(midnight - 4 * MIN, midnight)).toBe("00:01");
  });

  it("speaks the owner's language", () => {
    computerSpeaks("de-DE");
    speak("de");
    expect(dayOf(now - DAY, now)).toBe("20. Mai");
    expect(conversations(1904)).toBe("1.904 Unterhaltungen");
    expect(conversations(1)).toBe("1 Unterhaltung");
  });

  it("follows the region of the computer when it speaks the same language", () => {
    computerSpeaks("en-US", "de-DE");
    speak("en");
    expect(shortTime(new Date(2026, 4, 12, 9, 0).getTime(), now)).toBe("May 12");
    speak("de");
    expect(clockTime(now)).toBe("14:32");
  });
});

describe("spans", () => {
  it("rounds down and never says less than a minute", () => {
    speak("en");
    expect(spanOf(20_000)).toBe("1 min");
    expect(spanOf(34 * MIN + 59_000)).toBe("34 min");
    expect(spanOf(HOUR + 50 * MIN)).toBe("1 h 50");
    expect(spanOf(3 * HOUR)).toBe("3 h");
    expect(spanOf(47 * HOUR)).toBe("47 h");
    expect(spanOf(5 * DAY + 3 * HOUR)).toBe("5 days");
  });

  it("has Arabic plurals: two has a form of its own, 3 to 10 another", () => {
    computerSpeaks("ar-EG");
    speak("ar");
    expect(spanOf(2 * DAY)).toBe("يومان");
    expect(spanOf(5 * DAY)).toBe("5 أيام");
    expect(spanOf(12 * DAY)).toBe("12 يومًا");
    expect(conversations(2)).toBe("محادثتان");
    expect(conversations(1904)).toBe("1,904 محادثات");
  });
});

describe("numbers", () => {
  it("rounds what is not final and hides what is nothing", () => {
    speak("en");
    expect(roughly(1897)).toBe("about 1,900");
    expect(roughly(7)).toBe("about 7");
    expect(badge(0)).toBe("");
    expect(badge(999)).toBe("999");
    expect(badge(1000)).toBe("999+");
    expect(bytes(11_200_000)).toBe("11 MB");
    expect(bytes(4_200_000)).toBe("4.2 MB");
    expect(percent(105)).toBe("105%");
  });
});

describe("the language", () => {
  it("is the owner's choice, else the first of the computer's that we speak, else English", () => {
    expect(localeFor("ar", ["de-DE"])).toBe("ar");
    expect(localeFor("system", ["fr-FR", "de-AT", "en-US"])).toBe("de");
    expect(localeFor("system", ["fr-FR"])).toBe("en");
    expect(localeFor("klingon", ["ar"])).toBe("ar");
  });

  it("turns the whole page with its direction", () => {
    speak("ar");
    expect(document.documentElement.dir).toBe("rtl");
    expect(document.documentElement.lang).toBe("ar");
    speak("de");
    expect(document.documentElement.dir).toBe("ltr");
  });
});
