// What axe finds on a page and counts as serious or critical, one line each.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

export async function serious(page: Page): Promise<string[]> {
  await page.evaluate(() => document.fonts.ready);
  // In one page: the other way opens a page of its own beside it.
  const found = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return found.violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" | ")}`);
}
