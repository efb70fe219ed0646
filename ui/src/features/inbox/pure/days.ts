/** Local calendar days, for day lines and "today".
 *
 * Pure: the zone is the computer's, the time is handed in. Words and formats belong to `words.ts` and `shared/format.ts`. */

const DAY_MS = 86_400_000;

/** Number of the local calendar day, so that two times can be compared by day. */
export function dayNumber(ms: number): number {
  const date = new Date(ms);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS);
}

/** Whole days since `ms`, for "9 days have passed". At least 1. */
export function daysSince(ms: number, now: number): number {
  return Math.max(1, Math.floor((now - ms) / DAY_MS));
}
