/** A conversation's loaded stretch of messages and how fresh answers of the core are put into it.
 *
 * Invariant: `messages` is a gap-free stretch, oldest first, without doubles. A stretch that would leave a gap replaces the old one. */
import type { MessagePage } from "@/gen/MessagePage";
import type { MessageView } from "@/gen/MessageView";

/** Loaded stretch of one thread. */
export interface Stretch {
  messages: MessageView[];
  moreBefore: boolean;
  moreAfter: boolean;
}

/** More than this is not kept in the page; the far end is let go and loaded again when it is scrolled to. */
export const STRETCH_MAX = 400;

/** Orders two sort keys (64-bit integers as text, not negative). */
export function compareKeys(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function first(stretch: { messages: readonly MessageView[] }): string | null {
  return stretch.messages[0]?.sort_key ?? null;
}

function last(stretch: { messages: readonly MessageView[] }): string | null {
  return stretch.messages[stretch.messages.length - 1]?.sort_key ?? null;
}

/** An answer of the core as a stretch. */
export function stretchOf(page: MessagePage): Stretch {
  return { messages: page.messages, moreBefore: page.more_before, moreAfter: page.more_after };
}

/**
 * Puts a fresh answer over what is loaded. Where the two touch, the fresh one wins, also for messages it no longer has.
 * Where they do not touch, the fresh one replaces everything.
 */
export function overlay(old: Stretch, fresh: Stretch): Stretch {
  const oldFirst = first(old);
  const oldLast = last(old);
  const freshFirst = first(fresh);
  const freshLast = last(fresh);
  if (oldFirst === null || oldLast === null || freshFirst === null || freshLast === null) return fresh;
  if (compareKeys(freshFirst, oldLast) > 0 || compareKeys(freshLast, oldFirst) < 0) return fresh;
  const before = fresh.moreBefore ? old.messages.filter((m) => compareKeys(m.sort_key, freshFirst) < 0) : [];
  const after = fresh.moreAfter ? old.messages.filter((m) => compareKeys(m.sort_key, freshLast) > 0) : [];
  return {
    messages: distinct([...before, ...fresh.messages, ...after]),
    moreBefore: before.length > 0 ? old.moreBefore : fresh.moreBefore,
    moreAfter: after.length > 0 ? old.moreAfter : fresh.moreAfter,
  };
}

/** Adds older messages above. */
export function prepend(old: Stretch, older: Stretch): Stretch {
  const start = first(old);
  const added = start === null ? older.messages : older.messages.filter((m) => compareKeys(m.sort_key, start) < 0);
  return trim(
    { messages: distinct([...added, ...old.messages]), moreBefore: older.moreBefore, moreAfter: old.moreAfter },
    "end",
  );
}

/** Adds newer messages below. */
export function append(old: Stretch, newer: Stretch): Stretch {
  const end = last(old);
  const added = end === null ? newer.messages : newer.messages.filter((m) => compareKeys(m.sort_key, end) > 0);
  return trim(
    { messages: distinct([...old.messages, ...added]), moreBefore: old.moreBefore, moreAfter: newer.moreAfter },
    "start",
  );
}

/** Puts one message at its place: replaces it by id, or adds it at the end of a stretch that reaches the newest. */
export function upsert(old: Stretch, message: MessageView): Stretch {
  const index = old.messages.findIndex((m) => m.id === message.id);
  if (index >= 0) {
    const messages = old.messages.slice();
    messages[index] = message;
    return { ...old, messages: messages.sort((a, b) => compareKeys(a.sort_key, b.sort_key)) };
  }
  if (old.moreAfter) return old;
  return { ...old, messages: [...old.messages, message].sort((a, b) => compareKeys(a.sort_key, b.sort_key)) };
}

/** Takes one message out. */
export function without(old: Stretch, id: number): Stretch {
  return { ...old, messages: old.messages.filter((m) => m.id !== id) };
}

/** Only the newest `count`, when the stretch reaches the newest: what a thread keeps while nobody looks at it. */
export function newest(old: Stretch, count: number): Stretch {
  if (old.moreAfter || old.messages.length <= count) return old;
  return { messages: old.messages.slice(-count), moreBefore: true, moreAfter: false };
}

function trim(stretch: Stretch, from: "start" | "end"): Stretch {
  const extra = stretch.messages.length - STRETCH_MAX;
  if (extra <= 0) return stretch;
  return from === "end"
    ? { ...stretch, messages: stretch.messages.slice(0, STRETCH_MAX), moreAfter: true }
    : { ...stretch, messages: stretch.messages.slice(extra), moreBefore: true };
}

function distinct(messages: MessageView[]): MessageView[] {
  const seen = new Set<number>();
  return messages.filter((message) => !seen.has(message.id) && seen.add(message.id));
}
