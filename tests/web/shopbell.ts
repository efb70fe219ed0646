// What every test stands on: a world per file, the interface opened at its start, and a watch over every page.
//
// Each file names its world (`test.use({ shop: "…" })`): another name is another worker, so files share nothing.
import { test as base, type Page } from "@playwright/test";
import type { Settings } from "../../ui/src/gen/Settings";
import { startWorld, type World } from "./world.ts";

/** As a new profile has it, except that nobody waits for a held-back answer. */
const start: Settings = { theme: "light", density: "comfortable", text_percent: 100, language: "en", hold_back_s: 0, keep_media: false, place: "{}" };

interface Given {
  /** Opens the interface at its start, with these settings. */
  open(settings?: Partial<Settings>): Promise<void>;
  /** What the interface opens beside itself: closed at once, or left to the test. */
  popups: "close" | "keep";
  watch: void;
}

interface Shared {
  /** The name of the file's world. */
  shop: string;
  /** How much the sandbox holds. */
  size: "empty" | "small";
  world: World;
}

export const test = base.extend<Given, Shared>({
  shop: ["", { scope: "worker", option: true }],
  size: ["small", { scope: "worker", option: true }],
  world: [
    async ({ size, shop: _ }, use) => {
      const world = await startWorld(size);
      await use(world);
      world.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  popups: ["close", { option: true }],
  watch: [
    async ({ page, popups, world }, use) => {
      const wrong: string[] = [];
      watched(page, world, wrong);
      if (popups === "close") page.context().on("page", (other) => void other.close());
      await use();
      base.expect(wrong).toEqual([]);
    },
    { auto: true },
  ],
  open: async ({ page, world }, use) => {
    await use(async (settings = {}) => {
      await world.call("settings_set", { ...start, ...settings });
      await page.goto(`${world.bridge}/#bridge=${world.token}`);
      // Keys work once a screen is there.
      await page.locator(".app, .first__in").first().waitFor();
    });
  },
});

/** Notes every request to another origin, everything the content policy stopped and every error nobody caught. */
function watched(page: Page, world: World, wrong: string[]) {
  const ours = (address: string) => /^(blob|data):/.test(address) || new URL(address).host === new URL(world.bridge).host;
  page.on("request", (request) => {
    if (!ours(request.url())) wrong.push(`asked ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (!ours(socket.url())) wrong.push(`asked ${socket.url()}`);
  });
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
}

export { expect } from "@playwright/test";
