/** How fairly work is shared. */

/**
 * Jain's index of shares: 1 where all are equal, 1/n where one has everything (Jain, Chiu and Hawe,
 * "A quantitative measure of fairness", DEC-TR-301, 1984). NaN where nobody has anything.
 */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}

/** Counts who is served while everybody waits. */
export interface ShareCount {
  began(owner: string): void;
  finished(owner: string): void;
  /** Finished ones of each owner, until the first of them had no task left that waited. */
  readonly shares: readonly number[];
}

/** Counts tasks of these owners, one task for each time that the owner is in the list. */
export function countShares(owners: readonly string[]): ShareCount {
  const waiting = new Map<string, number>();
  for (const owner of owners) waiting.set(owner, (waiting.get(owner) ?? 0) + 1);
  const finished = new Map<string, number>([...waiting.keys()].map((owner) => [owner, 0]));
  let isOver = false;
  return {
    began(owner) {
      const left = (waiting.get(owner) ?? 0) - 1;
      waiting.set(owner, left);
      isOver ||= left === 0;
    },
    finished(owner) {
      if (!isOver) finished.set(owner, (finished.get(owner) ?? 0) + 1);
    },
    get shares() {
      return [...finished.values()];
    },
  };
}

/** An order of arrival in which everybody sends at a steady rate, from the beginning to the end. */
export function interleave(many: number, few: number, others: number): string[] {
  const arrivals: { readonly owner: string; readonly at: number }[] = [];
  const send = (owner: string, count: number, offset: number) => {
    for (let sent = 0; sent < count; sent += 1) {
      arrivals.push({ owner, at: (sent + offset) / count });
    }
  };
  send('many', many, 0);
  for (let other = 1; other <= others; other += 1) send(`few-${other}`, few, other / (others + 1));
  return arrivals.sort((a, b) => a.at - b.at).map(({ owner }) => owner);
}
