// axe finds nothing serious on any page, in both themes, wide and narrow, left to right and right to left; every page has one main part.
import type { Page } from "@playwright/test";
import { serious } from "./axe.ts";
import { connected, field, openConversation, rows } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "accessibility" });

const widths = [1280, 1100, 800];

async function clean(page: Page, where: string) {
  const found: string[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    await expect(page.getByRole("main")).toHaveCount(1);
    found.push(...(await serious(page)).map((one) => `${where}, ${width}: ${one}`));
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(found).toEqual([]);
}

const looks = ["light", "dark"].flatMap((theme) => ["en", "ar"].map((language) => ({ theme, language })));

for (const look of looks) {
  test(`first run, ${look.theme}, ${look.language}`, async ({ page, open, world }) => {
    await open(look);
    const next = page.locator(".first__main .btn--primary");
    await expect(next).toBeVisible();
    await expect(page.locator("html")).toHaveAttribute("dir", look.language === "ar" ? "rtl" : "ltr");
    await clean(page, "welcome");
    await next.click();
    await expect(page.locator(".first__foot")).not.toHaveCount(2);
    await clean(page, "preflight");
    await next.click();
    await expect(page.locator(".match")).toBeVisible();
    await clean(page, "waiting");
    const waiting = await world.call("sign_in_current");
    if (waiting) await world.call("sign_in_cancel", { id: waiting.id });
  });
}

for (const look of looks) {
  test(`inbox, search and settings, ${look.theme}, ${look.language}`, async ({ page, open, world }) => {
    if ((await world.call("accounts_list")).length === 0) await connected(world);
    await open(look);
    await expect(rows(page).first()).toBeVisible();
    await clean(page, "list");
    await openConversation(page, "");
    await clean(page, "thread");
    await page.keyboard.press("/");
    await page.getByRole("searchbox").fill("a");
    await page.getByRole("searchbox").fill("brot");
    await expect(page.locator("#hits mark").first()).toBeVisible();
    await clean(page, "search");
    // A narrow window showed the thread instead, so the field lost the focus.
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
