/** The fake sign-in: `?sign_in=` chooses where it stands, the paste field moves it on. */
import type { Provider } from "@/gen/Provider";
import type { SignIn } from "@/gen/SignIn";
import { MIN, now } from "./time";

export function signInAt(step: string, provider: Provider = "instagram"): SignIn {
  const base: SignIn = {
    id: 71,
    provider,
    step: "waiting",
    number: "47",
    authorize_url: "https://relay.kornblume.example/oauth/authorize?state=q7Rk2vWm9xTd0Lh",
    started_at_ms: now() - MIN,
    expires_at_ms: now() + 9 * MIN,
    way_back: "scheme",
    granted: [],
    declined: [],
    losses: [],
    found: [],
    refusal: null,
  };
  if (step === "waiting") return base;
  if (step === "exchanging") return { ...base, step: "exchanging" };
  if (step.startsWith("refused-"))
    return { ...base, step: "refused", refusal: { code: step.slice(8), params: { holder: "Shopbell Beta" } } };
  const chosen: SignIn = {
    ...base,
    step: "choosing",
    provider: "facebook",
    granted: [
      "pages_show_list",
      "pages_messaging",
      "pages_manage_metadata",
      "instagram_basic",
      "instagram_manage_messages",
    ],
    declined: ["pages_read_engagement", "instagram_manage_comments"],
    losses: [{ code: "no_comments", params: {} }],
    found: [
      {
        channel: "messenger",
        platform_id: "102030400000012",
        name: "Bäckerei Kornblume",
        username: null,
        picture: "t-shop",
        via_page: null,
        known: true,
        obstacle: null,
        subscription: null,
      },
      {
        channel: "instagram",
        platform_id: "17841400000000011",
        name: "Kornblume Brot",
        username: "kornblume.brot",
        picture: null,
        via_page: "102030400000012",
        known: false,
        obstacle: null,
        subscription: null,
      },
      {
        channel: "messenger",
        platform_id: "102030400000013",
        name: "Kornblume Catering & Veranstaltungsservice Südbaden",
        username: null,
        picture: null,
        via_page: null,
        known: false,
        obstacle: { code: "messaging_task_missing", params: {} },
        subscription: null,
      },
    ],
  };
  if (step === "choosing") return chosen;
  const ok = { code: "ok", params: {} };
  const found = chosen.found.slice(0, 2).map((one, at) => ({
    ...one,
    subscription: step === "done" ? (at === 0 ? ok : { code: "subscribe_failed", params: {} }) : null,
  }));
  return { ...chosen, step: step === "done" ? "done" : "subscribing", found };
}
