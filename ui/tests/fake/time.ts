/** The fake core's clock: a Thursday in May, 14:32, running on from when the page was opened. */

export const START = new Date(2026, 4, 21, 14, 32, 8).getTime();
const opened = Date.now();

export const now = (): number => START + (Date.now() - opened);

export const MIN = 60_000;
export const HOUR = 60 * MIN;
export const DAY = 24 * HOUR;
