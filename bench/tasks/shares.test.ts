import { expect, test } from 'vitest';
import { countShares, interleave, jainIndex } from './shares.ts';

test('BENCH-4: equal shares have the index 1, and one who has everything 1/n', () => {
  expect(jainIndex([7, 7, 7, 7])).toBe(1);
  expect(jainIndex([9, 0, 0])).toBeCloseTo(1 / 3);
  expect(jainIndex([100, 1, 1, 1, 1, 1, 1, 1, 1, 1])).toBeLessThan(0.13);
  expect(jainIndex([0, 0])).toBeNaN();
});

test('BENCH-4: shares are counted until the first owner has no task left that waits', () => {
  const count = countShares(['a', 'a', 'a', 'b', 'b']);
  count.began('a');
  count.began('b');
  count.finished('b');
  count.finished('a');
  expect(count.shares).toEqual([1, 1]);
  count.began('b');
  count.began('a');
  count.finished('a');
  expect(count.shares).toEqual([1, 1]);
});

test('BENCH-4: everybody sends from the beginning to the end', () => {
  const order = interleave(100, 2, 3);
  expect(order).toHaveLength(106);
  expect(new Set(order).size).toBe(4);
  expect(new Set(order.slice(0, 53)).size).toBe(4);
  expect(new Set(order.slice(53)).size).toBe(4);
});
