// Choices of the owner hold after a restart of the pages.
import { bakery, connected } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "settings", size: "empty" });
test.beforeAll(async ({ world }) => connected(world, [bakery]));

test("theme, text size and language survive a restart", async ({ page, open, world }) => {
  await open();
  await page.keyboard.press("Control+,");
  await page.getByRole("button", { name: "Appearance" }).click();
  const root = page.locator("html");
  const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await colour();

  await page.getByText("Dark", { exact: true }).click();
  await expect(page.getByRole("radio", { name: "Dark" })).toBeChecked();
  await expect.poll(colour).not.toBe(light);
  await page.getByRole("slider", { name: "Text size" }).fill("120");
  await expect(page.getByText("120 %").or(page.getByText("120%")).first()).toBeVisible();
  await page.getByRole("combobox", { name: "Language" }).selectOption("ar");
  await expect(root).toHaveAttribute("dir", "rtl");
  await world.until(async () => JSON.parse((await world.call("settings_get")).place).settingsPage === "look");
  const dark = await colour();

  await page.reload();
  await expect(root).toHaveAttribute("dir", "rtl");
  await expect(root).toHaveAttribute("lang", "ar");
  await expect(page.getByRole("slider")).toHaveValue("120");
  expect(await colour()).toBe(dark);
  const settings = await world.call("settings_get");
  expect([settings.theme, settings.text_percent, settings.language]).toEqual(["dark", 120, "ar"]);

  await page.getByRole("combobox").selectOption("de");
  await expect(root).toHaveAttribute("dir", "ltr");
  await expect(page.locator(".set__in h1")).toHaveText("Aussehen");
});

test("the time an answer is held back can be chosen, and off is a choice", async ({ page, open, world }) => {
  await open();
  await page.keyboard.press("Control+,");
  await page.getByRole("button", { name: "Sending" }).click();
  await page.getByText("20 s", { exact: true }).click();
  await expect(page.getByRole("radio", { name: "20 s" })).toBeChecked();
  await world.until(async () => (await world.call("settings_get")).hold_back_s === 20);
  await page.getByText("Off", { exact: true }).click();
  await world.until(async () => (await world.call("settings_get")).hold_back_s === 0);
});

test("every page of the settings says what it is", async ({ page, open }) => {
  await open();
  await page.keyboard.press("Control+,");
  for (const name of ["Accounts", "Health", "Appearance", "Sending", "Keyboard", "About"]) {
    await page.getByRole("navigation", { name: "Settings" }).getByRole("button", { name }).click();
    await expect(page.getByRole("group", { name }).getByRole("heading", { level: 1 })).toBeVisible();
  }
  await expect(page.getByText("Free software under the Apache License 2.0.")).toBeVisible();
});
