/** What the owner can take back: a note with the way back for most things, and Z for the last fifty.
 *
 * Invariant: an entry runs at most once. What undoing means belongs to whoever offered it. */
import { dismissToast, toast, undoLast as undoNote } from "@/shared/toasts.svelte";

const KEPT = 50;

/** Something that was done. */
export interface Undoable {
  /** What the note says. */
  says: string;
  run: () => Promise<void> | void;
  /** Core time after which it cannot be undone; null = no end. */
  until: number | null;
  /** Shown as a note. A send in the open thread is not: it is taken back at its bubble. */
  note: boolean;
}

interface Entry {
  undo: Undoable;
  noteId: number | null;
}

const past: Entry[] = [];

function show(entry: Entry): void {
  entry.noteId = toast(entry.undo.says, () => {
    forget(entry.undo);
    void entry.undo.run();
  });
}

function forget(undo: Undoable): Entry | undefined {
  const at = past.findIndex((entry) => entry.undo === undo);
  return at < 0 ? undefined : past.splice(at, 1)[0];
}

/** Offers something to take back. */
export function offer(undo: Undoable): void {
  const entry: Entry = { undo, noteId: null };
  past.push(entry);
  if (past.length > KEPT) past.shift();
  if (undo.note) show(entry);
}

/** Shows the note of something offered without one. */
export function remind(undo: Undoable): void {
  const entry = past.find((one) => one.undo === undo);
  if (entry && entry.noteId === null) show(entry);
}

/** No longer to be taken back, because it was in another way. */
export function withdraw(undo: Undoable): void {
  const entry = forget(undo);
  if (entry && entry.noteId !== null) dismissToast(entry.noteId);
}

/** Forgets everything, for another profile. */
export function forgetUndo(): void {
  for (const entry of past.splice(0)) if (entry.noteId !== null) dismissToast(entry.noteId);
}

/** Takes back the newest that still can be. */
export async function undoLast(now: number): Promise<void> {
  const newest = past.at(-1);
  const atBubble =
    newest !== undefined && newest.noteId === null && (newest.undo.until === null || newest.undo.until > now);
  if (!atBubble && undoNote()) return;
  for (let entry = past.pop(); entry; entry = past.pop()) {
    if (entry.undo.until !== null && entry.undo.until <= now) continue;
    if (entry.noteId !== null) dismissToast(entry.noteId);
    await entry.undo.run();
    return;
  }
}
