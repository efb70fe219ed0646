// axe on the pages before the first account, as in `accessibility.spec.ts`.
import { clean, looks } from "./axe.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "accessibility of the first run" });

for (const look of looks) {
  test(`first run, ${look.theme}, ${look.language}`, async ({ page, open, world }) => {
    await open(look);
    const next = page.locator(".first__main .btn--primary");
    await expect(next).toBeVisible();
    await expect(page.locator("html")).toHaveAttribute("dir", look.language === "ar" ? "rtl" : "ltr");
    await clean(page, "welcome");
    await next.click();
    await expect(page.locator(".pre").first()).toBeVisible();
    await clean(page, "preflight");
    await next.click();
    await expect(page.locator(".match")).toBeVisible();
    await clean(page, "waiting");
    const waiting = await world.call("sign_in_current");
    if (waiting) await world.call("sign_in_cancel", { id: waiting.id });
  });
}
