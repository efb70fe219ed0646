/** Meta's permission names in the owner's words. Several names mean the same thing on different roads.
 * Names: https://developers.facebook.com/docs/permissions (Facebook Login) and the `instagram_business_*` set (Instagram Login). */
import { m } from "@/paraglide/messages";

const WORDS: [RegExp, () => string][] = [
  [/human_agent/, m.perm_human_agent],
  [/^pages_messaging/, m.perm_messages_messenger],
  [/manage_messages$/, m.perm_messages_instagram],
  [/^pages_show_list$/, m.perm_pages],
  [/^pages_manage_metadata$/, m.perm_notify],
  [/^pages_read_engagement$|^pages_read_user_content$/, m.perm_engagement],
  [/comments$|^pages_manage_engagement$/, m.perm_comments],
  [/insights$/, m.perm_insights],
  [/content_publish$|^pages_manage_posts$/, m.perm_publish],
  [/^business_management$/, m.perm_business],
  [/basic$|^public_profile$|^email$/, m.perm_profile],
];

/** Each permission once, in words; an unknown one keeps Meta's name. */
export function permissionWords(names: readonly string[]): string[] {
  const words = names.map((name) => WORDS.find(([pattern]) => pattern.test(name))?.[1]() ?? name);
  return [...new Set(words)];
}
