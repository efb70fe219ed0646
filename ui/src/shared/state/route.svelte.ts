/** Where the owner is: section, view, conversation, settings page. Remembered through `settings.place`.
 *
 * Invariant: reading a place from storage never throws and never leads to a screen that does not exist. */
import type { InboxView } from "@/gen/InboxView";

export type Section = "inbox" | "settings";
export type SettingsPage = "accounts" | "health" | "look" | "sending" | "keys" | "about";

export const inboxViews: readonly InboxView[] = ["needs_you", "closing_soon", "waiting_on_them", "done", "all"];
export const settingsPages: readonly SettingsPage[] = ["accounts", "health", "look", "sending", "keys", "about"];

export interface Place {
  section: Section;
  view: InboxView;
  /** Only this account's conversations. */
  accountId: number | null;
  conversationId: number | null;
  settingsPage: SettingsPage;
  /** Details panel of the inbox is open. */
  details: boolean;
  /** Widths the owner dragged, in px. */
  listWidth: number | null;
  detailsWidth: number | null;
}

export const startPlace: Place = {
  section: "inbox",
  view: "needs_you",
  accountId: null,
  conversationId: null,
  settingsPage: "accounts",
  details: true,
  listWidth: null,
  detailsWidth: null,
};

const numberOr = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** Reads a remembered place; whatever does not fit falls back to the start. */
export function readPlace(text: string): Place {
  let found: Partial<Record<keyof Place, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text || "{}");
    if (typeof parsed === "object" && parsed !== null) found = parsed;
  } catch {
    return { ...startPlace };
  }
  return {
    section: found.section === "settings" ? "settings" : "inbox",
    view: inboxViews.find((view) => view === found.view) ?? startPlace.view,
    accountId: numberOr(found.accountId),
    conversationId: numberOr(found.conversationId),
    settingsPage: settingsPages.find((page) => page === found.settingsPage) ?? startPlace.settingsPage,
    details: found.details !== false,
    listWidth: numberOr(found.listWidth),
    detailsWidth: numberOr(found.detailsWidth),
  };
}

/** The place itself: assign to its fields to go somewhere. */
export const route: Place = $state({ ...startPlace });

export function goToView(view: InboxView, accountId: number | null = route.accountId) {
  route.section = "inbox";
  route.view = view;
  route.accountId = accountId;
}

export function goToConversation(id: number | null) {
  route.section = "inbox";
  route.conversationId = id;
}

export function goToSettings(page: SettingsPage = route.settingsPage) {
  route.section = "settings";
  route.settingsPage = page;
}
