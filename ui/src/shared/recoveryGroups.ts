/** A recovery key as people type it: any case, groups apart by spaces, dashes, dots or new lines, at most a page of it. */

const LONGEST = 1000;

export const groupsOf = (typed: string): string[] =>
  typed
    .slice(0, LONGEST)
    .normalize("NFKC")
    .toUpperCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((group) => group.length > 0);
