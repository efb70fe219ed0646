// Events: a message is on the screen because Meta told the relay, not because anybody looked.
import { bakery, connected, openConversation, rows } from "./connect.ts";
import { expect, test } from "./shopbell.ts";
import type { World } from "./world.ts";

test.use({ shop: "live", size: "empty" });
test.beforeAll(async ({ world }) => {
  await world.tell("callback", { webhook_url: `${world.relay}/webhooks/meta`, verify: true });
  await connected(world, [bakery]);
  await world.until(async () => (await world.call("relay_status")).state === "live");
  // The first event proves that the way works; until then the account is polled.
  await world.tell("say", { account: bakery, customer: "Ada Lenz", text: "Guten Morgen" });
  await world.until(async () => (await account(world)).last_event_at_ms !== null);
  await world.until(async () => (await world.call("sync_status")).every((one) => one.state === "idle"));
});

async function account(world: World) {
  const found = (await world.call("accounts_list")).find((one) => one.platform_id === bakery);
  if (!found) throw new Error("the bakery is not connected");
  return found;
}

test("a customer's message is in the open window by its event", async ({ page, open, world }) => {
  await open();
  const before = (await account(world)).last_sync_at_ms;
  await world.tell("say", { account: bakery, customer: "Nele Brandt", text: "Habt ihr Laugenbrezeln?" });
  await expect(rows(page).filter({ hasText: "Laugenbrezeln" })).toBeVisible();
  expect((await account(world)).last_sync_at_ms).toBe(before);
  await openConversation(page, "Laugenbrezeln");
});

test("Health tells the line, the events and who answers, and no message", async ({ page, open, world }) => {
  await world.tell("say", { account: bakery, customer: "Nele Brandt", text: "Geheimnis vier" });
  await open();
  await page.keyboard.press("Control+,");
  await page.getByRole("button", { name: "Health" }).click();
  const relay = page.locator(".hrow").filter({ hasText: world.relay });
  await expect(relay).toContainText("Connected");
  await expect(relay).toContainText("the moment a customer writes");
  const log = page.locator("table").filter({ hasText: "What became of it" });
  await expect(log).toContainText("Taken in");
  await expect(log).not.toContainText("Geheimnis");
  await page.locator(".hrow").filter({ hasText: "Bäckerei" }).getByRole("button", { name: "Details" }).click();
  await expect(page.locator(".account")).toContainText("Events on since");
  await expect(page.locator(".account")).toContainText("They run on this computer.");
});
