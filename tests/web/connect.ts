// Ways to a connected shop: through the pages as a person, or past them when a test is about something else.
import { expect, type Page } from "@playwright/test";
import { signInElsewhere, type World } from "./world.ts";

/** Everything through the core's boundary; ends when the first sync is complete. */
export async function connected(world: World, provider: "facebook" | "instagram" = "facebook") {
  const started = await world.call("sign_in_start", { provider, way_back: "scheme" });
  const back = signInElsewhere(started.authorize_url);
  const signIn = await world.call("sign_in_finish", { pasted: back });
  expect(signIn.step, JSON.stringify(signIn.refusal)).toBe("choosing");
  const platform_ids = signIn.found.filter((one: any) => !one.obstacle).map((one: any) => one.platform_id);
  await world.call("sign_in_choose", { id: signIn.id, platform_ids });
  await synced(world);
}

/** Waits for the changes of the core until every account's first sync is complete. */
export async function synced(world: World) {
  const socket = new WebSocket(`${world.bridge.replace("http", "ws")}/changes`, [`shopbell.${world.token}`]);
  await new Promise<void>((resolve, reject) => {
    const look = async () => {
      const accounts = await world.call("sync_status");
      if (accounts.length > 0 && accounts.every((one: any) => one.imported_at_ms)) resolve();
    };
    socket.onopen = () => look().catch(reject);
    socket.onmessage = () => look().catch(reject);
    socket.onerror = () => reject(new Error("the bridge closed"));
  });
  socket.close();
}

/** Opens the conversation whose row shows these words. */
export async function openConversation(page: Page, words: string) {
  await page.getByRole("option").filter({ hasText: words }).first().click();
  await expect(page.locator(".msg").first()).toBeVisible();
}
