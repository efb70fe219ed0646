/** The core's clock in the interface. Every "x left" and "today" is reckoned with it, never with the web view's own clock.
 *
 * Invariant: `clock.now` moves once a minute, on the minute, so that nothing on screen flickers. */

let offset = 0;

/** Core time now, UTC ms. For stamps; for what is drawn use `clock.now`. */
export const coreNow = (): number => Date.now() + offset;

export const clock: { now: number } = $state({ now: coreNow() });

/** Takes over the core's time. */
export function setCoreTime(nowMs: number) {
  offset = nowMs - Date.now();
  clock.now = coreNow();
}

/** Ticks at every full minute until the returned function is called. */
export function startClock(): () => void {
  let timer = 0;
  const tick = () => {
    clock.now = coreNow();
    timer = window.setTimeout(tick, 60_000 - (coreNow() % 60_000) + 5);
  };
  tick();
  return () => window.clearTimeout(timer);
}
