/** The rows of the view the owner looks at, loaded page by page and renewed in place when something changed.
 *
 * Invariants: every view remembers its rows and its scroll place, so going back shows them in the same frame; while the pointer moves
 * over the list no row changes its place. What a row means belongs to `words.ts`, what is open to the route. */
import { type ApiError, backend, toApiError } from "@/backend";
import type { Change } from "@/gen/Change";
import type { ConversationPage } from "@/gen/ConversationPage";
import type { ConversationRow } from "@/gen/ConversationRow";
import type { InboxView } from "@/gen/InboxView";
import { touches } from "@/shared/state/changes";
import { addPage, mergeTop, neighbour, type Rows, sameOrder, updateInPlace } from "../pure/rows";

const PAGE = 60;
/** The core gives at most this many rows at once. */
const PAGE_MAX = 200;
/** After the pointer rested this long, rows may move again. */
const REST_MS = 1500;
/** Changes come in crowds during a first sync; the list is asked again at most this often. */
const EVERY_MS = 200;

interface Kept {
  rows: Rows;
  offset: number;
}

class ConversationList {
  /** Loaded rows in the order they are shown. */
  rows = $state.raw<ConversationRow[]>([]);
  /** There are more below. */
  more = $state(false);
  /** The core answered for this view at least once. */
  asked = $state(false);
  /** Why the last question failed. */
  trouble = $state.raw<ApiError | null>(null);
  /** How many there are in all, when only one account is shown; the rest knows `app.counts`. */
  count = $state<number | null>(null);
  /** Where the list was scrolled to, px. Written by the pane, read when it comes back. */
  offset = 0;
  /** Place of the selected row when it was last in the list. */
  place = 0;
  /** Rows before and after a renewal, so that the pane can keep what is in view where it is. */
  onbefore: () => void = () => {};
  onafter: () => void = () => {};

  #view: InboxView = "needs_you";
  #accountId: number | null = null;
  #next: string | null = null;
  #kept = new Map<string, Kept>();
  #held: Rows | null = null;
  #moved = 0;
  #restTimer = 0;
  #asking = false;
  #again = false;
  #paging = false;
  #askedAt = 0;
  #timer = 0;
  #turn = 0;

  /** Shows a view. What was loaded of it before is there at once. */
  open(view: InboxView, accountId: number | null): void {
    const key = `${view}/${accountId ?? ""}`;
    if (this.asked && key === this.#key()) return;
    if (this.asked) this.#kept.set(this.#key(), { rows: { rows: this.rows, next: this.#next }, offset: this.offset });
    this.#view = view;
    this.#accountId = accountId;
    this.#turn += 1;
    this.#held = null;
    const kept = this.#kept.get(key);
    this.#take(kept?.rows ?? { rows: [], next: null });
    this.offset = kept?.offset ?? 0;
    this.asked = kept !== undefined;
    this.count = null;
    this.trouble = null;
    this.#asking = false;
    void this.#ask();
  }

  /** Hears of changes. */
  hear(changes: readonly Change[]): void {
    if (!touches(changes, "conversation", "messages", "accounts")) return;
    if (changes.some((change) => change.kind === "everything")) this.#kept.clear();
    const wait = this.#askedAt + EVERY_MS - performance.now();
    if (wait <= 0) void this.#ask();
    else if (this.#timer === 0) {
      this.#timer = window.setTimeout(() => {
        this.#timer = 0;
        void this.#ask();
      }, wait);
    }
  }

  /** Loads the next page, when there is one. */
  async loadMore(): Promise<void> {
    if (this.#paging || this.#next === null) return;
    this.#paging = true;
    const turn = this.#turn;
    try {
      const page = await this.#page(this.#next, PAGE_MAX);
      if (turn === this.#turn) this.#take(addPage({ rows: this.rows, next: this.#next }, page));
    } catch (error) {
      if (turn === this.#turn) this.trouble = toApiError(error);
    } finally {
      this.#paging = false;
    }
  }

  /** The pointer moved over the list: rows hold still for a moment. */
  pointerMoved(): void {
    this.#moved = performance.now();
  }

  /** The pointer left: what was held back may show. */
  pointerLeft(): void {
    this.#moved = 0;
    this.#release();
  }

  /** The row `step` away from `current`. */
  neighbour(current: number | null, step: 1 | -1): ConversationRow | null {
    return neighbour(this.rows, current, this.place, step);
  }

  /** Forgets every view, for another profile. */
  forget(): void {
    this.#kept.clear();
    this.#held = null;
    this.#turn += 1;
    this.#asking = false;
    this.#take({ rows: [], next: null });
    this.asked = false;
    this.offset = 0;
    void this.#ask();
  }

  /** Asks again, for "Try again". */
  retry(): void {
    void this.#ask();
  }

  #key(): string {
    return `${this.#view}/${this.#accountId ?? ""}`;
  }

  #page(cursor: string | null, limit: number): Promise<ConversationPage> {
    return backend.call("conversations_list", { view: this.#view, account_id: this.#accountId, cursor, limit });
  }

  async #countOf(): Promise<number | null> {
    if (this.#accountId === null) return null;
    const counts = await backend.call("view_counts", { account_id: this.#accountId });
    return counts.views.find(([view]) => view === this.#view)?.[1] ?? null;
  }

  async #ask(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    this.#askedAt = performance.now();
    const turn = this.#turn;
    try {
      const limit = Math.min(PAGE_MAX, Math.max(PAGE, this.rows.length));
      const [page, count] = await Promise.all([this.#page(null, limit), this.#countOf()]);
      if (turn !== this.#turn) return;
      this.count = count;
      this.trouble = null;
      this.#renew(mergeTop({ rows: this.rows, next: this.#next }, page));
      this.asked = true;
    } catch (error) {
      if (turn === this.#turn) this.trouble = toApiError(error);
    } finally {
      if (turn === this.#turn) {
        this.#asking = false;
        if (this.#again) {
          this.#again = false;
          this.hear([{ kind: "everything" }]);
        }
      }
    }
  }

  #renew(fresh: Rows): void {
    const rests = performance.now() - this.#moved > REST_MS;
    if (rests || !this.asked || sameOrder(this.rows, fresh.rows)) {
      this.#held = null;
      this.onbefore();
      this.#take(fresh);
      this.onafter();
      return;
    }
    this.#held = fresh;
    this.rows = updateInPlace(this.rows, fresh.rows);
    this.#releaseLater();
  }

  #releaseLater(): void {
    window.clearTimeout(this.#restTimer);
    const rested = performance.now() - this.#moved;
    this.#restTimer = window.setTimeout(() => this.#release(), Math.max(0, REST_MS - rested) + 20);
  }

  #release(): void {
    if (this.#held === null) return;
    if (performance.now() - this.#moved <= REST_MS) {
      this.#releaseLater();
      return;
    }
    const fresh = this.#held;
    this.#held = null;
    this.onbefore();
    this.#take(fresh);
    this.onafter();
  }

  #take(rows: Rows): void {
    this.rows = rows.rows;
    this.#next = rows.next;
    this.more = rows.next !== null;
  }
}

/** The list of the inbox. */
export const list = new ConversationList();
