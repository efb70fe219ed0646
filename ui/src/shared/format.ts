/** Times, spans and numbers in the owner's language. The only place that uses `Intl`.
 *
 * Invariant: everything takes the current time as an argument; nothing reads a clock. */
import { m } from "@/paraglide/messages";
import { localeTag } from "./locale.svelte";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** English dates stand day first, Arabic numbers in the digits of the rest of the interface. */
function tag(): string {
  const locale: string = localeTag();
  return locale === "en" ? "en-GB" : locale === "ar" ? "ar-u-nu-latn" : locale;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function dated(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = localeTag() + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(tag(), options);
    formats.set(key, format);
  }
  return format;
}

/** "14:32:08". */
export const clockSeconds = (ms: number): string =>
  dated({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);

const startOfDay = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

export const clockTime = (ms: number): string =>
  dated({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);

/** "14:26" today, "Wed 15:06" within six days, "12 May" this year, "3 Feb 2025" before. Never "3 w". */
export function shortTime(ms: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(ms)) / DAY);
  if (days <= 0 && ms <= now + DAY) return clockTime(ms);
  if (days < 7) return `${dated({ weekday: "short" }).format(ms)} ${clockTime(ms)}`;
  if (new Date(ms).getFullYear() === new Date(now).getFullYear())
    return dated({ day: "numeric", month: "short" }).format(ms);
  return dated({ day: "numeric", month: "short", year: "numeric" }).format(ms);
}

/** The whole moment, for hovering. */
export const fullTime = (ms: number): string => dated({ dateStyle: "full", timeStyle: "medium" }).format(ms);

/** "3 May", with the year when it is another one. */
export const dayOf = (ms: number, now: number): string =>
  dated({
    day: "numeric",
    month: "long",
    ...(new Date(ms).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" }),
  }).format(ms);

/** A day line: "Tuesday 19 May", with the year when it is another one. */
export const dayLine = (ms: number, now: number): string =>
  dated({
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(new Date(ms).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" }),
  }).format(ms);

/** A date with a short month: "3 Feb 2025". */
export const shortDay = (ms: number, now: number): string =>
  dated({
    day: "numeric",
    month: "short",
    ...(new Date(ms).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" }),
  }).format(ms);

/** "5 days", "23 h 54", "34 min". Rounded down, never below one minute. */
export function spanOf(ms: number): string {
  const days = Math.floor(ms / DAY);
  if (days >= 2) return m.span_days({ count: days, n: number(days) });
  const minutes = Math.max(1, Math.floor(ms / MINUTE));
  if (minutes < 60) return m.span_minutes({ n: number(minutes) });
  const hours = number(Math.floor(minutes / 60));
  const rest = minutes % 60;
  return rest === 0 ? m.span_hours({ n: hours }) : m.span_hours_minutes({ h: hours, min: number(rest) });
}

export const number = (value: number): string => new Intl.NumberFormat(tag()).format(value);

/** 105 → "105 %", in the language's own order. */
export const percent = (value: number): string =>
  new Intl.NumberFormat(localeTag(), { style: "percent" }).format(value / 100);

/** "about 1,900": two leading digits, for counts that are not final. */
export function roughly(value: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return m.about_number({ n: number(Math.round(value / step) * step) });
}

export const conversations = (count: number): string => m.conversations_count({ count, n: number(count) });
export const messages = (count: number): string => m.messages_count({ count, n: number(count) });
export const people = (count: number): string => m.people_count({ count, n: number(count) });

/** "999+" above 999, nothing at 0: for the counts beside views. */
export const badge = (count: number): string => (count > 999 ? "999+" : count > 0 ? number(count) : "");

/** "11.2 MB". */
export function bytes(value: number): string {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  let at = 0;
  let left = value;
  while (left >= 1000 && at < steps.length - 1) {
    left /= 1000;
    at += 1;
  }
  return new Intl.NumberFormat(tag(), {
    style: "unit",
    unit: steps[at],
    unitDisplay: "short",
    maximumFractionDigits: left < 10 && at > 0 ? 1 : 0,
  }).format(left);
}

/** "a, b and c". */
export const listOf = (parts: string[]): string => new Intl.ListFormat(tag(), { type: "conjunction" }).format(parts);
