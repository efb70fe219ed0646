/** When an open conversation counts as read: after a second in front of somebody, never by skimming past it. */
import { backend } from "@/backend";
import type { Thread } from "./threads.svelte";

const READ_MS = 1000;

class Reading {
  /** The window has the keyboard. */
  watched = $state(document.hasFocus());
  /** Marked unread while it was open: it stays so until the owner comes back to it. */
  keepUnread = $state<number | null>(null);
  #told: number | null = null;

  /** Watches the open thread. Call it while a component is set up; `inView` says whether its page is the one in view. */
  watch(open: () => Thread | null, inView: () => boolean): void {
    $effect(() => {
      const thread = open();
      const unread = thread?.head?.row.unread ?? 0;
      if (thread === null || thread.head === null || !this.watched || !inView() || this.keepUnread === thread.id)
        return;
      // What arrives below while the owner reads further up was not seen yet.
      if (this.#told === thread.id && (unread === 0 || !thread.atEnd)) return;
      const timer = window.setTimeout(() => {
        this.#told = thread.id;
        void backend.call("conversation_opened", { id: thread.id }).catch(() => undefined);
      }, READ_MS);
      return () => window.clearTimeout(timer);
    });
  }

  /** The owner turned away from a thread. */
  left(): void {
    this.keepUnread = null;
    this.#told = null;
  }
}

/** The reading of the open conversation. */
export const reading = new Reading();
