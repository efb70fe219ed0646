// The network goes away: everything can be read and searched, and answers wait.
import { answer, bubble, connected, openConversation, says } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "offline", size: "empty" });
test.beforeAll(async ({ world }) => connected(world, ["100000000000101"]));

test("everything can be read when the network is gone, and an answer waits", async ({ page, open, world }) => {
  await says(world, "Marta Probst", "Gibt es morgen Dinkelbrot?");
  await open();
  await openConversation(page, "Dinkelbrot");
  world.unplug();
  await page.reload();
  await openConversation(page, "Dinkelbrot");
  await answer(page, "Bis morgen!");
  await expect(bubble(page, "Bis morgen!")).toContainText(/waits for internet|Waits to be sent/, { timeout: 30_000 });
  await page.keyboard.press("Control+f");
  await page.getByRole("searchbox").fill("dinkel");
  await expect(page.locator("mark").first()).toHaveText(/^Dinkel/);
  await page.reload();
  await page.locator(".rail__view").last().click();
  await openConversation(page, "Bis morgen!");
  await bubble(page, "Bis morgen!").getByRole("button", { name: "Take back" }).click();
  await expect(page.getByRole("textbox", { name: /^Reply to / })).toHaveValue("Bis morgen!");
});
