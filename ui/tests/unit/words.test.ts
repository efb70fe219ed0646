import { afterEach, describe, expect, it } from "vitest";
import { ApiError } from "@/backend/errors";
import { nextStepWords, refusalCodes, refusalSentence } from "@/features/setup/refusals";
import { speak } from "@/shared/locale.svelte";
import { permissionWords } from "@/shared/permissions";
import { errorText, reasonText, worded } from "@/shared/reasons";
import accountsContract from "../../../crates/core/src/api/types/accounts.rs?raw";
import appContract from "../../../crates/core/src/api/types/app.rs?raw";
import signInContract from "../../../crates/core/src/api/types/sign_in.rs?raw";
import syncContract from "../../../crates/core/src/api/types/sync.rs?raw";

/** The codes that a doc comment of the contract lists in backquotes between two marks. */
function codesIn(text: string, from: string, to: string): string[] {
  const part = text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from)));
  return [...part.matchAll(/`([a-z_]+)`/g)].map((found) => found[1] ?? "");
}
const signIn = { provider: "instagram", number: "47" } as const;
const locales = ["en", "de", "ar"] as const;

afterEach(() => speak("en"));

describe("sign-in refusals", () => {
  const codes = codesIn(signInContract, "for `refused`. Codes:", "pub refusal").filter((code) => code !== "refused");

  it("are those of the contract", () => {
    expect(codes.length).toBeGreaterThanOrEqual(15);
    expect(codes.filter((code) => !refusalCodes.includes(code))).toEqual([]);
  });

  it.each(locales)("have one sentence and one next step in %s", (locale) => {
    speak(locale);
    const seen = new Set<string>();
    for (const code of refusalCodes) {
      const reason = { code, params: {} };
      const sentence = refusalSentence(reason, signIn);
      expect(sentence, code).toBeTruthy();
      expect(sentence, code).not.toMatch(/undefined|\{/);
      expect(nextStepWords(reason, signIn), code).toBeTruthy();
      seen.add(sentence ?? "");
    }
    expect(seen.size).toBe(refusalCodes.length);
  });

  it("name the platform in question", () => {
    expect(refusalSentence({ code: "denied", params: {} }, signIn)).toContain("Instagram");
    expect(refusalSentence({ code: "denied", params: {} }, { ...signIn, provider: "facebook" })).toContain("Facebook");
  });
});

describe("vault reasons", () => {
  const codes = [
    ...codesIn(appContract, "Not open; the reason tells", "Locked {").filter(
      (code) => !["pid", "found", "known"].includes(code),
    ),
    ...["file_missing", "file_older", "file_trouble", "vault_exists", "vault_damaged", "vault_newer", "vault_trouble"],
  ];

  it.each(locales)("have a title and a sentence in %s", (locale) => {
    speak(locale);
    expect(codes).toContain("keychain_slow");
    for (const code of codes) {
      expect(worded(`vault_${code}_title`), code).toBeTruthy();
      expect(worded(`vault_${code}`, { pid: "1", found: "9", known: "8" }), code).toBeTruthy();
    }
  });
});

/** What the core builds besides what its types name (crates/core/src: accounts, platform/error.rs, sync, relay_client). */
const coreCodes = [
  ...["token_ends", "token_short", "token_missing", "role_lost", "signed_out", "data_access_ends", "not_extended"],
  ...[
    "not_found",
    "paused",
    "disconnected",
    "keychain_locked",
    "internal",
    "no_live_events",
    "no_page_list",
    "no_account_data",
  ],
  ...[
    "no_publishing",
    "not_meta",
    "app_removed",
    "checkpoint",
    "user_unconfirmed",
    "consent_blocked",
    "app_in_development",
  ],
  ...[
    "link_or_two_factor",
    "sending_restricted",
    "page_not_linked",
    "blocked",
    "not_eligible",
    "blocked_for_policy",
    "refused",
  ],
  ...["no_answer", "not_subscribed", "platform_trouble"],
];

describe("account, sync and found-account codes", () => {
  const wanted = [
    ...codesIn(accountsContract, "Why, in a code (", "pub reason"),
    ...codesIn(syncContract, "No progress for 60 s", "pub awaiting"),
    ...codesIn(signInContract, "cannot be chosen, and why", "pub obstacle"),
    ...codesIn(signInContract, "because of a declined permission", "pub losses"),
    ...coreCodes,
  ];

  it.each(locales)("have a sentence in %s", (locale) => {
    speak(locale);
    expect(wanted.length).toBeGreaterThan(10);
    for (const code of wanted)
      expect(reasonText({ code, params: { permission: "pages_messaging" } }), code).toBeTruthy();
  });
});

describe("errors", () => {
  it("turn into their own sentence, a foreign code into one that hides it", () => {
    const text = (code: string) => errorText(new ApiError({ code, message: "English for the log" }));
    expect(text("needs_reconnect")).toContain("signed out");
    expect(text("something_new")).toBe("Something failed inside. Nothing was lost.");
    expect(text("something_new")).not.toContain("something_new");
  });

  it("leave out a parameter that did not come", () => {
    expect(worded("vault_profile_in_use")).not.toContain("undefined");
  });
});

describe("permissions", () => {
  it("mean the same on both roads and are said once", () => {
    expect(permissionWords(["instagram_manage_messages", "instagram_business_manage_messages"])).toHaveLength(1);
    expect(permissionWords(["instagram_business_basic"])).toEqual(["Name and picture of your account"]);
    expect(permissionWords(["brand_new_permission"])).toEqual(["brand_new_permission"]);
  });
});
