/** Tells the stores what to ask again, at most once per frame and never twice for the same thing.
 *
 * Invariant: a `refresh` runs at most once per batch of changes however many changes name it. Contents do not belong here. */
import type { Change } from "@/gen/Change";

export type Interest = (changes: readonly Change[]) => void;

/** `everything` counts for every kind. */
export const touches = (changes: readonly Change[], ...kinds: Change["kind"][]): boolean =>
  changes.some((change) => change.kind === "everything" || kinds.includes(change.kind));

/** Gathers changes until `schedule` runs its callback, then hands each listener the batch without repeats. */
export function gather(schedule: (run: () => void) => void) {
  const listeners = new Set<Interest>();
  let waiting = new Map<string, Change>();
  let scheduled = false;
  const run = () => {
    const batch = [...waiting.values()];
    waiting = new Map();
    scheduled = false;
    for (const listener of listeners) listener(batch);
  };
  return {
    push(changes: readonly Change[]) {
      for (const change of changes) waiting.set(JSON.stringify(change), change);
      if (scheduled || waiting.size === 0) return;
      scheduled = true;
      schedule(run);
    },
    /** Hears every batch until the returned function is called. */
    listen(listener: Interest): () => void {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** A hidden window paints no frames, so a timer stands in for them there. */
const nextFrame = (run: () => void) => {
  if (document.hidden) window.setTimeout(run, 100);
  else window.requestAnimationFrame(run);
};

export const changes = gather(nextFrame);
