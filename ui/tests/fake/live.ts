/** The line to the relay and the log of events of the fake shop. */
import type { EventsQuery } from "@/gen/EventsQuery";
import type { EventView } from "@/gen/EventView";
import type { RelayStatus } from "@/gen/RelayStatus";
import { DAY, HOUR, MIN, START } from "./time";

const live: RelayStatus = {
  url: "https://relay.shopbell.example/",
  state: "live",
  reason: null,
  since_ms: START - 3 * HOUR,
  retry_at_ms: null,
  epoch: "x1",
  committed: 4711,
  behind: 0,
  connected_at_ms: START - 3 * HOUR,
  last_event_at_ms: START - 2 * MIN,
  gap: null,
  outage: null,
  clock_offset_ms: 20,
  deletions: [],
};

/** `?relay=` picks the state, `?deletion` asks. */
export function relayOf(ask: URLSearchParams): RelayStatus {
  const deletions: RelayStatus["deletions"] = ask.has("deletion")
    ? [
        {
          id: 1,
          provider: "facebook",
          account_ids: [12],
          asked_at_ms: START - HOUR,
          due_at_ms: START + 30 * DAY,
          state: "asked",
        },
      ]
    : [];
  const state = (ask.get("relay") ?? "live") as RelayStatus["state"];
  const of: Partial<RelayStatus> =
    state === "waiting"
      ? {
          reason: { code: "relay_unreachable", params: {} },
          since_ms: START - 5 * MIN,
          retry_at_ms: START + 40_000,
          gap: { at_ms: START - DAY, reason: { code: "expired", params: {} } },
          outage: { from_ms: START - 9 * HOUR, to_ms: START - 7 * HOUR },
        }
      : state === "stopped"
        ? { reason: { code: "replaced", params: {} } }
        : state === "catching_up"
          ? { behind: 214 }
          : {};
  return { ...live, deletions, state, ...of };
}

const event = (id: number, more: Partial<EventView>): EventView => ({
  id,
  kind: "meta",
  account_id: id % 2 === 0 ? 11 : 12,
  received_at_ms: START - (60 - id) * 7 * MIN,
  logged_at_ms: START - (60 - id) * 7 * MIN + 30,
  state: "done",
  reason: null,
  attempts: 1,
  retry_at_ms: null,
  bytes: 412,
  ...more,
});
const events = Array.from({ length: 60 }, (_, at) => {
  const id = 60 - at;
  if (id === 58)
    return event(id, {
      state: "failed",
      reason: { code: "malformed", params: {} },
      attempts: 3,
      retry_at_ms: START + 9 * MIN,
    });
  if (id === 55) return event(id, { kind: "unknown", state: "ignored", reason: { code: "unknown_kind", params: {} } });
  if (id === 51)
    return event(id, {
      kind: "shop",
      account_id: null,
      state: "ignored",
      reason: { code: "not_used_yet", params: {} },
    });
  return event(id, {});
});

export function eventsPage({ state, before, limit }: EventsQuery) {
  const found = events.filter((one) => (state === null || one.state === state) && (before === null || one.id < before));
  const rows = found.slice(0, limit ?? 50);
  return { rows, next: found.length > rows.length ? (rows.at(-1)?.id ?? null) : null };
}

export function eventNow(id: number, state: EventView["state"]): EventView {
  const found = events.find((one) => one.id === id);
  if (!found) throw { code: "not_found", message: "There is no such row." };
  return Object.assign(found, { state, retry_at_ms: null });
}
