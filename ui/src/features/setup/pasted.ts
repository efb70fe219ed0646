/** What the owner pasted as a sign-in code, before it goes to the core. Anything may be in a clipboard.
 *
 * Invariant: nothing longer than a code, and no line break or control character, leaves this file. */

/** A whole `shopbell://` address with its code stays well below. */
const LONGEST = 8192;

export type Pasted = { kind: "empty" } | { kind: "too_long" } | { kind: "code"; text: string };

export function readPasted(raw: string): Pasted {
  if (raw.length > LONGEST) return { kind: "too_long" };
  const text = raw.replace(/[\p{Cc}\p{Cf}\s]+/gu, "");
  return text.length === 0 ? { kind: "empty" } : { kind: "code", text };
}
