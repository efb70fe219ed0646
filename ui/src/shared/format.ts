/** Times, spans and numbers in the owner's language. The only place that uses `Intl`.
 *
 * Invariant: everything takes the current time as an argument; nothing reads a clock. */
import { getLocale } from "@/paraglide/runtime";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** English dates stand day first, Arabic numbers in the digits of the rest of the interface. */
function tag(): string {
  const locale: string = getLocale();
  return locale === "en" ? "en-GB" : locale === "ar" ? "ar-u-nu-latn" : locale;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function dated(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = getLocale() + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(tag(), options);
    formats.set(key, format);
  }
  return format;
}

const startOfDay = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

export const clockTime = (ms: number): string => dated({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);

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

const unit = (count: number, name: "day" | "hour" | "minute"): string =>
  new Intl.NumberFormat(tag(), { style: "unit", unit: name, unitDisplay: "short" }).format(count);

/** "5 days", "23 h 54", "34 min". Rounded down, never below one minute. */
export function spanOf(ms: number): string {
  if (ms >= 2 * DAY) return unit(Math.floor(ms / DAY), "day");
  const minutes = Math.max(1, Math.floor(ms / MINUTE));
  if (minutes < 60) return unit(minutes, "minute");
  const rest = minutes % 60;
  const hours = unit(Math.floor(minutes / 60), "hour");
  return rest === 0 ? hours : `${hours} ${number(rest)}`;
}

export const number = (value: number): string => new Intl.NumberFormat(tag()).format(value);

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
export const listOf = (parts: string[]): string =>
  new Intl.ListFormat(tag(), { type: "conjunction" }).format(parts);
