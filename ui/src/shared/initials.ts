/** Initials and tone for people without a picture. Two letters in Latin, Cyrillic and Greek, one elsewhere, `#` for unknown people. */

const TWO_LETTERS = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u;
const LETTER = /^[\p{L}\p{N}]/u;

export function initials(name: string | null): string {
  const words = (name ?? "").split(/\s+/u).filter((word) => LETTER.test(word));
  const first = words[0];
  if (!first) return "#";
  const letter = (word: string) => [...word][0]?.toLocaleUpperCase() ?? "";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return last && TWO_LETTERS.test(first) && TWO_LETTERS.test(last) ? letter(first) + letter(last) : letter(first);
}

/** One of six background tones; the same person always gets the same. */
export const toneOf = (seed: number): number => Math.abs(Math.trunc(seed)) % 6;
