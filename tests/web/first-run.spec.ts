// The owner's first minutes: the sample shop, a refused code, a restart while it waits, the choice of accounts.
import { serious } from "./axe.ts";
import { synced } from "./connect.ts";
import { expect, test } from "./shopbell.ts";
import { signInElsewhere } from "./world.ts";

test.use({ shop: "first run" });

test("the sample shop is marked, sends nothing, and is gone with one click", async ({ page, open }) => {
  await open();
  await page.getByRole("button", { name: "Look around with a sample shop" }).click();
  await expect(page.getByText("Nothing here is real, and nothing is sent.")).toBeVisible();
  await page.getByRole("option").first().click();
  await expect(page.locator(".msg").first()).toBeVisible();
  await expect(page.locator(".locked")).toContainText("This is the sample shop.");
  expect(await serious(page)).toEqual([]);
  await expect(page.getByRole("textbox", { name: /^Reply to / })).toHaveCount(0);
  await page.getByRole("button", { name: "Leave", exact: true }).click();
  await expect(page.getByRole("button", { name: "Connect Instagram" })).toBeVisible();
});

test("a started sign-in can be cancelled", async ({ page, open, world }) => {
  await open();
  await page.getByRole("button", { name: "Connect Instagram" }).click();
  await page.getByRole("button", { name: "Open Instagram to sign in" }).click();
  await expect(page.getByText("Go on in your browser")).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("button", { name: "Connect Instagram" })).toBeVisible();
  expect((await world.call("app_status")).sign_in_waiting).toBe(false);
});

test("a wrong code is refused in words and the right one connects", async ({ page, open, world }) => {
  await open();
  await page.getByRole("button", { name: "Connect Facebook Page" }).click();
  await page.getByRole("button", { name: "Open Facebook to sign in" }).click();
  await expect(page.getByText("Go on in your browser")).toBeVisible();
  const signIn = await world.call("sign_in_current");
  if (!signIn) throw new Error("no sign-in waits");
  await expect(page.getByText(String(signIn.number), { exact: true }).first()).toBeVisible();

  await page.getByPlaceholder("Code from the page").fill("<script>alert(1)</script>");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByText("This is not the code from the page.")).toBeVisible();

  // A restart of the page goes on waiting.
  await page.reload();
  await expect(page.getByText("Go on in your browser")).toBeVisible();
  await page.getByPlaceholder("Code from the page").fill(signInElsewhere(signIn.authorize_url));
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByText("Accounts found")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "kornblume.brot Instagram · linked to Bäckerei Kornblume" })).toBeVisible();
  const found = await page.getByRole("checkbox").count();
  expect(found).toBeGreaterThan(2);
  await page.getByRole("checkbox").last().uncheck({ force: true });
  await page.getByRole("button", { name: `Connect ${found - 1} accounts` }).click();
  await expect(page.getByRole("heading", { name: "Connected" })).toBeVisible();
  await synced(world);
  const accounts = await world.call("accounts_list");
  expect(accounts).toHaveLength(found - 1);
  for (const account of accounts) expect(account.subscribed_fields, account.name).toContain("messages");
});
