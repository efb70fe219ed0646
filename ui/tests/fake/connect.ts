/** A core in memory for `vite --mode fake` and for tests. The address chooses the scene:
 * `?scene=full|first|importing|imported|signed_out|waiting|empty|offline|sample` `&locked=keychain_locked` `&sign_in=waiting` `&theme=dark` `&lang=ar` `&density=compact` `&text=130` `&go=settings/health`. */
import type { Answer, Argument, Backend, UseCase } from "@/backend/backend";
import { toApiError } from "@/backend/errors";
import type { AppStatus } from "@/gen/AppStatus";
import type { Change } from "@/gen/Change";
import type { Settings } from "@/gen/Settings";
import type { SignIn } from "@/gen/SignIn";
import type { VaultStatus } from "@/gen/VaultStatus";
import { accounts as accountsOf, health, runs, sync as syncOf } from "./accounts";
import * as inbox from "./inbox";
import { eventNow, eventsPage, relayOf } from "./live";
import { signInAt } from "./sign-in";
import { DAY, now } from "./time";

const pictures = import.meta.glob<string>("./pictures/*.svg", { query: "?raw", import: "default", eager: true });
const WAYS: Record<string, string[]> = {
  keychain_missing: ["create_passphrase", "retry"],
  passphrase_needed: ["passphrase", "recovery_key"],
  key_missing: ["recovery_key", "retry"],
  key_wrong: ["recovery_key", "retry"],
};

function vaultOf(code: string | null): VaultStatus {
  if (!code) return { state: "open", kind: "keychain" };
  if (code === "waiting") return { state: "waiting_for_keychain" };
  return {
    state: "locked",
    reason: { code, params: { pid: "4711", found: "9", known: "8" } },
    ways: WAYS[code] ?? ["retry"],
  };
}

export function fakeBackend(address: string): Backend {
  const ask = new URLSearchParams(address);
  let scene = ask.get("scene") ?? "full";
  const listeners = new Set<(changes: Change[]) => void>();
  const tell = (...changes: Change[]) => {
    for (const listener of listeners) listener(changes);
  };
  const talked = (id: number) => tell({ kind: "messages", conversation_id: id }, { kind: "conversation", id });
  const [section, page] = (ask.get("go") ?? "inbox").split("/");
  const settings: Settings = {
    theme: ask.get("theme") ?? "system",
    density: ask.get("density") ?? "comfortable",
    text_percent: Number(ask.get("text") ?? 100),
    language: ask.get("lang") ?? "en",
    hold_back_s: 5,
    keep_media: false,
    place: JSON.stringify({
      section,
      settingsPage: page,
      conversationId: ask.has("open") ? Number(ask.get("open")) : null,
    }),
  };
  const status: AppStatus = {
    version: "0.1.0",
    vault: vaultOf(ask.get("locked")),
    profile: scene === "sample" ? "sample" : "main",
    sandbox: false,
    first_run: scene === "first",
    recovery_key_pending: ask.has("key"),
    sign_in_waiting: ask.has("sign_in"),
    now_ms: now(),
    clock_offset_ms: 412,
    online: scene !== "offline",
    saved_at_ms: now() - 8000,
  };
  let accounts = scene === "first" || scene === "empty" ? [] : accountsOf(scene);
  let signIn: SignIn | null = ask.has("sign_in") ? signInAt(ask.get("sign_in") ?? "waiting") : null;
  if (scene === "first" || scene === "empty") inbox.clearInbox();
  if (scene === "locked_send") inbox.lockEverything({ code: "signed_out", params: {} });

  const statusNow = (): AppStatus => ({ ...status, now_ms: now() });
  const account = (id: number) => {
    const found = accounts.find((one) => one.id === id);
    if (!found) throw { code: "not_found", message: "There is no such row." };
    return found;
  };
  const open = () => {
    status.vault = { state: "open", kind: "passphrase" };
    tell({ kind: "status" });
    return statusNow();
  };

  const handlers: { [K in UseCase]: (argument: Argument<K>) => Answer<K> } = {
    app_status: statusNow,
    vault_retry: statusNow,
    vault_unlock: ({ passphrase }) => {
      if (passphrase !== "korn") throw { code: "passphrase_wrong", message: "Wrong passphrase." };
      return open();
    },
    vault_create_passphrase: open,
    vault_recover: open,
    recovery_key_show: () => ({ groups: ["7K2M", "QX9A", "H4TN", "B8WD", "3FJR", "P6VC", "Z5LE", "M1YS"] }),
    recovery_key_confirm: ({ groups }) => {
      const shown = ["7K2M", "QX9A", "H4TN", "B8WD", "3FJR", "P6VC", "Z5LE", "M1YS"];
      if (groups.some(([at, text]) => shown[at] !== text.toUpperCase()))
        throw { code: "recovery_key_wrong", message: "Differs.", field: "groups" };
      status.recovery_key_pending = false;
      tell({ kind: "status" });
      return statusNow();
    },
    sample_open: () => {
      scene = "sample";
      status.profile = "sample";
      status.first_run = false;
      accounts = accountsOf("full");
      tell({ kind: "everything" });
      return statusNow();
    },
    sample_leave: () => {
      status.profile = "main";
      status.first_run = true;
      accounts = [];
      tell({ kind: "everything" });
      return statusNow();
    },
    settings_get: () => ({ ...settings }),
    settings_set: (patch) => {
      for (const [key, value] of Object.entries(patch)) if (value !== null) Object.assign(settings, { [key]: value });
      return { ...settings };
    },
    health_get: () => health,
    sign_in_start: ({ provider }) => {
      signIn = signInAt("waiting", provider);
      tell({ kind: "sign_in" });
      return signIn;
    },
    sign_in_current: () => signIn,
    sign_in_open_again: () => signIn ?? signInAt("waiting"),
    sign_in_finish: ({ pasted }) => {
      if (!pasted.startsWith("sbc1.")) throw { code: "not_a_code", message: "Not a code.", field: "pasted" };
      signIn = pasted.includes("old")
        ? { ...signInAt("waiting"), refusal: { code: "state_wrong", params: {} } }
        : signInAt("choosing");
      tell({ kind: "sign_in" });
      return signIn;
    },
    sign_in_choose: () => {
      signIn = signInAt("done");
      accounts = accountsOf("full");
      status.recovery_key_pending = true;
      status.first_run = false;
      tell({ kind: "everything" });
      return signIn;
    },
    sign_in_cancel: () => {
      signIn = signInAt("refused-cancelled");
      tell({ kind: "sign_in" });
      return signIn;
    },
    accounts_list: () => accounts,
    account_set: ({ id, auto_sync, paused }) => {
      const one = account(id);
      if (auto_sync !== null) one.auto_sync = auto_sync;
      if (paused !== null) Object.assign(one, { paused, state: paused ? "paused" : "live" });
      tell({ kind: "accounts" });
      return one;
    },
    account_check_subscription: ({ id }) => account(id),
    account_erase_prepare: ({ id }) => ({
      token: "once",
      conversations: account(id).conversations,
      messages: account(id).messages,
      contacts: 871,
      erase_at_ms: now() + DAY,
    }),
    account_disconnect: ({ id, erase_token }) => {
      const one = Object.assign(account(id), { state: "disconnected", erase_at_ms: erase_token ? now() + DAY : null });
      tell({ kind: "accounts" });
      return one;
    },
    account_erase_undo: ({ id }) => {
      const one = Object.assign(account(id), { erase_at_ms: null });
      tell({ kind: "accounts" });
      return one;
    },
    sync_now: ({ id }) => ({ ...(syncOf(scene)[0] as Answer<"sync_now">), account_id: id }),
    sync_status: () => (accounts.length > 0 ? syncOf(scene) : []),
    relay_status: () => relayOf(ask),
    relay_reconnect: () => relayOf(new URLSearchParams()),
    events_list: eventsPage,
    event_retry: ({ id }) => eventNow(id, "done"),
    event_leave: ({ id }) => eventNow(id, "ignored"),
    answering_take: () => ({}),
    deletion_answer: () => relayOf(new URLSearchParams()),
    posts_list: () => ({ posts: [], next: null }),
    comments_list: () => ({ comments: [], next: null }),
    sync_log: ({ id }) => runs.map((run) => ({ ...run, account_id: id })),
    conversations_list: ({ view, account_id, cursor, limit }) => inbox.list(view, account_id, cursor, limit),
    view_counts: ({ account_id }) => inbox.counts(account_id),
    conversation_get: ({ id }) => inbox.conversation(id),
    conversation_opened: () => ({}),
    conversation_set_unread: ({ id, unread }) => {
      inbox.setUnread(id, unread);
      talked(id);
      return {};
    },
    conversation_set_state: ({ id, state }) => {
      inbox.setState(id, state);
      talked(id);
      return {};
    },
    draft_set: ({ id, text }) => {
      inbox.setDraft(id, text);
      return {};
    },
    messages_list: ({ conversation_id, before, after, around, limit }) =>
      inbox.page(conversation_id, before, after, around, limit),
    search: ({ text, limit }) => inbox.search(text, limit),
    profile_refresh: ({ id }) => inbox.personOf(id),
    message_send: ({ conversation_id, text }) => {
      const made = inbox.send(conversation_id, text, settings.hold_back_s * 1000, talked);
      talked(conversation_id);
      return { ...made };
    },
    message_undo: ({ id }) => {
      const made = Object.assign(inbox.message(id), { state: "cancelled" });
      inbox.setDraft(made.conversation_id, made.text ?? "");
      talked(made.conversation_id);
      return made;
    },
    message_retry: ({ id }) => {
      const made = Object.assign(inbox.message(id), { state: "sent", reason: null });
      talked(made.conversation_id);
      return made;
    },
    message_check: ({ id }) => {
      const made = Object.assign(inbox.message(id), { state: "sent", reason: null });
      talked(made.conversation_id);
      return made;
    },
    message_discard: ({ id }) => {
      const made = Object.assign(inbox.message(id), { state: "cancelled" });
      talked(made.conversation_id);
      return {};
    },
  };

  return {
    async call(name, argument) {
      await Promise.resolve();
      try {
        return structuredClone(handlers[name](argument));
      } catch (thrown) {
        throw toApiError(thrown);
      }
    },
    changes(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    media(id) {
      const drawing = pictures[`./pictures/${id}.svg`];
      const url = drawing
        ? Promise.resolve(`data:image/svg+xml,${encodeURIComponent(drawing)}`)
        : Promise.reject(new Error("no such picture"));
      return { url, forget: () => undefined };
    },
    native: {
      openBrowser: async () => undefined,
      schemeState: async () => ({ ours: true, holder: null }),
      firstPaint: async () => undefined,
      quit: async () => undefined,
    },
  };
}

export const connect = (): Backend => fakeBackend(window.location.search);
