/** Sends what is asked for within one turn of the event loop, or a little longer, together. */

/** Asks for one thing; resolves to its answer. */
export type Ask<Item, Answer> = (item: Item) => Promise<Answer>;

/** An item that waits for its turn to end. */
interface Waiting<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(thrown: unknown): void;
}

/**
 * Makes it of a function that takes many items and answers them in their order. Where that fails,
 * all of them fail. `weigh` tells the weight of an item, of which one call takes at most
 * `maxWeight`, or one item. `later` calls what it is given once the items so far are to go; by
 * default at the end of the turn.
 */
export function createTurnBatch<Item, Answer>(
  send: (items: readonly Item[]) => Promise<readonly Answer[]>,
  weigh: (item: Item) => number,
  maxWeight: number,
  later: (flush: () => void) => void = setImmediate,
): Ask<Item, Answer> {
  let waiting: Waiting<Item, Answer>[] = [];

  function flush(): void {
    const all = waiting;
    waiting = [];
    let begin = 0;
    let weight = 0;
    for (const [at, { item }] of all.entries()) {
      const own = weigh(item);
      if (at > begin && weight + own > maxWeight) {
        void settle(all.slice(begin, at));
        begin = at;
        weight = 0;
      }
      weight += own;
    }
    void settle(begin === 0 ? all : all.slice(begin));
  }

  async function settle(some: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await send(some.map(({ item }) => item));
      if (answers.length !== some.length) throw new Error('an answer is missing');
      // biome-ignore lint/style/noNonNullAssertion: as many answers as items
      for (const [at, { resolve }] of some.entries()) resolve(answers[at]!);
    } catch (thrown) {
      for (const { reject } of some) reject(thrown);
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ item, resolve, reject }) === 1) later(flush);
    });
}
