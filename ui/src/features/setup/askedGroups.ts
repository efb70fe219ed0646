/** Which two groups of the recovery key the owner is asked for: different ones, in reading order. */
export function askedGroups(count: number, random: Uint32Array): number[] {
  if (count < 2) return count === 1 ? [0] : [];
  const first = (random[0] ?? 0) % count;
  const second = (first + 1 + ((random[1] ?? 0) % (count - 1))) % count;
  return [first, second].sort((a, b) => a - b);
}
