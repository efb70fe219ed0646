// Chromium itself walks the sign-in: the platform's dialog, the relay's page, the code, and the recovery key at the end.
import type { Page } from "@playwright/test";
import { serious } from "./axe.ts";
import { rows } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "sign in", size: "empty", popups: "keep", permissions: ["clipboard-read", "clipboard-write"] });

/** Presses a button that opens the browser, and says which page it opened. */
async function opens(page: Page, button: string) {
  const [browser] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("button", { name: button }).click()]);
  return browser;
}

/** The relay's page shows the app's number; its code is copied there and pasted here. */
async function bringCode(page: Page, browser: Page, number: string) {
  await expect(browser.locator("#connect .relay__no")).toHaveText(number);
  await expect(page.getByText(number, { exact: true }).first()).toBeVisible();
  expect(await serious(browser)).toEqual([]);
  await browser.getByRole("button", { name: "Copy" }).click();
  await expect(browser.getByRole("button", { name: "Copied" })).toBeVisible();
  await browser.close();
  await page.getByPlaceholder("Code from the page").focus();
  await page.keyboard.press("Control+v");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
}

test("No at the platform is said in one sentence, and nothing was connected", async ({ page, open, world }) => {
  await open();
  await page.getByRole("button", { name: "Connect Facebook Page" }).click();
  const browser = await opens(page, "Open Facebook to sign in");
  await browser.getByRole("button", { name: "Cancel" }).click();
  await expect(browser.getByRole("heading", { name: "You said no, and that is fine" })).toBeVisible();
  expect(await serious(browser)).toEqual([]);
  await browser.close();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("button", { name: "Connect Facebook Page" })).toBeVisible();
  expect(await world.call("accounts_list")).toEqual([]);
});

test("Facebook, all allowed, and the recovery key confirmed from paper", async ({ page, open, world }) => {
  await open();
  await page.getByRole("button", { name: "Connect Facebook Page" }).click();
  const browser = await opens(page, "Open Facebook to sign in");
  await browser.getByRole("button", { name: "Continue" }).click();
  await bringCode(page, browser, String((await world.call("sign_in_current"))?.number));

  await expect(page.getByText("Facebook said yes", { exact: true })).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await page.getByRole("button", { name: /^Connect \d+ accounts$/ }).click();
  await expect(page.getByRole("heading", { name: "Connected" })).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await page.getByRole("button", { name: "Go on" }).click();

  await expect(page.getByRole("heading", { name: "Write down your recovery key" })).toBeVisible();
  await expect(page.locator(".keygroups code").first()).toBeVisible();
  expect(await serious(page)).toEqual([]);
  const paper = await page.locator(".keygroups code").allTextContents();
  await page.getByRole("button", { name: "I wrote it down" }).click();
  const asked = page.getByRole("textbox", { name: /^Group \d+$/ });
  await expect(asked).toHaveCount(2);
  for (const one of await asked.all()) await one.fill("00000");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByText("This is not what the key says.")).toBeVisible();
  expect(await serious(page)).toEqual([]);
  const groups = await page.locator(".keycheck label > span:first-child").allTextContents();
  for (const [at, name] of groups.entries()) await asked.nth(at).fill(paper[Number(name.replace(/\D/g, "")) - 1] ?? "");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  expect((await world.call("app_status")).recovery_key_pending).toBe(false);
  await expect(rows(page)).toHaveCount(0);
});

test("Instagram, one permission declined, named with what is lost", async ({ page, open, world }) => {
  await open();
  // The first account's test may have connected one.
  if ((await world.call("accounts_list")).length > 0) {
    await page.keyboard.press("Control+,");
    await page.getByRole("button", { name: "Connect an account" }).click();
  }
  await page.getByRole("button", { name: "Connect Instagram" }).click();
  const browser = await opens(page, "Open Instagram to sign in");
  await browser.getByRole("checkbox", { name: /manage_comments/ }).uncheck();
  await browser.getByRole("button", { name: "Allow" }).click();
  await bringCode(page, browser, String((await world.call("sign_in_current"))?.number));

  await expect(page.getByText(/^Instagram said yes to \d of \d$/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Not allowed" })).toBeVisible();
  await expect(page.locator(".granted")).toContainText("Reading and answering comments");
  await page.getByRole("button", { name: /^Connect \d+ account/ }).click();
  await expect(page.getByRole("heading", { name: /^Connected/ })).toBeVisible();
});
