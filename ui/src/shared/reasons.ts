/** Codes of the core become sentences here. The catalogue has one message per code: `reason_*`, `refusal_*`, `vault_*`, `error_*`.
 *
 * Invariant: an unknown code never shows as a code alone; whoever asks gets a plain sentence or null. */
import type { ApiError } from "@/backend";
import type { Reason } from "@/gen/Reason";
import { m } from "@/paraglide/messages";
import { permissionWords } from "./permissions";

type Message = (inputs: Record<string, unknown>) => string;
const catalogue = m as unknown as Record<string, Message | undefined>;

/** A parameter that did not come is left out instead of reading "undefined". */
const forgiving = (params: Record<string, unknown>): Record<string, unknown> =>
  new Proxy(params, { get: (target, name) => target[String(name)] ?? "" });

/** The message `name`, or null when there is none. */
export function worded(name: string, params: Record<string, unknown> = {}): string | null {
  return catalogue[name]?.(forgiving(params)) ?? null;
}

/** One sentence for a reason, or null when the catalogue does not know its code. */
export function reasonText(reason: Reason | null | undefined, more: Record<string, unknown> = {}): string | null {
  if (!reason) return null;
  const { permission } = reason.params;
  const named = permission === undefined ? {} : { permission: permissionWords(permission.split(",")).join(", ") };
  return worded(`reason_${reason.code}`, { ...reason.params, ...named, ...more });
}

/** One sentence for a failed use case. Sign-in and vault codes are also understood. */
export function errorText(error: ApiError): string {
  return (
    worded(`error_${error.code}`) ??
    worded(`refusal_${error.code}`) ??
    worded(`reason_${error.code}`) ??
    m.error_internal()
  );
}
