// Reading, searching and answering in the pages.
import { connected, openConversation } from "./connect.ts";
import { expect, openShopbell, test } from "./world.ts";

test.beforeAll(async ({ world }) => {
  await connected(world);
});

test("a new message appears by itself and an answer arrives exactly once", async ({ page, world }) => {
  await openShopbell(page, world);
  await expect(page.getByRole("option").first()).toBeVisible();
  await world.tell("say", { account: "100000000000101", customer: "Marta Probst", text: "Gibt es morgen Dinkelbrot?" });
  for (const account of await world.call("accounts_list")) await world.call("sync_now", { id: account.id });
  await openConversation(page, "Gibt es morgen Dinkelbrot?");
  await page.getByRole("textbox", { name: /reply|message|answer/i }).fill("Ja, ab sieben Uhr. 🥖");
  await page.keyboard.press("Control+Enter");
  await expect(page.locator(".msg").last()).toContainText("Ja, ab sieben Uhr.");
  await expect(page.locator(".msg").last()).toContainText("Sent", { timeout: 30_000 });
  const state = await (await fetch(`${world.sandbox}/_sandbox/state`)).text();
  expect(state.split("Ja, ab sieben Uhr.").length - 1).toBe(1);
});

test("what customers write is text, never markup", async ({ page, world }) => {
  const hostile = '<img src=x onerror="document.title=1"><b>fett</b> javascript:alert(1)';
  await world.tell("say", { account: "100000000000101", customer: "Marta Probst", text: hostile });
  for (const account of await world.call("accounts_list")) await world.call("sync_now", { id: account.id });
  await openShopbell(page, world);
  await openConversation(page, "fett");
  await expect(page.getByText(hostile).last()).toBeVisible();
  expect(await page.title()).not.toBe("1");
});

test("search finds a word in any script and opens at the message", async ({ page, world }) => {
  await openShopbell(page, world);
  await expect(page.getByRole("option").first()).toBeVisible();
  await page.keyboard.press("Control+f");
  await page.getByRole("searchbox").fill("Dinkelbrot");
  await expect(page.locator("mark").first()).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.locator(".msg.is-found")).toContainText("Dinkelbrot");
});

test("everything can be read when the network is gone, and an answer waits", async ({ page, world }) => {
  await openShopbell(page, world);
  await openConversation(page, "fett");
  world.unplug();
  await page.reload();
  await openConversation(page, "fett");
  await page.getByRole("textbox", { name: /reply|message|answer/i }).fill("Bis morgen!");
  await page.keyboard.press("Control+Enter");
  await expect(page.locator(".msg").last()).toContainText("Bis morgen!");
  await expect(page.locator(".msg").last()).toContainText(/waits for internet|Waits to be sent/, { timeout: 30_000 });
});
