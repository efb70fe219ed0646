/** The search over everything kept here: people first, then messages, newest first.
 *
 * Invariants: an answer shows only when it belongs to the words that stand in the field; closing brings back the place before. */
import { type ApiError, backend, toApiError } from "@/backend";
import type { ConversationRow } from "@/gen/ConversationRow";
import type { SearchHit } from "@/gen/SearchHit";
import type { SearchPage } from "@/gen/SearchPage";
import type { ScrollPlace } from "../state/threads.svelte";

const PAGE = 50;

/** One line of the result, for the keyboard. */
export type Found =
  | { kind: "person"; key: string; row: ConversationRow }
  | { kind: "message"; key: string; hit: SearchHit };

class Search {
  open = $state(false);
  text = $state("");
  accountId = $state<number | null>(null);
  people = $state.raw<ConversationRow[]>([]);
  hits = $state.raw<SearchHit[]>([]);
  more = $state(false);
  didYouMean = $state.raw<string[]>([]);
  /** The words that were answered last; differs from `text` while an answer is on its way. */
  answered = $state<string | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  /** Key of the line the keyboard is on. */
  cursor = $state<string | null>(null);
  /** Conversation that was open when the search began, and where it was scrolled to. */
  from: { id: number; scroll: ScrollPlace | null } | null = null;

  found = $derived<Found[]>([
    ...this.people.map((row): Found => ({ kind: "person", key: `p-${row.id}`, row })),
    ...this.hits.map((hit): Found => ({ kind: "message", key: `m-${hit.message_id}`, hit })),
  ]);

  #next: string | null = null;
  #asking = false;

  /** Starts a search from a place to come back to. */
  begin(from: { id: number; scroll: ScrollPlace | null } | null, accountId: number | null): void {
    if (!this.open) {
      this.from = from;
      this.accountId = accountId;
    }
    this.open = true;
  }

  /** Ends the search. What was found is forgotten. */
  end(): void {
    this.open = false;
    this.clear();
  }

  /** Empties the field. */
  clear(): void {
    this.text = "";
    this.#take({ people: [], hits: [], next: null, did_you_mean: [] }, null);
  }

  /** The owner typed. */
  type(text: string): void {
    this.text = text;
    if (text.trim() === "") this.clear();
    else void this.ask();
  }

  /** Asks with the words and the account as they stand; the newest words always win. */
  async ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      for (;;) {
        const text = this.text;
        const account = this.accountId;
        if (text.trim() === "") return;
        const page = await this.#page(text, account, null);
        if (this.text.trim() === "") return;
        this.#take(page, text);
        if (text === this.text && account === this.accountId) return;
      }
    } catch (error) {
      this.trouble = toApiError(error);
    } finally {
      this.#asking = false;
    }
  }

  /** Older hits. */
  async loadMore(): Promise<void> {
    const text = this.text;
    if (this.#next === null || this.#asking) return;
    this.#asking = true;
    try {
      const page = await this.#page(text, this.accountId, this.#next);
      if (text !== this.text) return;
      this.hits = [...this.hits, ...page.hits];
      this.#next = page.next;
      this.more = page.next !== null;
    } catch (error) {
      this.trouble = toApiError(error);
    } finally {
      this.#asking = false;
      if (text !== this.text) void this.ask();
    }
  }

  /** Moves the keyboard. Returns the line it is on now. */
  step(by: 1 | -1): Found | null {
    const at = this.found.findIndex((one) => one.key === this.cursor);
    const next = this.found[Math.min(Math.max(at + by, 0), this.found.length - 1)] ?? null;
    this.cursor = next?.key ?? null;
    return next;
  }

  /** The line the keyboard is on. */
  current(): Found | null {
    return this.found.find((one) => one.key === this.cursor) ?? null;
  }

  #page(text: string, accountId: number | null, cursor: string | null): Promise<SearchPage> {
    return backend.call("search", { text, conversation_id: null, account_id: accountId, cursor, limit: PAGE });
  }

  #take(page: SearchPage, text: string | null): void {
    this.people = page.people;
    this.hits = page.hits;
    this.#next = page.next;
    this.more = page.next !== null;
    this.didYouMean = page.did_you_mean;
    this.answered = text;
    this.trouble = null;
    this.cursor = this.found[0]?.key ?? null;
  }
}

/** The search of the inbox. */
export const search = new Search();
