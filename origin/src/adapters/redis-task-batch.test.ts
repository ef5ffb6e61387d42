import { expect, it } from 'vitest';
import { createTurnBatch } from './redis-task-batch.ts';

function createSender() {
  const calls: (readonly number[])[] = [];
  const ask = createTurnBatch<number, number>(
    async (items) => {
      calls.push(items);
      if (items.includes(0)) throw new Error('refused');
      return items.map((item) => item * 2);
    },
    (item) => item,
    10,
  );
  return { calls, ask };
}

it('QUEUE-27: what is asked for in one turn goes together, and each gets its own answer', async () => {
  const { calls, ask } = createSender();
  expect(await Promise.all([ask(1), ask(2), ask(3)])).toEqual([2, 4, 6]);
  expect(await ask(4)).toBe(8);
  expect(calls).toEqual([[1, 2, 3], [4]]);
});

it('QUEUE-27: what is to go later gathers until then', async () => {
  const calls: (readonly number[])[] = [];
  const flushes: (() => void)[] = [];
  const ask = createTurnBatch<number, number>(
    async (items) => {
      calls.push(items);
      return items;
    },
    () => 1,
    10,
    (flush) => flushes.push(flush),
  );
  const first = ask(1);
  await new Promise(setImmediate);
  const second = ask(2);
  expect([calls, flushes.length]).toEqual([[], 1]);
  flushes[0]?.();
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  expect(calls).toEqual([[1, 2]]);
});

it('QUEUE-27: one call takes no more than its weight, or one item that is heavier', async () => {
  const { calls, ask } = createSender();
  await Promise.all([ask(6), ask(4), ask(1), ask(30), ask(2)]);
  expect(calls).toEqual([[6, 4], [1], [30], [2]]);
});

it('QUEUE-27: a call that fails fails for those who are in it, and for nobody else', async () => {
  const { ask } = createSender();
  const answers = await Promise.allSettled([ask(0), ask(10), ask(1)]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});
