/** Why a sign-in ended, in one sentence, and the one next step that helps.
 *
 * Invariant: every code of `types/sign_in.rs` has a sentence and a step in every language; a test says so. */
import type { Reason } from "@/gen/Reason";
import type { SignIn } from "@/gen/SignIn";
import { m } from "@/paraglide/messages";
import { providerWords } from "@/shared/accountWords";
import { worded } from "@/shared/reasons";

/** What the button of a refusal does. */
export type NextStep = "again" | "ask_again" | "instagram" | "preflight";

const NEXT: Record<string, NextStep> = {
  state_wrong: "again",
  state_replayed: "again",
  expired: "again",
  code_reused: "again",
  code_wrong_verifier: "again",
  code_other_device: "again",
  denied: "again",
  partial: "ask_again",
  no_page: "ask_again",
  page_without_instagram: "instagram",
  relay_unreachable: "again",
  offline: "again",
  platform_refused: "again",
  cancelled: "again",
  not_a_code: "again",
  not_professional: "preflight",
  scheme_taken: "again",
};

export const refusalCodes: readonly string[] = Object.keys(NEXT);

export const nextStepOf = (code: string): NextStep => NEXT[code] ?? "again";

const inputs = (reason: Reason, signIn: Pick<SignIn, "provider" | "number">) => ({
  ...reason.params,
  name: providerWords(signIn.provider),
  number: signIn.number,
});

/** The sentence, or null when the catalogue has none for this code. */
export const refusalSentence = (reason: Reason, signIn: Pick<SignIn, "provider" | "number">): string | null =>
  worded(`refusal_${reason.code}`, inputs(reason, signIn));

export const refusalOrOther = (reason: Reason | null, signIn: Pick<SignIn, "provider" | "number">): string =>
  (reason && refusalSentence(reason, signIn)) ?? m.refusal_other();

/** The words on the button. */
export const nextStepWords = (reason: Reason | null, signIn: Pick<SignIn, "provider" | "number">): string =>
  (reason && worded(`refusal_next_${reason.code}`, inputs(reason, signIn))) ?? m.refusal_next_other();
