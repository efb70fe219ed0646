// axe finds nothing serious on any page, in both themes, wide and narrow, left to right and right to left; every page has one main part.
import { clean, looks, serious } from "./axe.ts";
import { connected, openConversation, rows } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "accessibility" });
test.beforeAll(async ({ world }) => connected(world));

for (const look of looks) {
  test(`inbox, search and settings, ${look.theme}, ${look.language}`, async ({ page, open }) => {
    await open(look);
    await expect(rows(page).first()).toBeVisible();
    await clean(page, "list");
    await openConversation(page, "");
    await clean(page, "thread");
    await page.setViewportSize({ width: 1100, height: 800 });
    await expect(page.locator(".details")).toHaveCount(0);
    await page.keyboard.press("]");
    await expect(page.locator(".details .person h2")).toBeVisible();
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press("]");
    // Begun in a narrow window, so that all three widths show the search.
    await page.setViewportSize({ width: 800, height: 800 });
    await page.keyboard.press("/");
    await page.getByRole("searchbox").fill("brot");
    await expect(page.locator("#hits mark").first()).toBeVisible();
    await clean(page, "search");
    await page.getByRole("searchbox").press("Escape");
    await expect(rows(page).first()).toBeVisible();
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+,");
    for (const item of await page.locator(".set__item").all()) {
      await item.click();
      await expect(page.locator(".set .scroll h1").first()).toBeVisible();
      await clean(page, `settings, ${await item.textContent()}`);
    }
    await page.locator(".set__item").first().click();
    await page.locator(".hrow__do button[aria-expanded]").first().click();
    await page.locator(".account .btn--danger").click();
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await serious(page)).toEqual([]);
  });
}
