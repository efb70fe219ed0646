/** What the owner does with a conversation: answer, take back, done, unread.
 *
 * Invariants: an answer shows at once and is sent under one key; words that could not be sent are back in the field; everything that can be
 * taken back is offered to `undo`. */
import { backend, toApiError } from "@/backend";
import type { ConversationRow } from "@/gen/ConversationRow";
import type { MessageView } from "@/gen/MessageView";
import { m } from "@/paraglide/messages";
import { app } from "@/shared/state/app.svelte";
import { coreNow } from "@/shared/state/clock.svelte";
import { route } from "@/shared/state/route.svelte";
import { toastError } from "@/shared/toasts.svelte";
import { counter } from "../pure/limit";
import { upsert, without } from "../pure/pages";
import { pendingMessage, sendKey } from "../pure/pending";
import { personName, rowName } from "../words";
import { saveDraft, typed } from "./drafts";
import { knownThread, type Thread } from "./threads.svelte";
import { offer, remind, type Undoable, withdraw } from "./undo";

const undos = new Map<number, Undoable>();

function put(thread: Thread, message: MessageView): void {
  if (thread.stretch) thread.stretch = upsert(thread.stretch, message);
}

/** May the draft be sent as it stands. */
export function sendable(thread: Thread): boolean {
  const head = thread.head;
  if (head === null || thread.draft.trim() === "") return false;
  if (counter(thread.draft, head.text_limit).over > 0) return false;
  return head.row.window.lock === null;
}

/** Sends the draft. Resolves when the core has it; it shows before that. */
export async function send(thread: Thread): Promise<boolean> {
  if (!sendable(thread)) return false;
  const text = thread.draft.trimEnd();
  const replyTo = thread.replyTo;
  const key = sendKey();
  const hold = (app.settings?.hold_back_s ?? 0) * 1000;
  const known = new Set(thread.stretch?.messages.map((message) => message.id) ?? []);
  const message = pendingMessage(thread.id, text, coreNow(), hold, app.status?.online ?? true, replyTo);
  if (thread.stretch?.moreAfter) void thread.latest();
  thread.pending = [...thread.pending, { key, message, known }];
  thread.draft = "";
  thread.replyTo = null;
  thread.refused = null;
  try {
    const argument = { conversation_id: thread.id, text, reply_to: replyTo?.id ?? null, key };
    const row = await backend.call("message_send", argument);
    thread.pending = thread.pending.filter((one) => one.key !== key);
    put(thread, row);
    void saveDraft(thread);
    offerUndo(thread, row);
    return true;
  } catch (error) {
    thread.pending = thread.pending.filter((one) => one.key !== key);
    restore(thread, text);
    if (thread.replyTo === null) thread.replyTo = replyTo;
    thread.refused = toApiError(error);
    return false;
  }
}

function restore(thread: Thread, text: string): void {
  typed(thread, thread.draft.trim() === "" ? text : `${text}\n${thread.draft}`);
}

function offerUndo(thread: Thread, message: MessageView): void {
  if (message.state !== "scheduled" || message.leaves_at_ms === null) return;
  const name = thread.head ? personName(thread.head.person, thread.id) : "";
  const undo: Undoable = {
    says: m.inbox_toast_sends({ name }),
    run: () => undoSend(thread, message),
    until: message.leaves_at_ms,
    note: false,
  };
  undos.set(message.id, undo);
  offer(undo);
}

/** The owner turned away while a send is still held back: the toast carries its undo from here on. */
export function carryUndo(thread: Thread): void {
  for (const message of thread.stretch?.messages ?? []) {
    const undo = undos.get(message.id);
    if (undo && message.state === "scheduled" && (undo.until ?? 0) > coreNow()) remind(undo);
  }
}

/** Takes a held-back send back; its words return to the field. */
export async function undoSend(thread: Thread, message: MessageView): Promise<void> {
  const undo = undos.get(message.id);
  if (undo) withdraw(undo);
  undos.delete(message.id);
  try {
    put(thread, await backend.call("message_undo", { id: message.id }));
    const words = message.text ?? "";
    if (!thread.draft.startsWith(words)) restore(thread, words);
    route.conversationId = thread.id;
  } catch (error) {
    toastError(error);
    void thread.refresh();
  }
}

async function attempt(thread: Thread, ask: Promise<MessageView>): Promise<void> {
  try {
    put(thread, await ask);
  } catch (error) {
    toastError(error);
    void thread.refresh();
  }
}

/** Sends a failed or unsure message again, on the owner's word. */
export const retry = (thread: Thread, id: number): Promise<void> =>
  attempt(thread, backend.call("message_retry", { id }));

/** Looks whether an unsure message arrived. */
export const check = (thread: Thread, id: number): Promise<void> =>
  attempt(thread, backend.call("message_check", { id }));

/** Throws a message away that did not leave. */
export async function discard(thread: Thread, id: number): Promise<void> {
  try {
    await backend.call("message_discard", { id });
    if (thread.stretch) thread.stretch = without(thread.stretch, id);
  } catch (error) {
    toastError(error);
    void thread.refresh();
  }
}

async function setState(row: ConversationRow, state: "open" | "resolved"): Promise<boolean> {
  const thread = knownThread(row.id);
  const before = thread?.head ?? null;
  if (thread && before) thread.head = { ...before, row: { ...before.row, state } };
  try {
    await backend.call("conversation_set_state", { id: row.id, state });
    return true;
  } catch (error) {
    if (thread && before) thread.head = before;
    toastError(error);
    return false;
  }
}

/** Finishes a conversation, or opens it again. */
export async function toggleDone(row: ConversationRow): Promise<void> {
  const done = row.state === "resolved";
  if (!(await setState(row, done ? "open" : "resolved"))) return;
  const name = rowName(row);
  offer({
    says: done ? m.inbox_toast_reopened({ name }) : m.inbox_toast_done({ name }),
    run: async () => {
      await setState(row, done ? "resolved" : "open");
    },
    until: null,
    note: true,
  });
}

/** Read becomes unread, unread becomes read. */
export async function toggleUnread(row: ConversationRow): Promise<void> {
  const unread = row.unread === 0;
  // The open thread knows at once, so that pressing twice means twice.
  const set = async (value: boolean) => {
    const thread = knownThread(row.id);
    const before = thread?.head ?? null;
    if (thread && before) thread.head = { ...before, row: { ...before.row, unread: value ? 1 : 0 } };
    try {
      await backend.call("conversation_set_unread", { id: row.id, unread: value });
    } catch (error) {
      if (thread && before) thread.head = before;
      throw error;
    }
  };
  try {
    await set(unread);
  } catch (error) {
    toastError(error);
    return;
  }
  const name = rowName(row);
  const says = unread ? m.inbox_toast_unread({ name }) : m.inbox_toast_read({ name });
  offer({ says, run: () => set(!unread), until: null, note: true });
}
