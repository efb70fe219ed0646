/** The fetching of one account in a sentence. */
import { SvelteSet } from "svelte/reactivity";
import type { SyncStatus } from "@/gen/SyncStatus";
import { m } from "@/paraglide/messages";
import { conversations, messages, number, roughly, spanOf } from "@/shared/format";
import { reasonText } from "@/shared/reasons";

export interface Strip {
  kind: "running" | "awaiting" | "news";
  text: string;
  /** The same news has the same key, so that a closed strip stays closed. */
  key: string;
}

/** Keys of the news the owner closed. */
export const dismissed = new SvelteSet<string>();

/** How long news stays worth a line. */
const NEWS_MS = 10 * 60_000;

/** What to say about the fetching, or null when there is nothing to say. `now` is core time. */
export function stripOf(sync: SyncStatus, name: string, now: number): Strip | null {
  const found = sync.found_all ? number(sync.found) : roughly(sync.found);
  const done = number(sync.done);
  if (sync.imported_at_ms === null && (sync.state === "importing" || sync.state === "waiting")) {
    const key = `import-${sync.account_id}`;
    if (sync.awaiting) {
      return {
        kind: "awaiting",
        key,
        text: m.import_awaiting({ why: reasonText(sync.awaiting) ?? m.reason_platform_slow(), done, found }),
      };
    }
    if (sync.found === 0) return { kind: "running", key, text: m.import_starting({ name }) };
    const text =
      sync.left_ms === null
        ? m.import_running({ name, done, found })
        : m.import_running_left({ name, done, found, left: spanOf(sync.left_ms) });
    return { kind: "running", key, text };
  }
  if (sync.recovered && now - sync.recovered.at_ms < NEWS_MS) {
    const text = m.recovered({
      messages: messages(sync.recovered.messages),
      conversations: conversations(sync.recovered.conversations),
    });
    return { kind: "news", key: `recovered-${sync.account_id}-${sync.recovered.at_ms}`, text };
  }
  if (sync.imported_at_ms !== null && now - sync.imported_at_ms < NEWS_MS) {
    const missing = sync.older_missing > 0 ? ` ${m.import_older_missing({ n: number(sync.older_missing) })}` : "";
    return {
      kind: "news",
      key: `imported-${sync.account_id}-${sync.imported_at_ms}`,
      text: m.import_done({ conversations: conversations(sync.done), name }) + missing,
    };
  }
  return null;
}
