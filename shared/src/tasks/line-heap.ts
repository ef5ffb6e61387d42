/** A heap whose items know their places, so that any of them can be taken out. */

/** What a heap holds. It is in one heap at a time. */
export interface HeapItem {
  /** Where it is in its heap; -1 while it is in none. Only the heap sets it. */
  place: number;
}

/** A heap. Every change costs a logarithm of its size. */
export interface LineHeap<Item extends HeapItem> {
  readonly size: number;
  push(item: Item): void;
  peek(): Item | undefined;
  pop(): Item | undefined;
  /** It MUST be in this heap. */
  remove(item: Item): void;
  /** How many fulfil it, of a test that with an item also fulfils whatever comes before that. */
  countWhile(test: (item: Item) => boolean): number;
}

/** Makes an empty heap. `precedes` tells whether the first comes before the second. */
export function createLineHeap<Item extends HeapItem>(
  precedes: (one: Item, other: Item) => boolean,
): LineHeap<Item> {
  const items: Item[] = [];

  function put(item: Item, place: number): void {
    items[place] = item;
    item.place = place;
  }

  function rise(item: Item, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !precedes(item, parent)) break;
      put(parent, place);
      place = above;
    }
    put(item, place);
  }

  function sink(item: Item, from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      const one = items[left];
      if (one === undefined) break;
      const other = items[left + 1];
      const isRight = other !== undefined && precedes(other, one);
      const child = isRight ? other : one;
      if (!precedes(child, item)) break;
      put(child, place);
      place = isRight ? left + 1 : left;
    }
    put(item, place);
  }

  function remove(item: Item): void {
    const { place } = item;
    if (items[place] !== item) throw new Error('the item is not in this heap');
    item.place = -1;
    const last = items.pop();
    if (last === undefined || last === item) return;
    const parent = items[(place - 1) >> 1];
    if (place > 0 && parent !== undefined && precedes(last, parent)) rise(last, place);
    else sink(last, place);
  }

  function countFrom(place: number, test: (item: Item) => boolean): number {
    const item = items[place];
    if (item === undefined || !test(item)) return 0;
    return 1 + countFrom(2 * place + 1, test) + countFrom(2 * place + 2, test);
  }

  return {
    get size() {
      return items.length;
    },
    push(item) {
      rise(item, items.length);
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      if (first !== undefined) remove(first);
      return first;
    },
    remove,
    countWhile: (test) => countFrom(0, test),
  };
}
