// Search in every script, and the way to what was found and back.
import { bakery, connected, openConversation, rows, says } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "search", size: "empty" });
test.beforeAll(async ({ world }) => {
  await connected(world, [bakery]);
  await says(world, "Marta Probst", "Gibt es morgen Dinkelbrot?");
  await says(world, "ليلى حداد", "هل عندكم خبز القمح الكامل اليوم؟");
  await says(world, "佐藤花子", "明日のメロンパンはまだありますか");
  await says(world, "Jürgen Öztürk", "Das Müsli war köstlich 🥣");
});

for (const { script, text, marked, says: found } of [
  { script: "Arabic", text: "القمح", marked: "القمح", says: "خبز القمح الكامل" },
  { script: "Japanese, in the middle of a word", text: "ロンパン", marked: "ロンパン", says: "メロンパン" },
  { script: "Latin, without its accents", text: "musli", marked: "Müsli", says: "Das Müsli war köstlich" },
  { script: "Latin, the start of a word", text: "dinkel", marked: "Dinkel", says: "Gibt es morgen Dinkelbrot?" },
]) {
  test(`a word in ${script} is found, marked, and opened where it stands`, async ({ page, open }) => {
    await open();
    await expect(rows(page)).toHaveCount(4);
    await page.keyboard.press("Control+f");
    await page.getByRole("searchbox").fill(text);
    await expect(page.locator("#hits mark")).toHaveCount(1);
    expect(marked.startsWith((await page.locator("#hits mark").textContent()) ?? "-") || (await page.locator("#hits mark").textContent())?.startsWith(marked)).toBe(true);
    await page.keyboard.press("Enter");
    await expect(page.locator(".msg.is-found")).toContainText(found);
  });
}

test("a person is found by name in any script", async ({ page, open }) => {
  await open();
  await page.keyboard.press("/");
  await page.getByRole("searchbox").fill("花子");
  await expect(page.getByText("People", { exact: true })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.locator(".msg").last()).toContainText("メロンパン");
});

test("nothing found is said, and Esc leads back to the conversation one came from", async ({ page, open }) => {
  await open();
  await openConversation(page, "Dinkelbrot");
  await page.keyboard.press("/");
  await page.getByRole("searchbox").fill("Xylophon");
  await expect(page.getByRole("heading", { name: "Nothing found" })).toBeVisible();
  await expect(page.getByText(/We looked through all \d+ messages and every name for “Xylophon”/)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(rows(page)).toHaveCount(4);
  await expect(rows(page).filter({ hasText: "Dinkelbrot" })).toHaveAttribute("aria-selected", "true");
});
