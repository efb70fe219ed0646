/** Events of the log in words. What a message says is never among them. */
import type { EventView } from "@/gen/EventView";
import { m } from "@/paraglide/messages";
import { shortTime } from "@/shared/format";
import { worded } from "@/shared/reasons";

/** Where it came from. */
export const eventWords = (event: EventView): string => worded(`event_${event.kind}`) ?? m.event_unknown();

/** What became of it, with why and when it is tried again. */
export function stateWords(event: EventView, now: number): string {
  const state = worded(`event_state_${event.state}`) ?? event.state;
  const code = event.reason?.code;
  const why =
    code === undefined ? null : (worded(`event_why_${code}`) ?? worded(`reason_${code}`, event.reason?.params));
  const again =
    event.state === "failed" && event.retry_at_ms !== null
      ? m.events_retry_at({ time: shortTime(event.retry_at_ms, now) })
      : null;
  return [state, ...(why ? [why] : []), ...(again ? [again] : [])].join(" · ");
}
