/** Short notes at the lower start corner, each with an optional way back. Z takes back the newest.
 *
 * Invariant: a note leaves after 8 s, except while the pointer or the focus is on it. Errors stay until closed. */
import { toApiError } from "@/backend";
import { errorText } from "./reasons";

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  undo: (() => void) | null;
}

const STAYS_MS = 8000;
let nextId = 1;

export const toasts: Toast[] = $state([]);
const timers = new Map<number, number>();

export function dismissToast(id: number) {
  window.clearTimeout(timers.get(id));
  timers.delete(id);
  const at = toasts.findIndex((toast) => toast.id === id);
  if (at >= 0) toasts.splice(at, 1);
}

/** Keeps a note on screen while it is looked at. */
export function holdToast(id: number, held: boolean) {
  window.clearTimeout(timers.get(id));
  if (!held)
    timers.set(
      id,
      window.setTimeout(() => dismissToast(id), STAYS_MS),
    );
}

/** Says something happened. With `undo`, offers to take it back. Returns its id. */
export function toast(text: string, undo: (() => void) | null = null): number {
  const made = { id: nextId++, text, bad: false, undo };
  toasts.push(made);
  if (toasts.length > 3) dismissToast(toasts[0]?.id ?? 0);
  holdToast(made.id, false);
  return made.id;
}

/** Says that something failed, in the words of its code. */
export function toastError(thrown: unknown): number {
  const made = { id: nextId++, text: errorText(toApiError(thrown)), bad: true, undo: null };
  toasts.push(made);
  return made.id;
}

/** Takes back the newest thing that can be. Returns whether there was one. */
export function undoLast(): boolean {
  const newest = toasts.findLast((one) => one.undo !== null);
  if (!newest?.undo) return false;
  dismissToast(newest.id);
  newest.undo();
  return true;
}
