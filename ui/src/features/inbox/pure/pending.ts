/** A send shows before the core has answered. Until its row is known, it stands at the end of the thread under the key of the send. */
import type { MessageView } from "@/gen/MessageView";

/** A send on its way to the core. */
export interface Pending {
  /** Idempotency key of the send (UUID). */
  key: string;
  /** How it is drawn meanwhile. Its id is negative, so it never collides with a row of the core. */
  message: MessageView;
  /** Ids that were in the thread when it was sent. */
  known: ReadonlySet<number>;
}

/** A fresh key: a UUID, version 4. Made by hand, since older web views have `randomUUID` only on https. */
export function sendKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

let nextId = -1;

/** Builds the drawing of a send. */
export function pendingMessage(
  conversationId: number,
  text: string,
  nowMs: number,
  holdBackMs: number,
  online: boolean,
  replyTo: MessageView | null,
): MessageView {
  nextId -= 1;
  return {
    id: nextId,
    sort_key: "9223372036854775807",
    conversation_id: conversationId,
    author: "you",
    text,
    sent_at_ms: nowMs,
    state: online && holdBackMs > 0 ? "scheduled" : "queued",
    reason: null,
    leaves_at_ms: online && holdBackMs > 0 ? nowMs + holdBackMs : null,
    edited_at_ms: null,
    deleted: false,
    unsupported: false,
    reply_to: replyTo
      ? { id: replyTo.id, sort_key: replyTo.sort_key, author: replyTo.author, preview: replyTo.text }
      : null,
    story: null,
    attachments: [],
    reactions: [],
    referral: null,
  };
}

/** The thread with its pending sends. A pending send hides as soon as a new row of ours with its text is there. */
export function withPending(messages: readonly MessageView[], pending: readonly Pending[]): MessageView[] {
  const taken = new Set<number>();
  const open = pending.filter((send) => {
    const row = messages.find(
      (m) => !send.known.has(m.id) && !taken.has(m.id) && m.author === "you" && m.text === send.message.text,
    );
    if (row) taken.add(row.id);
    return row === undefined;
  });
  return [...messages, ...open.map((send) => send.message)];
}
