/** Another profile, another shop: nothing of the old one stays in memory. Ids mean other people there. */
import type { ProfileKind } from "@/gen/ProfileKind";
import { route } from "@/shared/state/route.svelte";
import { search } from "../search/search.svelte";
import { list } from "./list.svelte";
import { forgetThreads } from "./threads.svelte";
import { forgetUndo } from "./undo";

let shown: ProfileKind | null = null;

/** Says which profile is open. A change forgets lists, threads, search and what could be undone. */
export function followProfile(profile: ProfileKind): void {
  const other = shown !== null && shown !== profile;
  shown = profile;
  if (!other) return;
  route.conversationId = null;
  forgetThreads();
  forgetUndo();
  search.end();
  list.forget();
}
