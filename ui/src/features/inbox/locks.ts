/** What a locked composer says, and the one step out of it.
 *
 * Invariant: every lock code has a sentence; at most one step, and only a step that works. */
import type { ConversationView } from "@/gen/ConversationView";
import type { Reason } from "@/gen/Reason";
import { m } from "@/paraglide/messages";
import { daysSince } from "./pure/days";
import { openable } from "./pure/text";
import { lastWrote } from "./pure/window";
import { channelName } from "./words";

/** Meta's own inbox in the browser, for people without a public profile address. */
const META_INBOX = "https://business.facebook.com/latest/inbox";

/** Instagram's own inbox in the browser. */
const INSTAGRAM_INBOX = "https://www.instagram.com/direct/inbox/";

/** The button below the sentence. */
export type Step =
  | { do: "open"; says: string; url: string }
  | { do: "accounts" | "health" | "resume" | "leave_sample"; says: string };

/** Sentence in bold, what it means, what to do. */
export interface LockWords {
  title: string;
  text: string;
  step: Step | null;
}

/** The words for a lock. */
export function lockWords(
  head: ConversationView,
  lock: Reason,
  about: { name: string; account: string; now: number },
): LockWords {
  const { name, account } = about;
  const channel = channelName(head.row.channel);
  switch (lock.code) {
    case "window_closed":
      return { title: closedTitle(head, name, about.now), text: m.inbox_lock_window_text(), step: openStep(head) };
    case "signed_out":
    case "permission_missing":
      return {
        title: m.inbox_lock_permission({ channel }),
        text: m.inbox_lock_permission_text(),
        step: { do: "accounts", says: m.inbox_sign_in_again() },
      };
    case "paused":
      return {
        title: m.inbox_lock_paused({ account }),
        text: m.inbox_lock_paused_text(),
        step: { do: "resume", says: m.inbox_resume() },
      };
    case "disconnected":
      return {
        title: m.inbox_lock_disconnected({ account }),
        text: m.inbox_lock_disconnected_text(),
        step: { do: "accounts", says: m.inbox_connect_again() },
      };
    case "blocked":
      return {
        title: m.inbox_lock_blocked({ account }),
        text: m.inbox_lock_blocked_text(),
        step: { do: "health", says: m.inbox_show_health() },
      };
    case "sample":
      return {
        title: m.inbox_lock_sample(),
        text: m.inbox_lock_sample_text(),
        step: { do: "leave_sample", says: m.inbox_leave_sample() },
      };
    default:
      return {
        title: m.inbox_lock_other(),
        text: m.inbox_lock_other_text(),
        step: { do: "health", says: m.inbox_show_health() },
      };
  }
}

function closedTitle(head: ConversationView, name: string, now: number): string {
  const last = lastWrote(head.row.window);
  if (last === null) return m.inbox_lock_window_never({ name });
  const days = daysSince(last, now);
  return days < 2 ? m.inbox_lock_window_day({ name }) : m.inbox_lock_window_days({ count: days, name });
}

function openStep(head: ConversationView): Step {
  if (head.row.channel === "messenger") {
    return { do: "open", says: m.inbox_lock_open_messenger(), url: META_INBOX };
  }
  const url = head.person.profile_url === null ? null : openable(head.person.profile_url);
  return { do: "open", says: m.inbox_lock_open_instagram(), url: url ?? INSTAGRAM_INBOX };
}
