/** The reply window as the owner sees it: the ring around a face, the time left in a row, the line above the composer.
 *
 * The core says where the window stood when it was asked; time passes here, so the state is reckoned again from its two ends. */
import type { WindowView } from "@/gen/WindowView";

/** How long the platforms leave a window open after the customer wrote (24 h). */
export const OPEN_MS = 24 * 3_600_000;
/** From here on the time left is shown and orange (3 h). */
export const SOON_MS = 3 * 3_600_000;
/** From here on it is red (1 h). */
export const URGENT_MS = 3_600_000;

/** Where the window stands. `closed` includes `locked for another reason`; see [`WindowView.lock`] for that. */
export type WindowNow =
  | { kind: "open"; leftMs: number; tone: "calm" | "soon" | "urgent"; share: number; until: number }
  | { kind: "human"; leftMs: number; until: number }
  | { kind: "closed" }
  | { kind: "unlimited" }
  | { kind: "never" };

/** The state at `now`. */
export function windowNow(view: WindowView, now: number): WindowNow {
  if (view.state === "unlimited") return { kind: "unlimited" };
  if (view.state === "never") return { kind: "never" };
  if (view.open_until_ms !== null && view.open_until_ms > now) {
    const leftMs = view.open_until_ms - now;
    const tone = leftMs <= URGENT_MS ? "urgent" : leftMs <= SOON_MS ? "soon" : "calm";
    return { kind: "open", leftMs, tone, share: Math.min(1, leftMs / OPEN_MS), until: view.open_until_ms };
  }
  if (view.human_until_ms !== null && view.human_until_ms > now) {
    return { kind: "human", leftMs: view.human_until_ms - now, until: view.human_until_ms };
  }
  return { kind: "closed" };
}

/** A span as people say it. Rounded down, so that nobody is promised more than there is. */
export type Span =
  | { unit: "minutes"; minutes: number }
  | { unit: "hours"; hours: number; minutes: number }
  | { unit: "days"; days: number };

/** Minutes under an hour, hours and minutes under two days, then days. */
export function span(ms: number): Span {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return { unit: "minutes", minutes };
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return { unit: "hours", hours, minutes: minutes % 60 };
  return { unit: "days", days: Math.floor(hours / 24) };
}

/** When the customer last wrote, as far as the window tells: its end minus 24 h. */
export function lastWrote(view: WindowView): number | null {
  return view.open_until_ms === null ? null : view.open_until_ms - OPEN_MS;
}
