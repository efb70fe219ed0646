// Ways to a connected shop past the pages, for tests that are about something else.
import { expect, type Page } from "@playwright/test";
import type { Provider } from "../../ui/src/gen/Provider";
import { signInElsewhere, type World } from "./world.ts";

/** Ids of the generated shop's accounts. */
export const bakery = "100000000000101";
export const bikes = "100000000000103";

/** Everything through the core's boundary; ends when the first sync is complete and the people of it have their names: a row that is
 * renamed while a test reads it is another story. */
export async function connected(world: World, only: string[] | null = null, provider: Provider = "facebook") {
  const started = await world.call("sign_in_start", { provider, way_back: "scheme", ask_again: false });
  const signIn = await world.call("sign_in_finish", { pasted: signInElsewhere(started.authorize_url) });
  expect(signIn.step, JSON.stringify(signIn.refusal)).toBe("choosing");
  const possible = signIn.found.filter((one) => one.obstacle === null).map((one) => one.platform_id);
  await world.call("sign_in_choose", { id: signIn.id, platform_ids: only ?? possible });
  await synced(world);
  await introduced(world);
}

/** Waits until the platform was asked for every person in the list. */
function introduced(world: World) {
  return world.until(async () => {
    const { rows } = await world.call("conversations_list", { view: "all", limit: 200 });
    const people = await Promise.all(rows.map(async (row) => (await world.call("conversation_get", { id: row.id })).person));
    return people.every((person) => person.profile_fetched_at_ms !== null || person.profile_error !== null);
  });
}

/** Waits until every account's first sync is complete. */
export function synced(world: World) {
  return world.until(async () => {
    const accounts = await world.call("sync_status");
    return accounts.length > 0 && accounts.every((one) => one.imported_at_ms !== null);
  });
}

/** A customer writes, and the program has it. A look that runs already may have passed the place: then it looks once more. */
export async function says(world: World, customer: string, text: string) {
  await world.tell("say", { account: bakery, customer, text });
  const account = (await world.call("accounts_list")).find((one) => one.platform_id === bakery);
  await world.until(async () => {
    const { rows } = await world.call("conversations_list", { view: "all", account_id: account?.id ?? null, cursor: null, limit: 50 });
    if (rows.some((row) => row.preview === text)) return true;
    await world.call("sync_now", { id: account?.id ?? 0 });
    return false;
  });
}

/** How often Meta holds a text. */
export async function arrived(world: World, text: string) {
  return (await world.held()).split(JSON.stringify(text)).length - 1;
}

/** The rows of the list. */
export const rows = (page: Page) => page.locator("#inbox-rows").getByRole("option");

/** Opens the conversation whose row shows these words. */
export async function openConversation(page: Page, words: string) {
  await rows(page).filter({ hasText: words }).first().click();
  await expect(page.locator(".msg").first()).toBeVisible();
}

/** The field for an answer. */
export const field = (page: Page) => page.getByRole("textbox", { name: /^Reply to / });

/** The bubble with these words. */
export const bubble = (page: Page, words: string) => page.locator(".msg").filter({ hasText: words }).last();

/** Writes and sends an answer in the open conversation. */
export async function answer(page: Page, words: string) {
  await field(page).fill(words);
  await page.keyboard.press("Control+Enter");
  await expect(bubble(page, words)).toBeVisible();
}
