// The whole inbox without a pointer.
import { connected, field, rows, says } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "keys" });
test.beforeAll(async ({ world }) => connected(world));
test.beforeEach(async ({ page, open }) => {
  await open();
  await expect(rows(page).nth(2)).toBeVisible();
});

const selected = (page: import("@playwright/test").Page) => rows(page).and(page.locator('[aria-selected="true"]'));

test("J and K walk the list, Enter goes into the thread, Esc comes back", async ({ page }) => {
  const names = await rows(page).locator(".row__name").allTextContents();
  await page.keyboard.press("j");
  await expect(selected(page)).toContainText(names[0] ?? "");
  await page.keyboard.press("j");
  await expect(selected(page)).toContainText(names[1] ?? "");
  await page.keyboard.press("k");
  await expect(selected(page)).toContainText(names[0] ?? "");
  await page.keyboard.press("Enter");
  await expect(page.locator(".talk")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.locator("#inbox-rows")).toBeFocused();
});

test("R writes, letters are letters in the field, Esc leaves it and keeps the draft", async ({ page, world }) => {
  await says(world, "Kira Blum", "Habt ihr Roggenbrot?");
  await rows(page).filter({ hasText: "Roggenbrot" }).click();
  await expect(field(page)).toBeVisible();
  await page.keyboard.press("r");
  await expect(field(page)).toBeFocused();
  await page.keyboard.type("jkeuz?/ ok");
  await expect(field(page)).toHaveValue("jkeuz?/ ok");
  await page.keyboard.press("Escape");
  await expect(field(page)).not.toBeFocused();
  await expect(field(page)).toHaveValue("jkeuz?/ ok");
  await expect(rows(page).filter({ hasText: "Roggenbrot" })).toContainText("Your draft");
  await page.keyboard.press("r");
  await field(page).fill("");
});

test("E is done, Z takes it back, Shift E goes on to the next", async ({ page }) => {
  const names = await rows(page).locator(".row__name").allTextContents();
  const [first = "", second = ""] = names;
  await page.keyboard.press("j");
  await expect(page.locator(".msg").first()).toBeVisible();
  await page.keyboard.press("e");
  await expect(page.locator(".toast")).toContainText(`${first}: done`);
  await expect(rows(page).filter({ hasText: first })).toHaveCount(0);
  await page.keyboard.press("z");
  await expect(rows(page).first()).toContainText(first);
  await expect(page.locator(".toast")).toHaveCount(0);

  await page.keyboard.press("Shift+e");
  await expect(selected(page)).toContainText(second);
  await expect(rows(page).filter({ hasText: first })).toHaveCount(0);
  await page.keyboard.press("z");
  await expect(rows(page).first()).toContainText(first);
});

test("Z takes back the newest, also while an older note still stands", async ({ page, world }) => {
  await world.call("settings_set", { hold_back_s: 30 });
  await says(world, "Mia Voss", "Noch Brezeln da?");
  const [first = ""] = await rows(page).filter({ hasNotText: "Mia Voss" }).locator(".row__name").allTextContents();
  await rows(page).filter({ hasText: first }).first().click();
  await page.keyboard.press("e");
  await expect(page.locator(".toast")).toContainText(`${first}: done`);
  await rows(page).filter({ hasText: "Mia Voss" }).click();
  await field(page).fill("Ja, noch vier");
  await page.keyboard.press("Control+Enter");
  await expect(page.locator(".msg").last()).toContainText("Undo");
  await page.keyboard.press("Escape");
  await page.keyboard.press("z");
  await expect(field(page)).toHaveValue("Ja, noch vier");
  await expect(rows(page).filter({ hasText: first })).toHaveCount(0);
  await page.keyboard.press("z");
  await expect(rows(page).filter({ hasText: first })).toHaveCount(1);
});

test("U makes unread and read again", async ({ page, world }) => {
  await says(world, "Lars Ott", "Ist die Torte fertig?");
  const row = rows(page).filter({ hasText: "Torte fertig" });
  await row.click();
  await expect(row).not.toHaveClass(/is-unread/);
  await page.keyboard.press("u");
  await expect(row).toHaveClass(/is-unread/);
  await page.keyboard.press("u");
  await expect(row).not.toHaveClass(/is-unread/);
});

test("? lists the keys and Esc closes the list", async ({ page }) => {
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keys" });
  for (const words of ["Next conversation", "Done, or open again", "Undo the last action or send", "Search"]) {
    await expect(sheet.getByText(words, { exact: true })).toBeVisible();
  }
  await page.keyboard.press("j");
  await expect(selected(page)).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);
});

test("/ searches, G S and Ctrl+comma go to the settings, Esc comes back, Tab changes the view", async ({ page }) => {
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("searchbox")).toHaveCount(0);
  await expect(page.locator("#inbox-rows")).toBeFocused();

  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await expect(page.getByRole("heading", { name: "Accounts", level: 1 })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press("Control+,");
  await expect(page.getByRole("heading", { name: "Accounts", level: 1 })).toBeVisible();
  await page.keyboard.press("Escape");

  const view = page.locator(".rail__view.is-selected");
  await expect(view).toContainText("Needs you");
  await page.locator("#inbox-rows").focus();
  await page.keyboard.press("Tab");
  await expect(view).toContainText("Closing soon");
  await page.keyboard.press("Shift+Tab");
  await expect(view).toContainText("Needs you");
});
