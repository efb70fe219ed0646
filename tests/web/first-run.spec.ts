// The owner's first minutes in the pages: sample shop, sign-in with pasted code, choice of accounts.
import { expect, openShopbell, signInElsewhere, test } from "./world.ts";
import { synced } from "./connect.ts";

test("the sample shop is marked, sends nothing, and is gone with one click", async ({ page, world }) => {
  await openShopbell(page, world);
  await page.getByRole("button", { name: "Look around with a sample shop" }).click();
  await expect(page.getByText("Sample shop.")).toBeVisible();
  await expect(page.getByRole("option").first()).toBeVisible();
  await page.getByRole("option").first().click();
  await expect(page.locator(".msg").first()).toBeVisible();
  await page.getByRole("button", { name: "Leave" }).click();
  await expect(page.getByRole("button", { name: "Connect Instagram" })).toBeVisible();
});

test("a wrong code is refused in words and the right one connects", async ({ page, world }) => {
  await openShopbell(page, world);
  await page.getByRole("button", { name: "Connect Facebook Page" }).click();
  await page.getByRole("button", { name: "Open Facebook to sign in" }).click();
  await expect(page.getByText("Go on in your browser")).toBeVisible();
  const signIn = await world.call("sign_in_current");
  await expect(page.getByText(signIn.number, { exact: true }).first()).toBeVisible();

  await page.getByPlaceholder("Code from the page").fill("<script>alert(1)</script>");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByText("This is not the code from the page.")).toBeVisible();

  // A restart of the page goes on waiting.
  await page.reload();
  await expect(page.getByText("Go on in your browser")).toBeVisible();
  const back = signInElsewhere(signIn.authorize_url);
  await page.getByPlaceholder("Code from the page").fill(back);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByText("Accounts found")).toBeVisible();
  await expect(page.getByText("kornblume.brot")).toBeVisible();
  await page.getByRole("button", { name: /^Connect \d/ }).click();
  await synced(world);
  const accounts = await world.call("accounts_list");
  expect(accounts.length).toBeGreaterThan(1);
  for (const account of accounts) expect(account.subscribed_fields).toContain("messages");
});
