/** The fetching of all accounts in at most three sentences: what runs, what was recovered, what is done.
 *
 * Invariant: several accounts in the same state share one line. */
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
  /** How far, 0 to 1. */
  share: number;
}

export interface NamedSync {
  sync: SyncStatus;
  /** How the owner calls the account. */
  name: string;
}

/** Keys of the news the owner closed. */
export const dismissed = new SvelteSet<string>();

/** How long news stays worth a line. */
const NEWS_MS = 10 * 60_000;

const fresh = (at: number | null | undefined, now: number): boolean => typeof at === "number" && now - at < NEWS_MS;
const imports = ({ sync }: NamedSync): boolean =>
  sync.imported_at_ms === null && (sync.state === "importing" || sync.state === "waiting");
const sum = (all: NamedSync[], of: (sync: SyncStatus) => number): number =>
  all.reduce((total, { sync }) => total + of(sync), 0);
const nameOf = (all: NamedSync[]): string =>
  all.length === 1 ? (all[0]?.name ?? "") : m.accounts_count({ count: all.length, n: number(all.length) });

/** What to say about the fetching. `now` is core time. */
export function stripsOf(all: NamedSync[], now: number): Strip[] {
  const importing = all.filter(imports);
  const rest = all.filter((one) => !imports(one));
  const recovered = rest.filter(({ sync }) => fresh(sync.recovered?.at_ms, now));
  const done = rest.filter((one) => fresh(one.sync.imported_at_ms, now) && !recovered.includes(one));
  return [
    ...(importing.length > 0 ? [importStrip(importing)] : []),
    ...(recovered.length > 0 ? [recoveredStrip(recovered)] : []),
    ...(done.length > 0 ? [doneStrip(done)] : []),
  ];
}

function importStrip(all: NamedSync[]): Strip {
  const found = sum(all, (sync) => sync.found);
  const done = sum(all, (sync) => sync.done);
  const words = {
    name: nameOf(all),
    done: number(done),
    found: all.every(({ sync }) => sync.found_all) ? number(found) : roughly(found),
  };
  const base = { key: "import", share: found > 0 ? Math.min(1, done / found) : 0 };
  const waits = all.find(({ sync }) => sync.awaiting !== null);
  if (waits && all.every(({ sync }) => sync.awaiting !== null)) {
    const why = reasonText(waits.sync.awaiting) ?? m.reason_platform_slow();
    return { ...base, kind: "awaiting", text: m.import_awaiting({ why, done: words.done, found: words.found }) };
  }
  if (found === 0) return { ...base, kind: "running", text: m.import_starting({ name: words.name }) };
  const left = all.map(({ sync }) => sync.left_ms);
  const text = left.some((ms) => ms === null)
    ? m.import_running(words)
    : m.import_running_left({ ...words, left: spanOf(Math.max(...left.map((ms) => ms ?? 0))) });
  return { ...base, kind: "running", text };
}

function recoveredStrip(all: NamedSync[]): Strip {
  const text = m.recovered({
    messages: messages(sum(all, (sync) => sync.recovered?.messages ?? 0)),
    conversations: conversations(sum(all, (sync) => sync.recovered?.conversations ?? 0)),
  });
  return { kind: "news", key: keyOf("recovered", all, (sync) => sync.recovered?.at_ms), text, share: 1 };
}

function doneStrip(all: NamedSync[]): Strip {
  const missing = sum(all, (sync) => sync.older_missing);
  const text = m.import_done({ conversations: conversations(sum(all, (sync) => sync.done)), name: nameOf(all) });
  const more = missing > 0 ? ` ${m.import_older_missing({ n: number(missing) })}` : "";
  return { kind: "news", key: keyOf("imported", all, (sync) => sync.imported_at_ms), text: text + more, share: 1 };
}

const keyOf = (kind: string, all: NamedSync[], at: (sync: SyncStatus) => number | null | undefined): string =>
  `${kind} ${all.map(({ sync }) => `${sync.account_id}:${at(sync)}`).join(" ")}`;
