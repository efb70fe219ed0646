/** Which panes of the inbox are in view, by its own width. The same figures stand in `layout.css`.
 *
 * Invariant: wide shows all three, middle folds the details into a drawer, narrow shows one page at a time. */
import { route } from "@/shared/state/route.svelte";

/** From here on list, thread (≥ 420) and details fit side by side. */
export const WIDE = 956;
/** Below this the list and the thread take turns. */
export const NARROW = 760;

class Panes {
  width = $state(WIDE);
  /** Narrow: the page in view. */
  page = $state<"list" | "thread" | "details">("list");
  /** Middle: the details drawer is open. */
  drawer = $state(false);

  narrow = $derived(this.width < NARROW);
  wide = $derived(this.width >= WIDE);
  detailsShown = $derived(this.narrow ? this.page === "details" : this.wide ? route.details : this.drawer);

  /** Opens or closes the details, whatever they are at this width. */
  toggleDetails(): void {
    if (this.narrow) this.page = this.page === "details" ? "thread" : "details";
    else if (this.wide) route.details = !route.details;
    else this.drawer = !this.drawer;
  }
}

/** The panes. */
export const panes = new Panes();
