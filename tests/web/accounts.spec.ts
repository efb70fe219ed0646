// Pausing and disconnecting: what stays, what goes, and the way back.
import type { Page } from "@playwright/test";
import { connected, openConversation } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

const bikes = "Speiche & Kette";
const boutique = "Maison Lune";

test.use({ shop: "accounts" });
test.beforeAll(async ({ world }) => connected(world, ["100000000000102", "100000000000103"]));

const row = (page: Page, name: string) => page.locator(".hrow").filter({ hasText: name });

/** The account's controls, unfolded. */
async function unfold(page: Page, name: string) {
  await page.keyboard.press("Control+,");
  await row(page, name).getByRole("button", { name: "Details" }).click();
}

test("a paused account fetches and sends nothing and says so where one writes", async ({ page, open, world }) => {
  await open({ place: JSON.stringify({ view: "all" }) });
  await unfold(page, boutique);
  await page.getByRole("switch", { name: "Pause this account" }).click();
  await expect(row(page, boutique)).toContainText("Paused by you.");
  await page.keyboard.press("Escape");
  const account = (await world.call("accounts_list")).find((one) => one.name === boutique);
  const { rows } = await world.call("conversations_list", { view: "all", account_id: account?.id ?? 0, cursor: null, limit: 10 });
  await openConversation(page, rows[0]?.name ?? "");
  await expect(page.locator(".locked")).toContainText(/You paused|passed since/);
  await unfold(page, boutique);
  await page.getByRole("switch", { name: "Pause this account" }).click();
  await expect(row(page, boutique)).not.toContainText("Paused by you.");
});

test("disconnected and kept: everything stays readable", async ({ page, open, world }) => {
  await open({ place: JSON.stringify({ view: "all" }) });
  await unfold(page, boutique);
  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: `Disconnect ${boutique}?` });
  await expect(dialog).toContainText("All conversations, here");
  await dialog.getByRole("button", { name: "Disconnect", exact: true }).click();
  await expect(page.locator(".toast")).toContainText(`${boutique} is disconnected`);
  await expect(row(page, boutique)).toContainText("Disconnected. What was here stays readable.");
  await page.keyboard.press("Escape");
  const account = (await world.call("accounts_list")).find((one) => one.name === boutique);
  expect(account?.conversations).toBeGreaterThan(0);
  const { rows } = await world.call("conversations_list", { view: "all", account_id: account?.id ?? 0, cursor: null, limit: 10 });
  await openConversation(page, rows[0]?.name ?? "");
  await expect(page.locator(".locked")).toContainText(`is disconnected.`);
});

test("erasing wants the typed name, waits a day, and can be undone", async ({ page, open, world }) => {
  await open();
  await unfold(page, bikes);
  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: `Disconnect ${bikes}?` });
  await dialog.getByText("Erase them from this computer").click();
  await expect(dialog).toContainText(/After 24 hours, 6 conversations, \d+ messages and \d+ people are gone for good/);
  const erase = dialog.getByRole("button", { name: "Disconnect and erase" });
  await expect(erase).toBeDisabled();
  await dialog.getByRole("textbox").fill("Speiche");
  await expect(erase).toBeDisabled();
  await dialog.getByRole("textbox").fill(bikes);
  await erase.click();
  await expect(row(page, bikes)).toContainText("Its conversations are erased on");
  const account = async () => (await world.call("accounts_list")).find((one) => one.name === bikes);
  expect((await account())?.erase_at_ms).not.toBeNull();
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await expect(row(page, bikes)).toContainText("Disconnected. What was here stays readable.");
  expect((await account())?.erase_at_ms).toBeNull();
  expect((await account())?.conversations).toBe(6);
});
