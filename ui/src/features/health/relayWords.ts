/** The connection to the relay in words. What each state means for the owner: do messages come at once, and what is done meanwhile. */
import type { RelayStatus } from "@/gen/RelayStatus";
import { m } from "@/paraglide/messages";
import { clockTime, number, shortTime } from "@/shared/format";
import { worded } from "@/shared/reasons";

export interface RelayWords {
  tone: "ok" | "warn" | "quiet";
  word: string;
  say: string;
  facts: [string, string][];
  /** The owner may have it connect anew. */
  reconnect: boolean;
}

/** Waiting for a moment is nothing to worry about. */
const CALM_MS = 60_000;

/** One sentence for the reason it waits or stopped. */
export function relayWhy(status: RelayStatus): string {
  const code = status.reason?.code;
  if (code === undefined) return m.relay_why_relay_closed();
  return worded(`relay_why_${code}`) ?? worded(`reason_${code}`, status.reason?.params) ?? m.relay_why_other();
}

/** `now` is core time. */
export function relayWords(status: RelayStatus, now: number): RelayWords {
  const facts: [string, string][] = [];
  if (status.state === "live" && status.connected_at_ms !== null) {
    facts.push([m.fact_connected_since(), shortTime(status.connected_at_ms, now)]);
  }
  if (status.last_event_at_ms !== null) facts.push([m.fact_last_event(), shortTime(status.last_event_at_ms, now)]);
  if (status.retry_at_ms !== null) facts.push([m.fact_next_try(), clockTime(status.retry_at_ms)]);
  if (status.gap) facts.push([m.fact_gap(), gapWords(status.gap.reason.code, shortTime(status.gap.at_ms, now))]);
  if (status.outage) {
    const [from, to] = [shortTime(status.outage.from_ms, now), shortTime(status.outage.to_ms, now)];
    facts.push([m.fact_outage(), m.span_from_to({ from, to })]);
  }
  facts.push([m.fact_address(), status.url]);
  return { ...stateWords(status, now), facts };
}

function gapWords(code: string, time: string): string {
  return worded(`gap_${code}`, { time }) ?? time;
}

function stateWords(status: RelayStatus, now: number): Omit<RelayWords, "facts"> {
  const calm = (word: string, say: string) => ({ tone: "quiet" as const, word, say, reconnect: false });
  switch (status.state) {
    case "off":
      return calm(m.relay_off(), m.relay_off_say());
    case "connecting":
      return calm(m.relay_connecting(), m.relay_connecting_say());
    case "catching_up":
      return calm(m.relay_catching_up(), m.relay_catching_up_say({ count: status.behind, n: number(status.behind) }));
    case "live":
      return { tone: "ok", word: m.relay_live(), say: m.relay_live_say(), reconnect: false };
    case "waiting":
      return {
        tone: now - status.since_ms < CALM_MS ? "quiet" : "warn",
        word: m.relay_waiting(),
        say: m.relay_waiting_say({ why: relayWhy(status) }),
        reconnect: true,
      };
    case "stopped":
      return {
        tone: "warn",
        word: m.relay_stopped(),
        say: relayWhy(status),
        reconnect: status.reason?.code !== "upgrade",
      };
  }
}
