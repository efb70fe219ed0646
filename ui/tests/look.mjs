/* Photographs the interface and asks axe about it.
 *
 *   node tests/look.mjs --base http://127.0.0.1:5173 --out /tmp/look [--only inbox,health] [--sizes 1100x720] [--themes light] [--langs en] [--axe]
 *
 * With `npm run dev:fake` beneath, every scene below. With `--bridge <address with #bridge=…>`, the screens of a real core. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "http://127.0.0.1:5173" },
    bridge: { type: "string" },
    out: { type: "string", default: "/tmp/look" },
    only: { type: "string", default: "" },
    sizes: { type: "string", default: "1280x800,1100x720,800x720" },
    themes: { type: "string", default: "light,dark" },
    langs: { type: "string", default: "en,de,ar" },
    axe: { type: "boolean", default: false },
  },
});

/** Name, address, and what to do before the picture. */
const scenes = [
  ["inbox", "open=504"],
  ["inbox-list", ""],
  ["inbox-importing", "scene=importing"],
  ["inbox-waiting", "scene=waiting"],
  ["inbox-imported", "scene=imported&key"],
  ["inbox-empty", "scene=empty"],
  ["inbox-offline", "scene=offline"],
  ["inbox-signed-out", "scene=signed_out&open=504"],
  ["inbox-sample", "scene=sample"],
  ["inbox-compact", "density=compact&open=504"],
  ["inbox-large", "text=130&open=504"],
  ["welcome", "scene=first"],
  ["preflight", "scene=first", (page) => page.locator(".first__foot .btn").nth(0).click()],
  ["preflight-facebook", "scene=first", (page) => page.locator(".first__foot .btn").nth(1).click()],
  ["waiting", "scene=first&sign_in=waiting"],
  [
    "waiting-wrong",
    "scene=first&sign_in=waiting",
    async (page) => {
      await page.locator(".paste input").fill("sbc1.old.q7Rk2vWm9xTd0LhYb3NcUeZp6AaFsGj");
      await page.locator(".paste button[type=submit]").click();
      await page.locator(".paste__said.is-bad").waitFor();
    },
  ],
  ["choose", "scene=first&sign_in=choosing"],
  ["subscribing", "scene=first&sign_in=subscribing"],
  ["connected", "scene=first&sign_in=done"],
  ["refused", "scene=first&sign_in=refused-page_without_instagram"],
  ["key", "key&scene=imported", openKey],
  [
    "key-check",
    "key&scene=imported",
    async (page) => {
      await openKey(page);
      await page.locator(".first__foot .btn--primary").click();
    },
  ],
  ["locked-waiting", "locked=waiting", (page) => page.locator(".lock__mark").waitFor()],
  ["locked-missing", "locked=keychain_missing"],
  ["locked-passphrase", "locked=passphrase_needed"],
  ["locked-newer", "locked=file_newer"],
  ["locked-recovery", "locked=key_missing", (page) => page.locator(".first__foot .btn").nth(1).click()],
  ["accounts", "go=settings/accounts&scene=signed_out"],
  ["accounts-none", "go=settings/accounts&scene=empty"],
  ["account-details", "go=settings/accounts", (page) => page.locator(".hrow__do .btn--plain").first().click()],
  [
    "disconnect",
    "go=settings/accounts",
    async (page) => {
      await page.locator(".hrow__do .btn--plain").first().click();
      await page.locator(".btn--danger").first().click();
      await page.locator(".way").nth(1).click();
    },
  ],
  ["health", "go=settings/health&scene=signed_out"],
  ["health-waiting", "go=settings/health&relay=waiting&deletion"],
  ["health-stopped", "go=settings/health&relay=stopped"],
  ["inbox-stopped", "relay=stopped&open=504"],
  ["look", "go=settings/look"],
  ["sending", "go=settings/sending"],
  ["keys", "go=settings/keys"],
  ["about", "go=settings/about"],
  ["keys-sheet", "open=504", (page) => page.keyboard.press("?")],
];

async function openKey(page) {
  await page
    .locator(".strip", { has: page.locator(".lucide-key-round") })
    .locator("button")
    .click();
  await page.locator(".keygroups li").first().waitFor();
}

const only = values.only ? values.only.split(",") : null;
const sizes = values.sizes.split(",").map((size) => size.split("x").map(Number));
const axeSource = values.axe ? readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8") : "";
const faults = [];

mkdirSync(values.out, { recursive: true });
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking", "--force-color-profile=srgb"],
});

for (const [width, height] of sizes) {
  for (const theme of values.themes.split(",")) {
    for (const lang of values.langs.split(",")) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme === "dark" ? "dark" : "light",
        locale: { en: "en-GB", de: "de-DE", ar: "ar-EG" }[lang],
        timezoneId: "Europe/Berlin",
      });
      for (const [name, query, act] of values.bridge ? [["bridge", ""]] : scenes) {
        if (only && !only.some((part) => name === part || (part.endsWith("*") && name.startsWith(part.slice(0, -1)))))
          continue;
        const page = await context.newPage();
        page.setDefaultTimeout(8_000);
        const where = `${name}-${width}-${theme}-${lang}`;
        page.on("pageerror", (error) => faults.push(`${where}: ${error.message}`));
        page.on("console", (line) => line.type() === "error" && faults.push(`${where}: ${line.text()}`));
        try {
          await page.goto(values.bridge ?? `${values.base}/?${query}&lang=${lang}`);
          await page.locator(".rail, .first").first().waitFor({ timeout: 15_000 });
          await page.evaluate(() => document.fonts.ready);
          await act?.(page);
          await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))));
          await page.screenshot({ path: join(values.out, `${where}.png`) });
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
          if (wide) faults.push(`${where}: wider than the window`);
          if (values.axe) {
            await page.evaluate(axeSource);
            const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
            for (const one of found.violations) {
              faults.push(
                `${where}: axe ${one.impact} ${one.id}: ${one.nodes
                  .map((node) => node.target.join(" "))
                  .slice(0, 3)
                  .join(" | ")}`,
              );
            }
          }
        } catch (error) {
          faults.push(`${where}: ${error.message.split("\n")[0]}`);
        }
        await page.close();
      }
      await context.close();
    }
  }
}
await browser.close();
for (const fault of faults) console.error(fault);
console.log(`pictures in ${values.out}, ${faults.length} faults`);
process.exit(faults.length > 0 ? 1 : 0);
