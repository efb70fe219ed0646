// What becomes of an answer: held back, taken back, refused, not sure, too late, too long.
import { answer, arrived, bakery, bubble, connected, field, openConversation, rows, says } from "./connect.ts";
import { expect, test } from "./shopbell.ts";

const HOUR_MS = 3_600_000;

test.use({ shop: "sending", size: "empty" });
test.beforeAll(async ({ world }) => {
  await world.tell("say", { account: bakery, customer: "Gerd Ohm", text: "Danke, bis dann", ago_ms: 8 * 24 * HOUR_MS });
  await world.tell("say", { account: bakery, customer: "Hana Sato", text: "Noch eine Frage", ago_ms: 30 * HOUR_MS });
  await connected(world, [bakery]);
});
test.afterEach(async ({ world }) => world.heal());

test("a held-back answer is taken back at its bubble or with Z, and the words are in the field again", async ({ page, open, world }) => {
  await says(world, "Ana Neumann", "Offen am Montag?");
  await open({ hold_back_s: 30 });
  await openConversation(page, "Offen am Montag?");
  await answer(page, "Ja, ab 7 Uhr");
  await expect(bubble(page, "Ja, ab 7 Uhr")).toContainText(/Leaves in \d+ s/);
  await bubble(page, "Ja, ab 7 Uhr").getByRole("button", { name: "Undo" }).click();
  await expect(field(page)).toHaveValue("Ja, ab 7 Uhr");
  await expect(bubble(page, "Ja, ab 7 Uhr")).toHaveCount(0);

  await field(page).focus();
  await page.keyboard.press("Control+Enter");
  await expect(bubble(page, "Ja, ab 7 Uhr")).toContainText("Undo");
  await page.keyboard.press("Escape");
  await page.keyboard.press("z");
  await expect(field(page)).toHaveValue("Ja, ab 7 Uhr");
  await expect(bubble(page, "Ja, ab 7 Uhr")).toHaveCount(0);
  expect(await arrived(world, "Ja, ab 7 Uhr")).toBe(0);
});

test("turning away from a held-back answer keeps its undo in sight", async ({ page, open, world }) => {
  await says(world, "Bela Kraft", "Und am Dienstag?");
  await says(world, "Cem Aydin", "Habt ihr Simit?");
  await open({ hold_back_s: 30 });
  await openConversation(page, "Und am Dienstag?");
  await answer(page, "Auch am Dienstag");
  await expect(bubble(page, "Auch am Dienstag")).toContainText("Undo");
  await openConversation(page, "Habt ihr Simit?");
  const note = page.locator(".toast").filter({ hasText: "leaves in a moment" });
  await expect(note).toContainText("Bela Kraft");
  await note.getByRole("button", { name: "Undo" }).click();
  await expect(field(page)).toHaveValue("Auch am Dienstag");
  expect(await arrived(world, "Auch am Dienstag")).toBe(0);
});

test("a refused answer says why, and Try again sends it once", async ({ page, open, world }) => {
  await says(world, "Dana Fiedler", "Ist der Zopf vegan?");
  await open();
  await openConversation(page, "Ist der Zopf vegan?");
  await world.tell("faults", { method: "POST", path: "messages", times: 1, before: { error: { code: 551, message: "(#551) This person isn't available right now." } } });
  await answer(page, "Leider nein, mit Butter");
  const said = bubble(page, "Leider nein, mit Butter");
  await expect(said).toContainText("Not sent.");
  await expect(said).toContainText("Dana Fiedler’s settings do not accept this message.");
  await expect(rows(page).filter({ hasText: "Dana Fiedler" })).toContainText("Not sent");
  await said.getByRole("button", { name: "Try again" }).click();
  await expect(said).toContainText(/\d · Sent|\d\s*·\s*(Sent|Delivered|Seen)/);
  await expect(said).not.toContainText("Not sent.");
  expect(await arrived(world, "Leider nein, mit Butter")).toBe(1);
});

test("a refused answer can be thrown away", async ({ page, open, world }) => {
  await says(world, "Edda Lang", "Gibt es Rabatt?");
  await open();
  await openConversation(page, "Gibt es Rabatt?");
  await world.tell("faults", { method: "POST", path: "messages", times: 1, before: { error: { code: 551 } } });
  await answer(page, "Nein");
  await bubble(page, "Nein").getByRole("button", { name: "Delete" }).click();
  await expect(bubble(page, "Nein")).toHaveCount(0);
  expect(await arrived(world, "Nein")).toBe(0);
});

test("an answer whose receipt was lost is not sure, and Check finds it instead of sending it twice", async ({ page, open, world }) => {
  await says(world, "Filiz Demir", "Wann schließt ihr?");
  await open();
  await openConversation(page, "Wann schließt ihr?");
  // Also what would look by itself finds nothing until the owner asks.
  await world.tell("faults", { path: "conversations", before: { error: { code: 2, status: 500, transient: true } } });
  await world.tell("faults", { method: "POST", path: "messages", times: 1, after: "reset" });
  await page.route("**/api/message_check", async (route) => {
    await world.heal();
    await route.continue();
  });
  await answer(page, "Um 18 Uhr");
  await expect(bubble(page, "Um 18 Uhr")).toContainText("Not sure this arrived");
  await expect(rows(page).filter({ hasText: "Filiz Demir" })).toContainText("Not sure");
  await bubble(page, "Um 18 Uhr").getByRole("button", { name: "Check" }).click();
  await expect(bubble(page, "Um 18 Uhr")).toContainText(/Sent|Delivered|Seen/);
  await expect(bubble(page, "Um 18 Uhr")).not.toContainText("Not sure");
  expect(await arrived(world, "Um 18 Uhr")).toBe(1);
});

test("a closed window locks the composer with the reason", async ({ page, open, world }) => {
  await open({ place: JSON.stringify({ view: "all" }) });
  await openConversation(page, "Danke, bis dann");
  await expect(page.locator(".locked")).toContainText("8 days have passed since Gerd Ohm last wrote. Meta lets apps answer again when they write.");
  await expect(field(page)).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Open in Meta’s inbox" })).toBeVisible();

  await openConversation(page, "Noch eine Frage");
  await expect(page.locator(".locked")).toContainText("24 hours have passed since Hana Sato last wrote.");

  // They write again, and the same place is open.
  await says(world, "Hana Sato", "Seid ihr noch da?");
  await expect(field(page)).toBeVisible();
  await expect(page.locator(".composer")).toContainText("Reply window open,");
});

test("a text that is too long says by how much and does not leave", async ({ page, open, world }) => {
  await says(world, "Ida Quast", "Schreib mir alles");
  await open();
  await openConversation(page, "Schreib mir alles");
  await field(page).fill("a".repeat(2001));
  await expect(page.locator(".composer")).toContainText("1 character too long");
  await page.keyboard.press("Control+Enter");
  await expect(field(page)).toHaveValue("a".repeat(2001));
  await field(page).fill("a".repeat(2000));
  await page.keyboard.press("Control+Enter");
  await expect(field(page)).toHaveValue("");
});
