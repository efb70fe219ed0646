/** Turns messages into what the thread shows: day lines, the "New" line, and for each message whether it starts or ends a group. */
import type { MessageView } from "@/gen/MessageView";
import { dayNumber } from "./days";

/** Same author within this time belongs together (2 minutes). */
export const GROUP_MS = 120_000;

/** One line of the thread. Keys are stable across updates. */
export type ThreadItem =
  | { kind: "day"; key: string; atMs: number }
  | { kind: "new"; key: string }
  | {
      kind: "message";
      key: string;
      message: MessageView;
      /** Follows a message of the same group. */
      same: boolean;
      /** Shows who wrote above the bubble. */
      by: boolean;
      /** Shows time and receipt below the bubble. */
      foot: boolean;
    };

/** How far a message of ours got, for its foot. */
export type Receipt =
  | "draft"
  | "none"
  | "held"
  | "waiting"
  | "sending"
  | "sent"
  | "delivered"
  | "read"
  | "unknown"
  | "failed"
  | "cancelled";

/** The watermarks of a conversation. */
export interface Watermarks {
  delivered_until_ms: number | null;
  read_until_ms: number | null;
}

/** A message's receipt, with the conversation's watermarks applied. */
export function receipt(message: MessageView, marks: Watermarks): Receipt {
  switch (message.state) {
    case "received":
      return "none";
    case "draft":
      return "draft";
    case "queued":
      return "waiting";
    case "scheduled":
      return "held";
    case "sending":
      return "sending";
    case "unknown":
      return "unknown";
    case "failed":
      return "failed";
    case "cancelled":
      return "cancelled";
    case "read":
      return "read";
    case "sent":
    case "delivered":
      if (marks.read_until_ms !== null && message.sent_at_ms <= marks.read_until_ms) return "read";
      if (message.state === "delivered") return "delivered";
      return marks.delivered_until_ms !== null && message.sent_at_ms <= marks.delivered_until_ms ? "delivered" : "sent";
  }
}

/** Receipts that say the same thing may share one foot. */
function footKind(kind: Receipt): string {
  return kind === "sent" || kind === "delivered" || kind === "read" || kind === "none" ? "arrived" : kind;
}

function together(a: MessageView, b: MessageView): boolean {
  return (
    a.author === b.author &&
    Math.abs(b.sent_at_ms - a.sent_at_ms) <= GROUP_MS &&
    dayNumber(a.sent_at_ms) === dayNumber(b.sent_at_ms)
  );
}

/**
 * Lays out messages (oldest first). `firstNew` is the id of the first message that was unread when the thread was opened.
 * Messages the owner undid are left out.
 */
export function layout(messages: readonly MessageView[], marks: Watermarks, firstNew: number | null): ThreadItem[] {
  const shown = messages.filter((message) => message.state !== "cancelled");
  const items: ThreadItem[] = [];
  for (const [index, message] of shown.entries()) {
    const before = shown[index - 1];
    const after = shown[index + 1];
    if (!before || dayNumber(before.sent_at_ms) !== dayNumber(message.sent_at_ms)) {
      items.push({ kind: "day", key: `day-${dayNumber(message.sent_at_ms)}`, atMs: message.sent_at_ms });
    }
    if (message.id === firstNew) items.push({ kind: "new", key: "new" });
    const same = before !== undefined && together(before, message) && message.id !== firstNew && !referred(message);
    const ends = after === undefined || !together(message, after) || after.id === firstNew || referred(after);
    const own = receipt(message, marks);
    const foot = ends || footKind(own) !== footKind(receipt(after, marks)) || own === "failed" || own === "unknown";
    items.push({ kind: "message", key: `m-${message.id}`, message, same, by: !same, foot });
  }
  return items;
}

function referred(message: MessageView): boolean {
  return message.referral !== null;
}

/** The id of the first of the newest `unread` customer messages, or null. */
export function firstUnread(messages: readonly MessageView[], unread: number): number | null {
  let left = unread;
  let found: number | null = null;
  for (let index = messages.length - 1; index >= 0 && left > 0; index -= 1) {
    const message = messages[index];
    if (message === undefined) break;
    if (message.author === "customer") {
      found = message.id;
      left -= 1;
    }
  }
  return found;
}

/** May this message be quoted in an answer: it is at the platform and still has content. */
export function quotable(message: MessageView): boolean {
  return !message.deleted && ["received", "sent", "delivered", "read"].includes(message.state);
}
