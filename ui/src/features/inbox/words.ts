/** Codes and figures of the inbox in words.
 *
 * Invariant: every sentence comes from the catalogue; an unknown code gets a true general sentence, never the code itself. */
import type { Author } from "@/gen/Author";
import type { Channel } from "@/gen/Channel";
import type { ConversationRow } from "@/gen/ConversationRow";
import type { ConversationState } from "@/gen/ConversationState";
import type { InboxView } from "@/gen/InboxView";
import type { MessageView } from "@/gen/MessageView";
import type { PersonView } from "@/gen/PersonView";
import type { Reason } from "@/gen/Reason";
import { m } from "@/paraglide/messages";
import { clockTime, dayLine, dayOf, shortTime } from "@/shared/format";
import { reasonText } from "@/shared/reasons";
import { dayNumber } from "./pure/days";
import { span, type WindowNow } from "./pure/window";

/** Who it is: name, else handle, else "Customer #id". */
export function personName(person: { name: string | null; username: string | null }, id: number): string {
  return person.name || (person.username ? `@${person.username}` : m.inbox_customer({ id }));
}

/** Name of a row's person. */
export const rowName = (row: ConversationRow): string => personName(row, row.id);

const views: Record<InboxView, () => string> = {
  needs_you: m.view_needs_you,
  closing_soon: m.view_closing_soon,
  waiting_on_them: m.view_waiting_on_them,
  done: m.view_done,
  all: m.view_all,
};

/** Name of a view. */
export const viewName = (view: InboxView): string => views[view]();

/** Name of a channel. */
export const channelName = (channel: Channel): string =>
  channel === "instagram" ? m.channel_instagram() : m.channel_messenger();

const kinds: Record<string, () => string> = {
  image: m.inbox_kind_image,
  video: m.inbox_kind_video,
  audio: m.inbox_kind_audio,
  file: m.inbox_kind_file,
  sticker: m.inbox_kind_sticker,
  share: m.inbox_kind_share,
  reel: m.inbox_kind_reel,
  story: m.inbox_kind_story,
  location: m.inbox_kind_location,
  template: m.inbox_kind_template,
  fallback: m.inbox_kind_fallback,
  story_reply: m.inbox_kind_story_reply,
  story_mention: m.inbox_kind_story_mention,
  reaction: m.inbox_kind_reaction,
  deleted: m.inbox_kind_deleted,
  unsupported: m.inbox_kind_unsupported,
};

/** What something is when it is not text. */
export const kindWords = (kind: string): string => (kinds[kind] ?? m.inbox_kind_file)();

/** Second line of a row. Words the person wrote win; else what it was. */
export function previewWords(row: ConversationRow): { text: string; written: boolean } {
  if (row.preview !== "") return { text: row.preview, written: true };
  return { text: row.preview_kind === null ? "" : kindWords(row.preview_kind), written: false };
}

/** Did we write last, so that "You:" stands before the preview. */
export const weWrote = (author: Author | null): boolean => author === "you" || author === "phone";

/** "34 min left", "1 h 50 left", "5 d left". */
export function leftWords(ms: number): string {
  const left = span(ms);
  if (left.unit === "minutes") return m.inbox_left_minutes({ minutes: left.minutes });
  if (left.unit === "days") return m.inbox_left_days({ days: left.days });
  return left.minutes === 0
    ? m.inbox_left_full_hours({ hours: left.hours })
    : m.inbox_left_hours({ hours: left.hours, minutes: String(left.minutes).padStart(2, "0") });
}

/** "Only you, 5 d". */
export function onlyYouWords(ms: number): string {
  const left = span(ms);
  if (left.unit === "minutes") return m.inbox_only_you_minutes({ minutes: left.minutes });
  if (left.unit === "days") return m.inbox_only_you_days({ days: left.days });
  return m.inbox_only_you_hours({ hours: left.hours });
}

/** Time left at the end of a row, or null when there is nothing to hurry for. */
export function rowLeft(window: WindowNow): { words: string; mark: "clock" | "person" | "lock"; tone: string } | null {
  if (window.kind === "open") {
    if (window.tone === "calm") return null;
    return { words: leftWords(window.leftMs), mark: "clock", tone: window.tone === "urgent" ? "is-bad" : "is-warn" };
  }
  if (window.kind === "human") return { words: onlyYouWords(window.leftMs), mark: "person", tone: "is-warn" };
  if (window.kind === "closed") return { words: m.inbox_closed(), mark: "lock", tone: "" };
  return null;
}

/** A day line: Today, Yesterday, "Tuesday 19 May". */
export function dayWords(ms: number, now: number): string {
  const days = dayNumber(now) - dayNumber(ms);
  if (days === 0) return m.inbox_today();
  if (days === 1) return m.inbox_yesterday();
  return dayLine(ms, now);
}

/** A moment inside a sentence: "18:40" today, "Wed 18:40" this week, else the date with the hour. */
export function whenWords(ms: number, now: number): string {
  const days = Math.abs(dayNumber(now) - dayNumber(ms));
  if (days === 0) return clockTime(ms);
  return days < 7 ? shortTime(ms, ms + 86_400_000) : `${dayOf(ms, now)}, ${clockTime(ms)}`;
}

/** The line above a bubble, for authors that need one. */
export function byWords(author: Author): string | null {
  if (author === "phone") return m.inbox_by_phone();
  if (author === "other_app") return m.inbox_by_other_app();
  if (author === "automation") return m.inbox_by_automation();
  return author === "ai" ? m.inbox_by_ai() : null;
}

/** Where the customer came from. */
export function referralWords(referral: Reason): string {
  const label = referral.params.label ?? referral.params.title ?? "";
  if (referral.code === "ad") return m.inbox_referral_ad({ label });
  if (referral.code === "link") return m.inbox_referral_link({ label });
  return referral.code === "story" ? m.inbox_referral_story({ label }) : m.inbox_referral_other({ label });
}

/** Where a profile came from. */
export function sourceWords(person: PersonView, channel: Channel): string {
  if (person.profile_source === "instagram_api") return m.inbox_source_instagram_api();
  if (person.profile_source === "facebook_api") return m.inbox_source_facebook_api();
  if (person.profile_source === "conversation") return m.inbox_source_conversation();
  if (person.profile_source === "cache") return m.inbox_source_cache();
  return m.inbox_source_none({ channel: channelName(channel) });
}

/** Alternative text of a picture. */
export const pictureWords = (message: MessageView, name: string): string =>
  message.author === "customer" ? m.inbox_picture_of({ name }) : m.inbox_picture_yours();

const states: Partial<Record<ConversationState, () => string>> = {
  resolved: m.inbox_state_resolved,
  pending: m.inbox_state_pending,
  snoozed: m.inbox_state_snoozed,
  archived: m.inbox_state_archived,
};

/** A state as a badge, where the view does not say it. Open ones have none. */
export const stateWords = (state: ConversationState): string | null => states[state]?.() ?? null;

/** Where a profile came from and when, and why the last try failed. */
export function profileWords(
  person: PersonView,
  channel: Channel,
  now: number,
): { source: string; error: string | null } {
  const source = sourceWords(person, channel);
  const at = person.profile_fetched_at_ms;
  const asOf =
    at === null || person.profile_source === "none"
      ? source
      : m.inbox_profile_as_of({ source, when: whenWords(at, now) });
  if (person.profile_error === null) return { source: asOf, error: null };
  const known = reasonText(person.profile_error);
  if (known !== null) return { source: asOf, error: known };
  const name = channelName(channel);
  const error =
    at === null
      ? m.inbox_profile_error_bare({ channel: name })
      : m.inbox_profile_error({ channel: name, when: whenWords(at, now) });
  return { source: asOf, error };
}

const failures: Record<string, (about: { name: string; channel: string }) => string> = {
  person_unavailable: m.inbox_fail_person_unavailable,
  window_closed: m.inbox_fail_window_closed,
  blocked_by_platform: m.inbox_fail_blocked_by_platform,
  contact_terms_not_accepted: m.inbox_fail_contact_terms_not_accepted,
  privacy_rules: m.inbox_fail_privacy_rules,
  instagram_link_broken: m.inbox_fail_instagram_link_broken,
  not_thread_owner: m.inbox_fail_not_thread_owner,
  app_in_development: m.inbox_fail_app_in_development,
  permission_missing: m.inbox_fail_permission_missing,
  too_long: m.inbox_fail_too_long,
  refused: m.inbox_fail_refused,
  signed_out: m.inbox_fail_signed_out,
  rate_limited: m.inbox_fail_rate_limited,
  program_ended: m.inbox_fail_program_ended,
  no_answer: m.inbox_fail_no_answer,
};

/** Why a message of ours did not leave, waits, or is unsure. Empty when there are no words for it. */
export function sendReason(reason: Reason, about: { name: string; channel: Channel }): string {
  const words = failures[reason.code];
  return words ? words({ name: about.name, channel: channelName(about.channel) }) : (reasonText(reason) ?? "");
}
