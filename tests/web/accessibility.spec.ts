// axe finds nothing serious on any page, in both themes, wide and narrow, left to right and right to left.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { connected, openConversation } from "./connect.ts";
import { expect, openShopbell, test } from "./world.ts";

async function clean(page: Page, where: string) {
  await page.evaluate(() => document.fonts.ready);
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  expect(serious.map((one) => `${where}: ${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" | ")}`)).toEqual([]);
}

test("first run", async ({ page, world }) => {
  await openShopbell(page, world);
  await expect(page.getByRole("button", { name: "Connect Instagram" })).toBeVisible();
  await clean(page, "welcome");
  await page.getByRole("button", { name: "Connect Instagram" }).click();
  await expect(page.getByRole("button", { name: "Open Instagram to sign in" })).toBeVisible();
  await clean(page, "preflight");
});

for (const theme of ["light", "dark"]) {
  for (const language of ["en", "ar"]) {
    test(`inbox and settings, ${theme}, ${language}`, async ({ page, world }) => {
      if ((await world.call("accounts_list")).length === 0) await connected(world);
      await world.call("settings_set", { theme, language: "en" });
      await openShopbell(page, world);
      await openConversation(page, "");
      await world.call("settings_set", { language });
      await expect(page.locator("html")).toHaveAttribute("dir", language === "ar" ? "rtl" : "ltr");
      for (const width of [1280, 1100, 800]) {
        await page.setViewportSize({ width, height: 800 });
        await clean(page, `thread at ${width}`);
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+,");
      await clean(page, "settings");
      await world.call("settings_set", { language: "en" });
    });
  }
}
