/** An account in words: its state, what it means, the mark that repeats it. */
import type { AccountState } from "@/gen/AccountState";
import type { AccountView } from "@/gen/AccountView";
import type { Channel } from "@/gen/Channel";
import type { Provider } from "@/gen/Provider";
import { m } from "@/paraglide/messages";
import { clockTime, conversations, dayOf, spanOf } from "./format";

/** `ok` disc, `slow` orange ring, `idle` grey ring, `bad` red square. */
export type Tone = "ok" | "slow" | "idle" | "bad";

const TONES: Record<AccountState, Tone> = {
  importing: "ok",
  live: "ok",
  delayed: "slow",
  limited: "slow",
  reconnect_soon: "slow",
  reconnect_now: "bad",
  blocked: "bad",
  paused: "idle",
  disconnected: "idle",
};

export const toneOf = (state: AccountState): Tone => TONES[state];

const STATES: Record<AccountState, () => string> = {
  importing: m.state_importing,
  live: m.state_live,
  delayed: m.state_delayed,
  limited: m.state_limited,
  reconnect_soon: m.state_reconnect_soon,
  reconnect_now: m.state_reconnect_now,
  blocked: m.state_blocked,
  paused: m.state_paused,
  disconnected: m.state_disconnected,
};

export const stateWords = (state: AccountState): string => STATES[state]();

export const channelWords = (channel: Channel): string =>
  channel === "instagram" ? m.channel_instagram() : m.channel_messenger();

/** The company's product in sentences: a Messenger account is a Facebook Page. */
export const providerWords = (provider: Provider): string =>
  provider === "instagram" ? m.provider_instagram() : m.provider_facebook();

export const productWords = (channel: Channel): string =>
  channel === "instagram" ? m.provider_instagram() : m.provider_facebook();

/** How the owner calls the account: the handle on Instagram, the Page's name on Facebook. */
export const accountName = (account: Pick<AccountView, "name" | "username">): string =>
  account.username ?? account.name;

/** The account needs the owner. */
export const needsOwner = (state: AccountState): boolean =>
  state === "reconnect_now" || state === "reconnect_soon" || state === "limited" || state === "blocked";

/** What the state means, in one or two sentences. */
export function stateSentence(account: AccountView, now: number): string {
  const name = productWords(account.channel);
  switch (account.state) {
    case "live":
      return m.say_live();
    case "importing":
      return m.say_importing();
    case "delayed":
      return m.say_delayed();
    case "limited":
      return m.say_limited({ name });
    case "reconnect_soon":
      return m.say_reconnect_soon({ date: dayOf(account.token_expires_at_ms ?? now, now) });
    case "reconnect_now":
      return m.say_reconnect_now({
        name,
        date: dayOf(account.state_since_ms, now),
        conversations: conversations(account.conversations),
      });
    case "blocked":
      return m.say_blocked({ name });
    case "paused":
      return m.say_paused();
    case "disconnected":
      return account.erase_at_ms === null
        ? m.say_disconnected()
        : m.say_erase_at({
            date: `${dayOf(account.erase_at_ms, now)}, ${clockTime(account.erase_at_ms)}`,
            left: spanOf(account.erase_at_ms - now),
          });
  }
}
