// Reading and answering in the pages.
import { answer, arrived, bubble, connected, field, openConversation, rows, says } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

test.use({ shop: "inbox" });
test.beforeAll(async ({ world }) => connected(world));

test("a new message appears by itself and an answer arrives exactly once", async ({ page, open, world }) => {
  await open();
  await expect(rows(page).first()).toBeVisible();
  await says(world, "Marta Probst", "Gibt es morgen Dinkelbrot?");
  await openConversation(page, "Gibt es morgen Dinkelbrot?");
  await answer(page, "Ja, ab sieben Uhr. 🥖");
  await expect(bubble(page, "Ja, ab sieben Uhr.")).toContainText("Sent");
  await expect(field(page)).toHaveValue("");
  await expect.soft(bubble(page, "Ja, ab sieben Uhr.")).not.toContainText("Not sent");
  expect(await arrived(world, "Ja, ab sieben Uhr. 🥖")).toBe(1);
});

test("what customers write is text, never markup", async ({ page, open, world }) => {
  const hostile = '<img src=x onerror="document.title=1"><b>fett</b> javascript:alert(1)';
  await says(world, "Jonas <i>Krumm</i>", hostile);
  await open();
  await openConversation(page, "fett");
  await expect(page.locator(".bubble").getByText(hostile)).toBeVisible();
  await expect(page.locator(".bubble b, .bubble img[src=x], .row i:not(.row__unread)")).toHaveCount(0);
  expect(await page.title()).not.toBe("1");
});

test("the place, the open conversation and the draft are there again after a restart", async ({ page, open, world }) => {
  await says(world, "Ada Wolters", "Kann ich zwei Brote vorbestellen?");
  await open();
  await openConversation(page, "zwei Brote");
  await field(page).fill("Gern, für wann");
  await page.keyboard.press("Escape");
  await expect(rows(page).filter({ hasText: "zwei Brote" })).toContainText("Your draft");
  await world.until(async () => typeof JSON.parse((await world.call("settings_get")).place).conversationId === "number");
  await page.reload();
  await expect(field(page)).toHaveValue("Gern, für wann");
  await expect(bubble(page, "zwei Brote")).toBeVisible();
});

test("several finished imports are told in one line, which leaves with a click", async ({ page, open, world }) => {
  expect((await world.call("accounts_list")).length).toBeGreaterThan(2);
  await open();
  const done = page.locator(".strip").filter({ hasText: "Done:" });
  await expect(done).toHaveCount(1);
  await expect(done).toContainText(/Done: \d+ conversations of \d+ accounts/);
  await done.getByRole("button").click();
  await expect(done).toHaveCount(0);
});

test("a conversation of a narrow window has its own page and a way back", async ({ page, open, world }) => {
  await says(world, "Tilda Roth", "Habt ihr sonntags offen?");
  await page.setViewportSize({ width: 800, height: 800 });
  await open();
  await openConversation(page, "sonntags offen");
  await expect(rows(page).first()).toBeHidden();
  await page.keyboard.press("Escape");
  await expect(rows(page).first()).toBeVisible();
});
