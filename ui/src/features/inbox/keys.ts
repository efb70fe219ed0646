/** The keys of the inbox. Single letters are silent while the owner types; Enter and Tab leave buttons and links alone. */
import { m } from "@/paraglide/messages";
import { type KeyCommand, register } from "@/shared/keys";

/** What the keys do; the screen knows how. */
export interface InboxDeeds {
  step(by: 1 | -1): void;
  open(): void;
  reply(): void;
  done(): void;
  doneAnd(by: 1 | -1): void;
  unread(): void;
  undo(): void;
  search(): void;
  back(): void;
  view(by: 1 | -1): void;
  details(): void;
  send(andDone: boolean): void;
}

/** No dialog and no menu is open. */
export function free(): boolean {
  return document.querySelector('dialog[open], [role="dialog"], [role="alertdialog"], [role="menu"]') === null;
}

/** The keyboard is on nothing that has its own use for Enter or Tab. */
function calm(): boolean {
  const active = document.activeElement;
  return free() && (active === null || active === document.body || active.matches("#inbox-rows, .talk, [data-id]"));
}

function inList(): boolean {
  const active = document.activeElement;
  return free() && (active === null || active === document.body || active.id === "inbox-rows");
}

/** Registers them. Returns the way out. */
export function registerInbox(deeds: InboxDeeds): () => void {
  const one = (
    keys: string,
    group: KeyCommand["group"],
    says: (() => string) | undefined,
    run: () => void,
    when = free,
  ): KeyCommand => ({
    keys,
    group,
    ...(says ? { says } : {}),
    run,
    when,
  });
  return register(
    one("j", "list", m.inbox_key_next, () => deeds.step(1)),
    one("k", "list", m.inbox_key_previous, () => deeds.step(-1)),
    one("ArrowDown", "list", undefined, () => deeds.step(1), inList),
    one("ArrowUp", "list", undefined, () => deeds.step(-1), inList),
    one("Enter", "list", m.inbox_key_open, () => deeds.open(), calm),
    one("o", "list", undefined, () => deeds.open()),
    one("Tab", "list", m.inbox_key_next_view, () => deeds.view(1), inList),
    one("shift+Tab", "list", m.inbox_key_previous_view, () => deeds.view(-1), inList),
    one("/", "list", m.inbox_key_search, () => deeds.search()),
    { ...one("mod+f", "list", undefined, () => deeds.search()), inFields: true },
    one("r", "thread", m.inbox_key_reply, () => deeds.reply()),
    one("e", "thread", m.inbox_key_done, () => deeds.done()),
    one("shift+e", "thread", m.inbox_key_done_next, () => deeds.doneAnd(1)),
    one("[", "thread", m.inbox_key_done_previous, () => deeds.doneAnd(-1)),
    one("u", "thread", m.inbox_key_unread, () => deeds.unread()),
    one("z", "thread", m.inbox_key_undo, () => deeds.undo()),
    one("mod+z", "thread", undefined, () => deeds.undo()),
    one("]", "thread", m.inbox_key_details, () => deeds.details()),
    { ...one("mod+Enter", "thread", m.inbox_key_send, () => deeds.send(false)), inFields: true },
    { ...one("mod+shift+Enter", "thread", m.inbox_key_send_done, () => deeds.send(true)), inFields: true },
    one("Escape", "list", m.inbox_key_back, () => deeds.back()),
  );
}
