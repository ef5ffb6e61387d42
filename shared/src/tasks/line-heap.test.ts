import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineHeap, type HeapItem } from './line-heap.ts';

interface Item extends HeapItem {
  readonly value: number;
}

const anItem = (value: number): Item => ({ value, place: -1 });

describe('a heap of the line', () => {
  it('QUEUE-4: whatever comes and goes, the first is the lowest, and none is lost or doubled', () => {
    const action = fc.oneof(
      fc.record({ type: fc.constant('push' as const), value: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ type: fc.constant('pop' as const), value: fc.nat() }),
      fc.record({ type: fc.constant('remove' as const), value: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => {
        const heap = createLineHeap<Item>((one, other) => one.value < other.value);
        const items: Item[] = [];
        const forget = (item: Item) => {
          items.splice(items.indexOf(item), 1);
          expect(item.place).toBe(-1);
        };
        for (const { type, value } of actions) {
          if (type === 'push') {
            const item = anItem(value);
            items.push(item);
            heap.push(item);
          } else if (type === 'pop') {
            const lowest = Math.min(...items.map((item) => item.value));
            const item = heap.pop();
            expect(item?.value).toBe(items.length === 0 ? undefined : lowest);
            if (item !== undefined) forget(item);
          } else {
            const item = items[value % Math.max(1, items.length)];
            if (item === undefined) continue;
            heap.remove(item);
            forget(item);
          }
          expect(heap.size).toBe(items.length);
          expect(heap.countWhile((item) => item.value <= 10)).toBe(
            items.filter((item) => item.value <= 10).length,
          );
        }
      }),
      { numRuns: 200, seed: 20_300_101 },
    );
  });

  it('QUEUE-4: a change costs a logarithm of its size', () => {
    let comparisons = 0;
    const heap = createLineHeap<Item>((one, other) => {
      comparisons += 1;
      return one.value < other.value;
    });
    const items = Array.from({ length: 1 << 12 }, (_, at) => anItem((at * 7_919) % (1 << 12)));
    const most = 2 * 12 + 2;
    const cost = (work: () => void) => {
      comparisons = 0;
      work();
      return comparisons;
    };
    for (const item of items) expect(cost(() => heap.push(item))).toBeLessThanOrEqual(most);
    for (const [at, item] of items.entries()) {
      if (at % 3 === 0) expect(cost(() => heap.remove(item))).toBeLessThanOrEqual(most);
    }
    while (heap.size > 0) expect(cost(() => heap.pop())).toBeLessThanOrEqual(most);
  });

  it('QUEUE-4: what is not in it cannot be taken out of it', () => {
    const heap = createLineHeap<Item>((one, other) => one.value < other.value);
    heap.push(anItem(1));
    expect(() => heap.remove(anItem(1))).toThrow();
    const other = createLineHeap<Item>((one, two) => one.value < two.value);
    const item = anItem(1);
    other.push(item);
    expect(() => heap.remove(item)).toThrow();
    expect(heap.size).toBe(1);
  });
});
