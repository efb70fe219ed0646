/** The inbox's views by name. */
import type { InboxView } from "@/gen/InboxView";
import { m } from "@/paraglide/messages";

const WORDS: Record<InboxView, () => string> = {
  needs_you: m.view_needs_you,
  closing_soon: m.view_closing_soon,
  waiting_on_them: m.view_waiting_on_them,
  done: m.view_done,
  all: m.view_all,
};

export const viewWords = (view: InboxView): string => WORDS[view]();
