/** What a task store does not keep: what came before, and what is too much. */

import { describe, expect } from 'vitest';
import { TASK_TIME_MS as AT_MS, aSubmission, aTask, takeStep } from '../task-fixtures.ts';
import {
  aBatch,
  anIdempotency,
  countOf,
  idsOf,
  NODE,
  ownersOf,
  type StoreTest,
  several,
  startOne,
} from './store-test.ts';

/** Declares them. */
export function testRefusals(test: StoreTest): void {
  describe('idempotency', () => {
    test('QUEUE-2: the same request with the same key is told of the first', async (store) => {
      const first = aSubmission([aTask('t1')], anIdempotency('t1'));
      expect(await store.submit(first)).toEqual({ type: 'kept' });
      const again = aSubmission([aTask('t2')], anIdempotency('t2'));
      for (let time = 0; time < 2; time += 1) {
        expect(await store.submit(again)).toEqual({ type: 'again', answerId: 't1' });
      }
      expect(await store.get('t2')).toBeUndefined();
      await takeStep(store, await startOne(store), { type: 'succeed', result: 1 });
      expect(await store.submit(again)).toEqual({ type: 'again', answerId: 't1' });
      expect(await store.claim('ocr', NODE, 10, AT_MS)).toEqual([]);
    });

    test('QUEUE-2: another request with the same key is refused, and nothing is kept', async (store) => {
      await store.submit(aSubmission([aTask('t1')], anIdempotency('t1')));
      const batch = aBatch('b2', [{ taskId: 't2' }]);
      const other = { batch, ...anIdempotency('b2', 'k1', 'f2') };
      expect(await store.submit(aSubmission([aTask('t2')], other))).toEqual({ type: 'mismatch' });
      expect(await store.get('t2')).toBeUndefined();
      expect(await store.getBatch('b2')).toBeUndefined();
      expect(idsOf(await store.claim('ocr', NODE, 10, AT_MS))).toEqual(['t1']);
    });

    test('QUEUE-2: a key is one owner’s', async (store) => {
      await store.submit(aSubmission([aTask('t1')], anIdempotency('t1')));
      const bobs = anIdempotency('t2', 'k1', 'f2', 'bob');
      const task = aTask('t2', { owner: 'bob' });
      expect(await store.submit(aSubmission([task], bobs))).toEqual({ type: 'kept' });
    });

    test('QUEUE-2: of 50 equal requests at once one is kept, and all are told of it', async (store, {
      other,
    }) => {
      const second = (await other?.()) ?? store;
      const ids = Array.from({ length: 50 }, (_, at) => `t${at}`);
      const outcomes = await Promise.all(
        ids.map(async (id, at) =>
          (at % 2 === 0 ? store : second).submit(aSubmission([aTask(id)], anIdempotency(id))),
        ),
      );
      const kept = outcomes.flatMap((outcome, at) => (outcome.type === 'kept' ? [ids[at]] : []));
      expect(kept).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.type !== 'kept') expect(outcome).toEqual({ type: 'again', answerId: kept[0] });
      }
      expect(idsOf(await store.claim('ocr', NODE, 50, AT_MS))).toEqual(kept);
    });

    test('QUEUE-2: a batch, also one of refusals only, has its key', async (store) => {
      const batch = aBatch('b1', [{ error: { code: 'unavailable', message: 'Not here.' } }]);
      const more = { batch, ...anIdempotency('b1') };
      expect(await store.submit(aSubmission([], more))).toEqual({ type: 'kept' });
      const again = { batch: { ...batch, id: 'b2' }, ...anIdempotency('b2') };
      const outcome = await store.submit(aSubmission([], again));
      expect(outcome).toEqual({ type: 'again', answerId: 'b1' });
      expect(await store.getBatch('b2')).toBeUndefined();
    });
  });

  describe('limits', () => {
    test('QUEUE-3: an owner has so many queued tasks and no more', async (store) => {
      const limits = { maxQueuedPerOwner: 3, maxQueued: 100 };
      const full = { type: 'full', by: 'owner' };
      expect(await store.submit(aSubmission(several('a', 4), limits))).toEqual(full);
      expect(await store.get('a0000')).toBeUndefined();
      expect(await store.submit(aSubmission(several('a', 3), limits))).toEqual({ type: 'kept' });
      expect(await store.submit(aSubmission([aTask('b')], limits))).toEqual(full);
      const bobs = several('c', 3, { owner: 'bob', type: 'image-analysis' });
      expect(await store.submit(aSubmission(bobs, limits))).toEqual({ type: 'kept' });
      const refusal = aBatch('b1', [{ error: { code: 'unavailable', message: 'Not here.' } }]);
      const none = aSubmission([], { ...limits, batch: refusal });
      expect(await store.submit(none)).toEqual({ type: 'kept' });
    });

    test('QUEUE-3: all owners together have so many queued tasks and no more', async (store) => {
      const limits = { maxQueuedPerOwner: 3, maxQueued: 4 };
      await store.submit(aSubmission(several('a', 3), limits));
      const bobs = several('b', 2, { owner: 'bob' });
      const batch = aBatch('b1', [{ taskId: 'b0000' }, { taskId: 'b0001' }], 'bob');
      const more = { ...limits, batch, ...anIdempotency('b1', 'k1', 'f1', 'bob') };
      const full = { type: 'full', by: 'all' };
      expect(await store.submit(aSubmission(bobs, more))).toEqual(full);
      expect(await store.getMany(['b0000', 'b0001'])).toEqual([undefined, undefined]);
      expect(await store.getBatch('b1')).toBeUndefined();
      const one = aSubmission(bobs.slice(0, 1), {
        ...limits,
        ...anIdempotency('b0000', 'k1', 'f2', 'bob'),
      });
      expect(await store.submit(one)).toEqual({ type: 'kept' });
    });

    test('QUEUE-3: of many at once no more are kept than there is room for', async (store, {
      other,
    }) => {
      const second = (await other?.()) ?? store;
      const limits = { maxQueuedPerOwner: 7, maxQueued: 10 };
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, async (_, at) => {
          const owner = at % 2 === 0 ? 'ada' : 'bob';
          const by = at % 4 < 2 ? store : second;
          return by.submit(aSubmission([aTask(`t${at}`, { owner })], limits));
        }),
      );
      expect(outcomes.filter(({ type }) => type === 'kept')).toHaveLength(10);
      const claimed = ownersOf(await store.claim('ocr', NODE, 40, AT_MS));
      expect(claimed).toHaveLength(10);
      expect(countOf(claimed, 'ada')).toBeLessThanOrEqual(7);
      expect(countOf(claimed, 'bob')).toBeLessThanOrEqual(7);
    });

    test('QUEUE-3: what is begun or over makes room, what is queued again takes it', async (store) => {
      const limits = { maxQueuedPerOwner: 2, maxQueued: 2 };
      const tries = async (id: string) =>
        (await store.submit(aSubmission([aTask(id)], limits))).type;
      expect([await tries('t1'), await tries('t2'), await tries('t3')]).toEqual([
        'kept',
        'kept',
        'full',
      ]);
      const started = await startOne(store);
      expect([await tries('t3'), await tries('t4')]).toEqual(['kept', 'full']);
      await takeStep(store, started, { type: 'crash', reason: 'It died.' });
      expect(await tries('t4')).toBe('full');
      const waiting = await store.get('t3');
      if (waiting === undefined) throw new Error('t3 is gone');
      await takeStep(store, waiting, { type: 'cancel' });
      expect(await tries('t4')).toBe('full');
      await startOne(store);
      await startOne(store);
      expect([await tries('t4'), await tries('t5'), await tries('t6')]).toEqual([
        'kept',
        'kept',
        'full',
      ]);
    });

    test('QUEUE-3: a request that came before is told so, also where all is full', async (store) => {
      const limits = { maxQueuedPerOwner: 1, maxQueued: 1 };
      await store.submit(aSubmission([aTask('t1')], { ...limits, ...anIdempotency('t1') }));
      const again = aSubmission([aTask('t2')], { ...limits, ...anIdempotency('t2') });
      expect(await store.submit(again)).toEqual({ type: 'again', answerId: 't1' });
    });
  });
}
