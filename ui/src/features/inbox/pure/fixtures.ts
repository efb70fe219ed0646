/** Messages and rows for the tests of this folder. */
import type { ConversationRow } from "@/gen/ConversationRow";
import type { MessageView } from "@/gen/MessageView";

/** Thursday 21 May 2026, 14:32, local. */
export const NOW = new Date(2026, 4, 21, 14, 32).getTime();
export const MIN = 60_000;
export const HOUR = 60 * MIN;
export const DAY = 24 * HOUR;

export function message(id: number, more: Partial<MessageView> = {}): MessageView {
  return {
    id,
    sort_key: String(7_000_000 + id),
    conversation_id: 504,
    author: "customer",
    text: `message ${id}`,
    sent_at_ms: NOW - (1000 - id) * MIN,
    state: more.author === undefined || more.author === "customer" ? "received" : "sent",
    reason: null,
    leaves_at_ms: null,
    edited_at_ms: null,
    deleted: false,
    unsupported: false,
    reply_to: null,
    story: null,
    attachments: [],
    reactions: [],
    referral: null,
    ...more,
  };
}

export function row(id: number, more: Partial<ConversationRow> = {}): ConversationRow {
  return {
    id,
    account_id: 11,
    channel: "instagram",
    name: `Person ${id}`,
    username: null,
    picture: null,
    preview: "Hallo",
    preview_kind: null,
    last_author: "customer",
    last_at_ms: NOW - id * MIN,
    unread: 0,
    state: "open",
    window: { state: "open", open_until_ms: NOW + HOUR, human_until_ms: null, lock: null },
    trouble: null,
    has_draft: false,
    ...more,
  };
}
