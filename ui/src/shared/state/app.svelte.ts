/** What every screen stands on: status, settings, accounts, sync figures. Each is asked again when a change names it.
 *
 * Invariant: null means "not asked yet"; an answer replaces the whole value. Conversations and messages belong to the inbox. */
import { type ApiError, backend, toApiError } from "@/backend";
import type { AccountView } from "@/gen/AccountView";
import type { AppStatus } from "@/gen/AppStatus";
import type { RelayStatus } from "@/gen/RelayStatus";
import type { Settings } from "@/gen/Settings";
import type { SettingsPatch } from "@/gen/SettingsPatch";
import type { SignIn } from "@/gen/SignIn";
import type { SyncStatus } from "@/gen/SyncStatus";
import type { ViewCounts } from "@/gen/ViewCounts";
import { changes, touches } from "./changes";
import { setCoreTime } from "./clock.svelte";
import { refresher } from "./refresher";
import { readPlace, route } from "./route.svelte";

export const app: {
  status: AppStatus | null;
  settings: Settings | null;
  accounts: AccountView[];
  sync: SyncStatus[];
  relay: RelayStatus | null;
  signIn: SignIn | null;
  counts: ViewCounts | null;
  /** The core did not answer at all. */
  trouble: ApiError | null;
} = $state({
  status: null,
  settings: null,
  accounts: [],
  sync: [],
  relay: null,
  signIn: null,
  counts: null,
  trouble: null,
});

export const isOpen = (): boolean => app.status?.vault.state === "open";

/** Settings first: nothing is drawn in the wrong theme or language. */
async function refreshOpen() {
  await refreshSettings();
  if (app.settings) Object.assign(route, readPlace(app.settings.place));
  await Promise.all([refreshAccounts(), refreshSync(), refreshRelay(), refreshSignIn(), refreshCounts()]);
}

export function takeStatus(status: AppStatus) {
  const opened = status.vault.state === "open" && !isOpen();
  const moved = app.status !== null && app.status.profile !== status.profile;
  if (moved) app.settings = null;
  app.status = status;
  app.trouble = null;
  setCoreTime(status.now_ms);
  if (opened || moved) void refreshOpen();
}

/** While the profile opens, the change that says so may come before anybody listens: ask again. */
const OPENING_AGAIN_MS = 500;
let openingTimer = 0;

export async function refreshStatus() {
  window.clearTimeout(openingTimer);
  try {
    takeStatus(await backend.call("app_status", {}));
    const vault = app.status?.vault.state;
    if (vault === "opening" || vault === "waiting_for_keychain") {
      openingTimer = window.setTimeout(() => void refreshStatus(), OPENING_AGAIN_MS);
    }
  } catch (error) {
    app.trouble = toApiError(error);
  }
}

/** Figures that run while an import runs are read a few times a second, not sixty. */
const STEADY_MS = 250;

async function settle<T>(ask: Promise<T>, take: (answer: T) => void) {
  try {
    take(await ask);
  } catch (error) {
    app.trouble = toApiError(error);
  }
}

const refreshSettings = refresher(
  () =>
    settle(backend.call("settings_get", {}), (found) => {
      app.settings = found;
    }),
  0,
);
const refreshAccounts = refresher(
  () =>
    settle(backend.call("accounts_list", {}), (found) => {
      app.accounts = found;
    }),
  STEADY_MS,
);
const refreshSync = refresher(
  () =>
    settle(backend.call("sync_status", {}), (found) => {
      app.sync = found;
    }),
  STEADY_MS,
);
const refreshRelay = refresher(
  () =>
    settle(backend.call("relay_status", {}), (found) => {
      app.relay = found;
    }),
  STEADY_MS,
);
const refreshSignIn = refresher(
  () =>
    settle(backend.call("sign_in_current", {}), (found) => {
      app.signIn = found;
    }),
  0,
);
const refreshCounts = refresher(
  () =>
    settle(backend.call("view_counts", { account_id: null }), (found) => {
      app.counts = found;
    }),
  STEADY_MS,
);

/** Changes one or more settings. What is not named stays. */
export async function setSettings(patch: Partial<SettingsPatch>) {
  const nothing: SettingsPatch = {
    theme: null,
    density: null,
    text_percent: null,
    language: null,
    hold_back_s: null,
    keep_media: null,
    place: null,
  };
  app.settings = await backend.call("settings_set", { ...nothing, ...patch });
}

export const accountOf = (id: number): AccountView | undefined => app.accounts.find((account) => account.id === id);

/** Starts listening and asks for everything once. */
export async function startApp(): Promise<() => void> {
  const stopLine = backend.changes((batch) => changes.push(batch));
  const stopListening = changes.listen((batch) => {
    if (touches(batch, "status")) void refreshStatus();
    if (!isOpen()) return;
    if (touches(batch, "settings")) void refreshSettings();
    if (touches(batch, "accounts")) void refreshAccounts();
    if (touches(batch, "sync")) void refreshSync();
    if (touches(batch, "relay")) void refreshRelay();
    if (touches(batch, "sign_in")) void refreshSignIn();
    if (touches(batch, "conversation", "messages")) void refreshCounts();
  });
  await refreshStatus();
  return () => {
    stopLine();
    stopListening();
  };
}
