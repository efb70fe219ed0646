/** Puts the owner's choices and the engine's needs on `<html>`, where tokens.css reads them. */
import type { Settings } from "@/gen/Settings";

/** WebKitGTK blends text without contrast correction, so it gets its own weights. */
export function engineOf(agent: string): "webkitgtk" | null {
  return /AppleWebKit/.test(agent) && /Linux|X11/.test(agent) && !/Chrom(e|ium)|Android/.test(agent)
    ? "webkitgtk"
    : null;
}

export function applyEngine(root: HTMLElement, agent: string) {
  const engine = engineOf(agent);
  if (engine) root.dataset.engine = engine;
}

export function applyAppearance(root: HTMLElement, settings: Pick<Settings, "theme" | "density" | "text_percent">) {
  if (settings.theme === "light" || settings.theme === "dark") root.dataset.theme = settings.theme;
  else delete root.dataset.theme;
  if (settings.density === "compact") root.dataset.density = "compact";
  else delete root.dataset.density;
  const percent = Math.min(130, Math.max(90, settings.text_percent));
  root.style.setProperty("--text-scale", String(percent / 100));
}
