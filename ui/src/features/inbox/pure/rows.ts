/** The loaded rows of one view of the list, and how a fresh answer is put into them without jumping.
 *
 * Invariant: no row twice; rows already shown keep their object when nothing changed, so nothing is drawn again. */
import type { ConversationPage } from "@/gen/ConversationPage";
import type { ConversationRow } from "@/gen/ConversationRow";

/** Loaded rows, in order, and where to go on. */
export interface Rows {
  rows: ConversationRow[];
  next: string | null;
}

function keepSame(old: ReadonlyMap<number, ConversationRow>, fresh: ConversationRow): ConversationRow {
  const before = old.get(fresh.id);
  return before && JSON.stringify(before) === JSON.stringify(fresh) ? before : fresh;
}

/** Adds the next page. */
export function addPage(old: Rows, page: ConversationPage): Rows {
  const known = new Set(old.rows.map((row) => row.id));
  return { rows: [...old.rows, ...page.rows.filter((row) => !known.has(row.id))], next: page.next ?? null };
}

/**
 * Puts a fresh first page over what is loaded. What was loaded further down stays, as long as the fresh page has a next one;
 * `gone` holds ids that changed and are known to have left the view.
 */
export function mergeTop(old: Rows, fresh: ConversationPage, gone: ReadonlySet<number> = new Set()): Rows {
  const before = new Map(old.rows.map((row) => [row.id, row]));
  const top = fresh.rows.map((row) => keepSame(before, row));
  if (fresh.next === null || old.rows.length <= top.length) return { rows: top, next: fresh.next ?? null };
  const inTop = new Set(top.map((row) => row.id));
  let boundary = -1;
  for (const [index, row] of old.rows.entries()) if (inTop.has(row.id)) boundary = index;
  if (boundary < 0) return { rows: top, next: fresh.next };
  const rest = old.rows.slice(boundary + 1).filter((row) => !gone.has(row.id));
  return rest.length === 0 ? { rows: top, next: fresh.next } : { rows: [...top, ...rest], next: old.next };
}

/** Keeps the order of what is shown and only renews the content of rows: used while the pointer rests on the list. */
export function updateInPlace(shown: readonly ConversationRow[], fresh: readonly ConversationRow[]): ConversationRow[] {
  const byId = new Map(fresh.map((row) => [row.id, row]));
  return shown.map((row) => byId.get(row.id) ?? row);
}

/** True when the two lists hold the same rows in the same order. */
export function sameOrder(a: readonly ConversationRow[], b: readonly ConversationRow[]): boolean {
  return a.length === b.length && a.every((row, index) => row.id === b[index]?.id);
}

/**
 * The row to go to from `current` by `step`. A row that left the list is remembered by the place it had (`place`), so that
 * "next" means the one that moved up into its place.
 */
export function neighbour(
  rows: readonly ConversationRow[],
  current: number | null,
  place: number,
  step: 1 | -1,
): ConversationRow | null {
  if (rows.length === 0) return null;
  const index = current === null ? -1 : rows.findIndex((row) => row.id === current);
  if (index < 0) {
    if (current === null) return rows[step === 1 ? 0 : rows.length - 1] ?? null;
    const at = step === 1 ? place : place - 1;
    return rows[Math.min(Math.max(at, 0), rows.length - 1)] ?? null;
  }
  return rows[index + step] ?? null;
}
