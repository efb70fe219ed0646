/** Keeps a store from asking the core more often than an eye can follow, however fast changes come.
 *
 * Invariant: never two asks at once; what came during an ask or its rest leads to exactly one more, so the last state is always seen. */

/** Wraps `ask` (which must not reject). `restMs` is the shortest time between the end of one ask and the next. */
export function refresher(ask: () => Promise<void>, restMs: number): () => Promise<void> {
  let busy = false;
  let again = false;
  const refresh = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    await ask();
    setTimeout(() => {
      busy = false;
      if (!again) return;
      again = false;
      void refresh();
    }, restMs);
  };
  return refresh;
}
