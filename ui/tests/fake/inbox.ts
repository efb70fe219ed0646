/** Conversations, messages and search of the fake shop, kept in memory and changed by what the owner does. */
import type { ConversationRow } from "@/gen/ConversationRow";
import type { ConversationView } from "@/gen/ConversationView";
import type { InboxView } from "@/gen/InboxView";
import type { MessageState } from "@/gen/MessageState";
import type { MessageView } from "@/gen/MessageView";
import type { PersonView } from "@/gen/PersonView";
import type { Reason } from "@/gen/Reason";
import type { SearchHit } from "@/gen/SearchHit";
import type { WindowView } from "@/gen/WindowView";
import { extraMessages, extraPeople } from "./kinds";
import { type Person, people } from "./people";
import { DAY, now, START } from "./time";

const messages = new Map<number, MessageView[]>();
let nextId = 90_000;

for (const person of people) {
  const made: MessageView[] = [];
  person.lines.forEach((line, at) => {
    const sent = START - line.ago;
    const quoted = line.quotes === undefined ? undefined : made[line.quotes];
    made.push({
      id: person.id * 100 + at,
      sort_key: String(sent * 4 + at),
      conversation_id: person.id,
      author: line.by,
      text: line.text,
      sent_at_ms: sent,
      state: line.by === "customer" ? "received" : (line.state ?? "sent"),
      reason: line.code ? { code: line.code, params: {} } : null,
      leaves_at_ms: null,
      edited_at_ms: null,
      deleted: line.deleted ?? false,
      unsupported: false,
      reply_to: quoted
        ? { id: quoted.id, sort_key: quoted.sort_key, author: quoted.author, preview: quoted.text }
        : null,
      story: null,
      attachments: line.picture
        ? [
            {
              kind: "image",
              media: line.picture.id,
              name: "torte.jpg",
              mime: "image/jpeg",
              size: 11_200_000,
              width: line.picture.width,
              height: line.picture.height,
              link: null,
            },
          ]
        : [],
      reactions: line.heart ? [{ by: "us", emoji: "❤️", at_ms: sent + 60_000 }] : [],
      referral: null,
    });
  });
  messages.set(person.id, made);
}

people.push(...extraPeople);
for (const [id, made] of extraMessages) messages.set(id, made);

const byId = (id: number): Person => {
  const found = people.find((person) => person.id === id);
  if (!found) throw { code: "not_found", message: "There is no such row." };
  return found;
};
const linesOf = (id: number): MessageView[] => messages.get(id) ?? [];
const last = (id: number): MessageView | undefined =>
  linesOf(id)
    .filter((line) => line.state !== "cancelled")
    .at(-1);

let lock: Reason | null = null;
export const lockEverything = (reason: Reason | null) => {
  lock = reason;
};

function windowOf(person: Person): WindowView {
  const wrote = linesOf(person.id)
    .filter((line) => line.author === "customer")
    .at(-1);
  if (!wrote) return { state: "never", open_until_ms: null, human_until_ms: null, lock };
  const open = wrote.sent_at_ms + DAY;
  const human = person.humanAgent ? wrote.sent_at_ms + 7 * DAY : null;
  const state = now() < open ? "open" : human && now() < human ? "human_only" : "closed";
  return {
    state,
    open_until_ms: open,
    human_until_ms: human,
    lock: lock ?? (state === "closed" ? { code: "window_closed", params: {} } : null),
  };
}

export function rowOf(person: Person): ConversationRow {
  const line = last(person.id);
  const trouble =
    linesOf(person.id).findLast((one) => one.state === "failed" || one.state === "unknown")?.state ?? null;
  return {
    id: person.id,
    account_id: person.account,
    channel: person.channel,
    name: person.name,
    username: person.username,
    picture: person.picture,
    preview: line?.text?.slice(0, 160) ?? "",
    preview_kind: line?.text ? null : (line?.attachments[0]?.kind ?? null),
    last_author: line?.author ?? null,
    last_at_ms: line?.sent_at_ms ?? START,
    unread: person.unread,
    state: person.state,
    window: windowOf(person),
    trouble,
    has_draft: Boolean(person.draft),
  };
}

const needsYou = (row: ConversationRow) =>
  row.state === "open" && (row.last_author === "customer" || row.trouble !== null);
const fits: Record<InboxView, (row: ConversationRow) => boolean> = {
  needs_you: needsYou,
  closing_soon: (row) => needsYou(row) && row.window.state === "open",
  waiting_on_them: (row) => row.state === "open" && row.last_author !== "customer" && row.trouble === null,
  done: (row) => row.state === "resolved",
  all: () => true,
};

let empty = false;
export const clearInbox = () => {
  empty = true;
};
const rows = (account: number | null) =>
  empty ? [] : people.map(rowOf).filter((row) => account === null || row.account_id === account);

export function list(view: InboxView, account: number | null, cursor: string | null, limit: number) {
  const found = rows(account).filter(fits[view]);
  if (view === "closing_soon") found.sort((a, b) => (a.window.open_until_ms ?? 0) - (b.window.open_until_ms ?? 0));
  else found.sort((a, b) => b.last_at_ms - a.last_at_ms);
  const from = Number(cursor ?? 0);
  return { rows: found.slice(from, from + limit), next: from + limit < found.length ? String(from + limit) : null };
}

export function counts(account: number | null) {
  const found = rows(account);
  const views = (Object.keys(fits) as InboxView[]).map((view): [InboxView, number] => [
    view,
    found.filter(fits[view]).length,
  ]);
  return {
    views,
    accounts: [11, 12].map((id): [number, number] => [
      id,
      found.filter((row) => row.account_id === id && needsYou(row)).length,
    ]),
  };
}

export function personOf(id: number): PersonView {
  const person = byId(id);
  return {
    contact_id: person.id + 4000,
    identity_id: person.id + 7000,
    name: person.name,
    username: person.username,
    picture: person.picture,
    profile_source: person.name ? (person.channel === "instagram" ? "instagram_api" : "facebook_api") : "none",
    profile_fetched_at_ms: person.name ? now() - 4 * 60_000 : null,
    profile_error: person.name ? null : { code: "profile_not_available", params: {} },
    follows_us: person.username ? true : null,
    we_follow: null,
    verified: null,
    followers: person.username ? 1284 : null,
    first_at_ms: linesOf(id)[0]?.sent_at_ms ?? null,
    messages: linesOf(id).length,
    profile_url: person.username ? `https://instagram.com/${person.username}` : null,
    elsewhere: person.id === 504 ? [[510, 12, START - 3 * DAY]] : [],
  };
}

export function conversation(id: number): ConversationView {
  const person = byId(id);
  const seen = linesOf(id)
    .filter((line) => line.state === "read")
    .at(-1);
  return {
    row: rowOf(person),
    person: personOf(id),
    draft: person.draft ?? null,
    older_missing: person.olderMissing ?? false,
    delivered_until_ms: seen?.sent_at_ms ?? null,
    read_until_ms: seen?.sent_at_ms ?? null,
    text_limit: person.channel === "instagram" ? { unit: "bytes", max: 1000 } : { unit: "characters", max: 2000 },
  };
}

export function page(id: number, before: string | null, after: string | null, around: string | null, limit: number) {
  const all = linesOf(id);
  const at = (key: string) => all.findIndex((line) => line.sort_key === key);
  let from = Math.max(0, all.length - limit);
  let to = all.length;
  if (before) {
    to = at(before);
    from = Math.max(0, to - limit);
  } else if (after) {
    from = at(after) + 1;
    to = Math.min(all.length, from + limit);
  } else if (around) {
    from = Math.max(0, at(around) - Math.floor(limit / 2));
    to = Math.min(all.length, from + limit);
  }
  return { messages: all.slice(from, to), more_before: from > 0, more_after: to < all.length };
}

export function search(query: string, limit: number) {
  const word = query.trim().toLocaleLowerCase();
  const hits: SearchHit[] = [];
  for (const person of people) {
    for (const line of linesOf(person.id)) {
      const start = line.text?.toLocaleLowerCase().indexOf(word) ?? -1;
      if (start < 0 || !line.text || !word) continue;
      hits.push({
        message_id: line.id,
        sort_key: line.sort_key,
        conversation_id: person.id,
        account_id: person.account,
        channel: person.channel,
        name: person.name,
        username: person.username,
        picture: person.picture,
        excerpt: line.text.slice(0, 160),
        marks: [[start, start + word.length]],
        author: line.author,
        sent_at_ms: line.sent_at_ms,
      });
    }
  }
  hits.sort((a, b) => b.sent_at_ms - a.sent_at_ms);
  const named = word ? people.filter((person) => person.name?.toLocaleLowerCase().includes(word)).slice(0, 5) : [];
  return {
    people: named.map(rowOf),
    hits: hits.slice(0, limit),
    next: null,
    did_you_mean: hits.length + named.length === 0 ? ["torte"] : [],
  };
}

export const setUnread = (id: number, unread: boolean) => {
  byId(id).unread = unread ? 1 : 0;
};
export const setState = (id: number, state: ConversationRow["state"]) => {
  byId(id).state = state;
};
export const setDraft = (id: number, text: string) => {
  byId(id).draft = text;
};

/** Takes a message: held back, then on its way, then sent. `changed` is called at every step. */
export function send(id: number, text: string, holdMs: number, changed: (id: number) => void): MessageView {
  const person = byId(id);
  const made: MessageView = {
    id: nextId++,
    sort_key: String(now() * 4),
    conversation_id: id,
    author: "you",
    text,
    sent_at_ms: now(),
    state: holdMs > 0 ? "scheduled" : "queued",
    reason: null,
    leaves_at_ms: holdMs > 0 ? now() + holdMs : null,
    edited_at_ms: null,
    deleted: false,
    unsupported: false,
    reply_to: null,
    story: null,
    attachments: [],
    reactions: [],
    referral: null,
  };
  linesOf(id).push(made);
  person.draft = "";
  const step = (state: MessageState, after: number) =>
    window.setTimeout(() => {
      if (made.state === "cancelled") return;
      made.state = state;
      made.leaves_at_ms = null;
      changed(id);
    }, after);
  step("sending", holdMs + 300);
  step("sent", holdMs + 1200);
  step("read", holdMs + 6000);
  return made;
}

export function message(id: number): MessageView {
  for (const lines of messages.values()) {
    const found = lines.find((line) => line.id === id);
    if (found) return found;
  }
  throw { code: "not_found", message: "There is no such row." };
}
