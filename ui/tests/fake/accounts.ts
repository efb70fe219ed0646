/** Accounts, sync figures and health of the fake shop. */
import type { AccountView } from "@/gen/AccountView";
import type { Health } from "@/gen/Health";
import type { SyncRun } from "@/gen/SyncRun";
import type { SyncStatus } from "@/gen/SyncStatus";
import { DAY, HOUR, MIN, START } from "./time";

const INSTAGRAM = [
  "instagram_business_basic",
  "instagram_business_manage_messages",
  "instagram_business_manage_comments",
  "instagram_business_manage_insights",
];
const FACEBOOK = [
  "pages_show_list",
  "pages_messaging",
  "pages_manage_metadata",
  "pages_read_engagement",
  "business_management",
];

const base: Omit<AccountView, "id" | "channel" | "provider" | "platform_id" | "name" | "username"> = {
  picture: null,
  state: "live",
  reason: null,
  state_since_ms: START - 40 * DAY,
  auto_sync: true,
  paused: false,
  token_expires_at_ms: START + 58 * DAY,
  token_expiry: "dated",
  token_checked_at_ms: START - 2 * MIN,
  subscribed_fields: ["messages", "messaging_postbacks", "messaging_seen", "message_reactions"],
  subscribed_at_ms: START - 40 * DAY,
  subscription_checked_at_ms: START - 5 * HOUR,
  last_event_at_ms: START - 2 * MIN,
  answering: { here: true, device: "K7QF", until_ms: START + 60_000 },
  granted: INSTAGRAM,
  declined: [],
  conversations: 1904,
  messages: 48210,
  erase_at_ms: null,
  last_sync_at_ms: START - 24_000,
};

export function accounts(scene: string): AccountView[] {
  const brot: AccountView = {
    ...base,
    id: 11,
    channel: "instagram",
    provider: "instagram",
    platform_id: "17841400000000011",
    name: "Kornblume Brot",
    username: "kornblume.brot",
  };
  const page: AccountView = {
    ...base,
    id: 12,
    channel: "messenger",
    provider: "facebook",
    platform_id: "102030400000012",
    name: "Bäckerei Kornblume",
    username: null,
    granted: FACEBOOK,
    state: "delayed",
    reason: { code: "relay_unreachable", params: {} },
    state_since_ms: START - 42 * MIN,
    token_expires_at_ms: null,
    token_expiry: "none",
    answering: { here: false, device: "9XbA", until_ms: START + 60_000 },
    conversations: 611,
    messages: 9120,
  };
  if (scene === "importing") return [{ ...brot, state: "importing", conversations: 312, messages: 4105 }];
  if (scene === "signed_out") {
    return [
      {
        ...brot,
        state: "reconnect_now",
        reason: { code: "password_changed", params: {} },
        state_since_ms: START - 6 * HOUR,
      },
      page,
      {
        ...page,
        id: 13,
        platform_id: "102030400000013",
        name: "Kornblume Catering",
        state: "limited",
        reason: { code: "permission_missing", params: { permission: "pages_messaging" } },
        granted: FACEBOOK.slice(0, 1),
        declined: ["pages_messaging"],
        subscribed_fields: [],
        subscribed_at_ms: null,
        conversations: 0,
        messages: 0,
      },
      {
        ...brot,
        id: 14,
        platform_id: "17841400000000014",
        name: "Kornblume Torten",
        username: "kornblume.torten",
        state: "reconnect_soon",
        token_expires_at_ms: START + 5 * DAY,
      },
      {
        ...brot,
        id: 15,
        platform_id: "17841400000000015",
        name: "Altes Café",
        username: "altes.cafe",
        state: "disconnected",
        erase_at_ms: START + 21 * HOUR,
        auto_sync: false,
        granted: [],
        subscribed_fields: [],
        subscribed_at_ms: null,
        token_expiry: "unknown",
        token_expires_at_ms: null,
      },
    ];
  }
  return [brot, page];
}

const idle: SyncStatus = {
  account_id: 11,
  state: "idle",
  found: 1904,
  done: 1904,
  found_all: true,
  left_ms: null,
  messages: 48210,
  older_missing: 611,
  awaiting: null,
  last_poll_at_ms: START - 24_000,
  next_poll_at_ms: START + 6_000,
  recovered: null,
  imported_at_ms: START - 40 * DAY,
};

export function sync(scene: string): SyncStatus[] {
  if (scene === "importing")
    return [
      {
        ...idle,
        state: "importing",
        found: 1897,
        done: 312,
        found_all: false,
        left_ms: 4 * MIN,
        older_missing: 0,
        imported_at_ms: null,
      },
    ];
  if (scene === "waiting")
    return [
      {
        ...idle,
        state: "waiting",
        found: 1897,
        done: 312,
        found_all: false,
        left_ms: null,
        imported_at_ms: null,
        awaiting: { code: "rate_limited", params: {} },
      },
    ];
  if (scene === "imported") return [{ ...idle, imported_at_ms: START - MIN }];
  return [
    idle,
    {
      ...idle,
      account_id: 12,
      found: 611,
      done: 611,
      older_missing: 0,
      recovered: { messages: 14, conversations: 9, at_ms: START - 3 * MIN },
    },
  ];
}

export const runs: SyncRun[] = [
  {
    id: 3004,
    account_id: 11,
    kind: "poll",
    started_at_ms: START - 24_000,
    finished_at_ms: START - 23_000,
    result: "done",
    conversations: 2,
    messages: 3,
    reason: null,
  },
  {
    id: 3003,
    account_id: 11,
    kind: "reconcile",
    started_at_ms: START - HOUR,
    finished_at_ms: START - HOUR + 9_000,
    result: "done",
    conversations: 25,
    messages: 14,
    reason: null,
  },
  {
    id: 3002,
    account_id: 11,
    kind: "poll",
    started_at_ms: START - 2 * HOUR,
    finished_at_ms: START - 2 * HOUR + 2_000,
    result: "failed",
    conversations: 0,
    messages: 0,
    reason: { code: "rate_limited", params: {} },
  },
  {
    id: 3001,
    account_id: 11,
    kind: "backfill",
    started_at_ms: START - 40 * DAY,
    finished_at_ms: START - 40 * DAY + 7 * MIN,
    result: "done",
    conversations: 1904,
    messages: 48196,
    reason: null,
  },
];

export const health: Health = {
  relay_url: "https://relay.kornblume.example",
  relay_ok: true,
  vault: "keychain",
  recovery_key_confirmed: true,
  clock_offset_ms: 412,
  outbox_waiting: 2,
  outbox_unknown: 1,
  events_failed: 0,
  database_bytes: 214_000_000,
  platform_trouble: false,
  token_events: [
    { at_ms: START - 2 * MIN, kind: "checked", account_id: 11, reason: null },
    { at_ms: START - 3 * DAY, kind: "refreshed", account_id: 11, reason: null },
    { at_ms: START - 9 * DAY, kind: "refresh_failed", account_id: 12, reason: { code: "rate_limited", params: {} } },
    { at_ms: START - 40 * DAY, kind: "connected", account_id: 11, reason: null },
  ],
};
