// What axe finds on a page and counts as serious or critical, one line each.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** Every theme with both directions. */
export const looks = ["light", "dark"].flatMap((theme) => ["en", "ar"].map((language) => ({ theme, language })));

export async function serious(page: Page): Promise<string[]> {
  await page.evaluate(() => document.fonts.ready);
  // In one page: the other way opens a page of its own beside it.
  const found = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return found.violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" | ")}`);
}

const widths = [1280, 1100, 800];

/** Nothing serious at any width, and one main part. */
export async function clean(page: Page, where: string) {
  const found: string[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    await expect(page.getByRole("main")).toHaveCount(1);
    found.push(...(await serious(page)).map((one) => `${where}, ${width}: ${one}`));
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(found).toEqual([]);
}
