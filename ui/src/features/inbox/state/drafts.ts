/** Saves what the owner types, a moment after the last key and at once when they turn away.
 *
 * Invariant: the newest text of a thread is what is saved last; a failed save is tried again with the next one. */
import { backend } from "@/backend";
import type { Thread } from "./threads.svelte";

const AFTER_MS = 400;
const timers = new Map<number, number>();

/** The owner typed. */
export function typed(thread: Thread, text: string): void {
  thread.draft = text;
  thread.refused = null;
  window.clearTimeout(timers.get(thread.id));
  timers.set(
    thread.id,
    window.setTimeout(() => void saveDraft(thread), AFTER_MS),
  );
}

/** Saves now, if there is something to save. */
export async function saveDraft(thread: Thread): Promise<void> {
  window.clearTimeout(timers.get(thread.id));
  timers.delete(thread.id);
  const text = thread.draft;
  if (text === thread.savedDraft) return;
  const before = thread.savedDraft;
  thread.savedDraft = text;
  try {
    await backend.call("draft_set", { id: thread.id, text });
  } catch {
    if (thread.savedDraft === text) thread.savedDraft = before;
  }
}
