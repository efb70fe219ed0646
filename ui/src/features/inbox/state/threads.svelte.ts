/** Opened conversations: head, loaded messages, sends on their way, draft and scroll place of each.
 *
 * Invariants: what was loaded once is shown at once when the owner comes back; an answer for a conversation never lands in another one;
 * only threads used long ago are forgotten. What the owner does with a thread is in `actions.ts`. */
import { type ApiError, backend, toApiError } from "@/backend";
import type { Change } from "@/gen/Change";
import type { ConversationView } from "@/gen/ConversationView";
import type { MessagePage } from "@/gen/MessagePage";
import type { MessageView } from "@/gen/MessageView";
import { touches } from "@/shared/state/changes";
import { toastError } from "@/shared/toasts.svelte";
import { Lru } from "../pure/lru";
import { append, newest, overlay, prepend, type Stretch, stretchOf } from "../pure/pages";
import { type Pending, withPending } from "../pure/pending";
import { firstUnread, layout } from "../pure/thread";

const PAGE = 50;
const PAGE_MAX = 200;
/** How many threads stay in memory. */
const KEPT = 40;

/** Where a thread was scrolled to: a message and its distance from the upper edge, px. Null = the newest. */
export interface ScrollPlace {
  messageId: number;
  sortKey: string;
  top: number;
}

/** One opened conversation. */
export class Thread {
  readonly id: number;
  head = $state.raw<ConversationView | null>(null);
  stretch = $state.raw<Stretch | null>(null);
  pending = $state.raw<Pending[]>([]);
  /** First message that was unread when the thread was opened; stands below the "New" line. */
  firstNew = $state<number | null>(null);
  /** A message found by search or jumped to; marked until the next jump. */
  found = $state<number | null>(null);
  /** Counts jumps, so that going to the same message again moves again. */
  jumps = $state(0);
  /** Counts returns to `scroll`. */
  returns = $state(0);
  draft = $state("");
  replyTo = $state.raw<MessageView | null>(null);
  /** Why the last send was refused before it was a row. */
  refused = $state.raw<ApiError | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  /** The profile is being fetched on the owner's word. */
  refreshing = $state(false);
  scroll: ScrollPlace | null = null;
  /** The newest message is in view. */
  atEnd = $state(true);
  /** The draft as the core has it. */
  savedDraft = "";

  items = $derived.by(() => {
    const stretch = this.stretch;
    if (stretch === null) return [];
    const marks = this.head ?? { delivered_until_ms: null, read_until_ms: null };
    const messages = stretch.moreAfter ? stretch.messages : withPending(stretch.messages, this.pending);
    return layout(messages, marks, this.firstNew);
  });

  #turn = 0;
  #loadingBefore = false;
  #loadingAfter = false;
  #asking = false;
  #again = false;
  #draftKnown = false;
  #newDrawn = false;

  constructor(id: number) {
    this.id = id;
  }

  /** Asks for the head and for what is shown of the messages. */
  async refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    const turn = this.#turn;
    try {
      const [head, page] = await Promise.all([backend.call("conversation_get", { id: this.id }), this.#shown()]);
      if (turn === this.#turn) {
        this.#takeHead(head);
        this.#takePage(page, head.row.unread);
        this.trouble = null;
      }
    } catch (error) {
      this.trouble = toApiError(error);
    } finally {
      this.#asking = false;
      if (this.#again) {
        this.#again = false;
        void this.refresh();
      }
    }
  }

  /** Loads older messages above. Resolves to false when there are none or somebody loads already. */
  async loadBefore(): Promise<boolean> {
    const start = this.stretch?.messages[0];
    if (!start || !this.stretch?.moreBefore || this.#loadingBefore) return false;
    this.#loadingBefore = true;
    const turn = this.#turn;
    try {
      const page = await this.#messages({ before: start.sort_key });
      if (turn !== this.#turn || this.stretch === null) return false;
      this.stretch = prepend(this.stretch, stretchOf(page));
      return true;
    } catch (error) {
      this.trouble = toApiError(error);
      return false;
    } finally {
      this.#loadingBefore = false;
    }
  }

  /** Loads newer messages below, after a jump into the past. */
  async loadAfter(): Promise<boolean> {
    const end = this.stretch?.messages.at(-1);
    if (!end || !this.stretch?.moreAfter || this.#loadingAfter) return false;
    this.#loadingAfter = true;
    const turn = this.#turn;
    try {
      const page = await this.#messages({ after: end.sort_key });
      if (turn !== this.#turn || this.stretch === null) return false;
      this.stretch = append(this.stretch, stretchOf(page));
      return true;
    } catch (error) {
      this.trouble = toApiError(error);
      return false;
    } finally {
      this.#loadingAfter = false;
    }
  }

  /** Goes to a message, loading the stretch around it when it is not there. */
  async jump(messageId: number, sortKey: string): Promise<void> {
    if (!this.stretch?.messages.some((message) => message.id === messageId)) {
      this.#turn += 1;
      const turn = this.#turn;
      try {
        const page = await this.#messages({ around: sortKey });
        if (turn !== this.#turn) return;
        const fresh = stretchOf(page);
        this.stretch = this.stretch === null ? fresh : overlay(this.stretch, fresh);
        if (this.head === null) void this.refresh();
      } catch (error) {
        this.trouble = toApiError(error);
        return;
      }
    }
    this.found = messageId;
    this.jumps += 1;
  }

  /** Goes to the newest message. */
  async latest(): Promise<void> {
    this.found = null;
    this.scroll = null;
    if (!this.stretch?.moreAfter) return;
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const page = await this.#messages({});
      if (turn === this.#turn) this.stretch = stretchOf(page);
    } catch (error) {
      this.trouble = toApiError(error);
    }
  }

  /** Fetches the profile anew, on the owner's word. */
  async refreshProfile(): Promise<void> {
    if (this.refreshing) return;
    this.refreshing = true;
    try {
      const person = await backend.call("profile_refresh", { id: this.id });
      if (this.head !== null) this.head = { ...this.head, person };
    } catch (error) {
      toastError(error);
    } finally {
      this.refreshing = false;
    }
  }

  /** Brings back a scroll place of before a search or jump. */
  async comeBack(place: ScrollPlace | null): Promise<void> {
    if (place === null) await this.latest();
    else if (!this.stretch?.messages.some((message) => message.id === place.messageId)) {
      await this.jump(place.messageId, place.sortKey);
    }
    this.found = null;
    this.scroll = place;
    this.returns += 1;
  }

  /** The owner turned away: the "New" line and the found mark have done their work. */
  left(): void {
    this.firstNew = null;
    this.found = null;
    this.#newDrawn = false;
    if (this.scroll === null && this.stretch !== null) this.stretch = newest(this.stretch, PAGE);
  }

  #messages(place: { before?: string; after?: string; around?: string }, limit = PAGE): Promise<MessagePage> {
    return backend.call("messages_list", {
      conversation_id: this.id,
      before: place.before ?? null,
      after: place.after ?? null,
      around: place.around ?? null,
      limit,
    });
  }

  #shown(): Promise<MessagePage> {
    const stretch = this.stretch;
    const limit = Math.min(PAGE_MAX, Math.max(PAGE, stretch?.messages.length ?? 0));
    if (stretch?.moreAfter) {
      const middle = stretch.messages[Math.floor(stretch.messages.length / 2)];
      if (middle) return this.#messages({ around: middle.sort_key }, limit);
    }
    return this.#messages({}, limit);
  }

  #takeHead(head: ConversationView): void {
    this.head = head;
    const draft = head.draft ?? "";
    if (!this.#draftKnown || (this.draft === this.savedDraft && draft !== this.savedDraft)) {
      this.draft = draft;
      this.savedDraft = draft;
      this.#draftKnown = true;
    }
  }

  #takePage(page: MessagePage, unread: number): void {
    const fresh = stretchOf(page);
    this.stretch = this.stretch === null ? fresh : overlay(this.stretch, fresh);
    if (!this.#newDrawn) {
      this.#newDrawn = true;
      if (unread > 0 && !this.stretch.moreAfter) this.firstNew = firstUnread(this.stretch.messages, unread);
    }
    if (this.pending.length > 0) this.#settlePending();
  }

  #settlePending(): void {
    const messages = this.stretch?.messages ?? [];
    const shown = new Set(withPending(messages, this.pending).map((message) => message.id));
    this.pending = this.pending.filter((send) => shown.has(send.message.id));
  }
}

const kept = new Lru<number, Thread>(KEPT);

/** The thread of a conversation, made when it is opened for the first time. */
export function threadOf(id: number): Thread {
  const found = kept.get(id);
  if (found) return found;
  const made = new Thread(id);
  kept.set(id, made);
  return made;
}

/** The thread, if it was opened before. */
export function knownThread(id: number): Thread | undefined {
  return kept.get(id);
}

/** Renews the open thread when a change names it. Others are asked again when they are opened. */
export function hearThreads(changes: readonly Change[], openId: number | null): void {
  if (openId === null) return;
  const named = changes.some(
    (change) =>
      change.kind === "everything" ||
      (change.kind === "conversation" && change.id === openId) ||
      (change.kind === "messages" && change.conversation_id === openId),
  );
  if (named || touches(changes, "accounts")) void kept.get(openId)?.refresh();
}

/** Forgets every thread, for another profile. */
export function forgetThreads(): void {
  // A draft that was not saved yet must not land in the other profile.
  for (const thread of kept.values()) thread.savedDraft = thread.draft;
  kept.clear();
}
