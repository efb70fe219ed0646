/** Connecting as a page of its own: first run, another account, signing in again, the recovery key.
 *
 * Invariant: what the sign-in itself does is known only from `app.signIn`; this says which page stands in front of it. */
import { backend } from "@/backend";
import type { Provider } from "@/gen/Provider";
import { app } from "./app.svelte";
import { goToView } from "./route.svelte";

export type SetupPage = "welcome" | "preflight" | "sign_in" | "key";

export const setup: { open: boolean; page: SetupPage; provider: Provider } = $state({
  open: false,
  page: "welcome",
  provider: "instagram",
});

/** Opens the pages before a sign-in. */
export function openConnect(provider: Provider | null = null) {
  setup.open = true;
  setup.page = provider ? "preflight" : "welcome";
  if (provider) setup.provider = provider;
}

/** Goes back to a sign-in that still waits. */
export function openSignIn() {
  setup.open = true;
  setup.page = "sign_in";
  if (app.signIn) setup.provider = app.signIn.provider;
}

/** Shows the recovery key. */
export function openKey() {
  setup.open = true;
  setup.page = "key";
}

/** Starts a sign-in. `askAgain` asks once more for what was declined. */
export async function startSignIn(provider: Provider, askAgain = false) {
  const scheme = await backend.native.schemeState().catch(() => ({ ours: false, holder: null }));
  const signIn = await backend.call("sign_in_start", {
    provider,
    way_back: scheme.ours ? "scheme" : "loopback",
    ask_again: askAgain,
  });
  app.signIn = signIn;
  setup.provider = provider;
  openSignIn();
  // Without a browser the waiting page still offers the link to copy.
  await backend.native.openBrowser(signIn.authorize_url).catch(() => undefined);
}

/** What a new status means for these pages. */
export function followStatus() {
  const status = app.status;
  if (status?.vault.state !== "open") return;
  if (status.profile === "sample") setup.open = false;
  else if (status.first_run && !setup.open) {
    setup.open = true;
    setup.page = status.sign_in_waiting ? "sign_in" : "welcome";
    if (app.signIn) setup.provider = app.signIn.provider;
  }
}

/** Leaves for the inbox. */
export function finishSetup() {
  setup.open = false;
  goToView("needs_you", null);
}
