/** Several lists of the same things, each by its own measure → one. */

/** Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion" (SIGIR 2009), where 60 did best. */
const RANK_OFFSET = 60;

/** A thing, and where it was. */
export interface Fused<Item> {
  readonly item: Item;
  readonly score: number;
  /** 1-based place in each list, in the order of the lists. */
  readonly ranks: readonly (number | undefined)[];
}

/** Best first: the sum of 1 / (60 + place) over the lists; what is equal, as it came. */
export function fuseByRank<Item>(
  lists: readonly (readonly Item[])[],
  keyOf: (item: Item) => string,
): Fused<Item>[] {
  const fused = new Map<string, { item: Item; score: number; ranks: (number | undefined)[] }>();
  for (const [number, list] of lists.entries()) {
    for (const [place, item] of list.entries()) {
      const key = keyOf(item);
      let entry = fused.get(key);
      if (entry === undefined) {
        entry = { item, score: 0, ranks: lists.map(() => undefined) };
        fused.set(key, entry);
      }
      // A list that has it twice counts it once, at its better place.
      if (entry.ranks[number] !== undefined) continue;
      entry.ranks[number] = place + 1;
      entry.score += 1 / (RANK_OFFSET + place + 1);
    }
  }
  return [...fused.values()].sort((one, other) => other.score - one.score);
}
