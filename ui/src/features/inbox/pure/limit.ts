/** How long a text is in the platform's own unit, and what to show beside the Send button. */
import type { TextLimit } from "@/gen/TextLimit";

const encoder = new TextEncoder();

/** Length in the platform's unit: UTF-8 bytes, or characters (code points). */
export function textLength(text: string, unit: string): number {
  if (unit === "bytes") return encoder.encode(text).length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** What the counter says. `near` from 80 % on, `over` when the platform would refuse it. */
export interface Counter {
  used: number;
  max: number;
  over: number;
  state: "calm" | "near" | "over";
}

/** Counts what would be sent: without the blank end. */
export function counter(text: string, limit: TextLimit): Counter {
  const used = textLength(text.trimEnd(), limit.unit);
  const over = Math.max(0, used - limit.max);
  const state = over > 0 ? "over" : used >= limit.max * 0.8 ? "near" : "calm";
  return { used, max: limit.max, over, state };
}
