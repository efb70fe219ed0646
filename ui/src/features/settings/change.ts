/** Changes a setting and says so if it did not take. */
import type { SettingsPatch } from "@/gen/SettingsPatch";
import { setSettings } from "@/shared/state/app.svelte";
import { toastError } from "@/shared/toasts.svelte";

export async function change(patch: Partial<SettingsPatch>): Promise<void> {
  try {
    await setSettings(patch);
  } catch (error) {
    toastError(error);
  }
}
