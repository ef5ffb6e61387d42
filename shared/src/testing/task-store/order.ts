/** In which order a task store hands tasks over. */

import { describe, expect } from 'vitest';
import type { TaskStore } from '../../tasks/ports.ts';
import { AGE_STEP_MS } from '../../tasks/ports.ts';
import type { TaskRecord } from '../../tasks/task.ts';
import { TASK_TIME_MS as AT_MS, aTask, keepTasks, takeStep } from '../task-fixtures.ts';
import { countOf, idsOf, NODE, ownersOf, type StoreTest, several, startOne } from './store-test.ts';

/** Declares them. */
export function testOrder(test: StoreTest): void {
  describe('turns', () => {
    test('QUEUE-4: callers take turns, however many tasks each has', async (store) => {
      await keepTasks(store, ...several('a', 30, { priority: 10 }));
      await keepTasks(store, ...several('b', 3, { owner: 'bob', priority: 1 }));
      await keepTasks(store, ...several('c', 2, { owner: 'cy' }));
      const owners = ownersOf(await store.claim('ocr', NODE, 9, AT_MS));
      expect(owners.slice(0, 3).sort()).toEqual(['ada', 'bob', 'cy']);
      expect(owners.slice(3, 6).sort()).toEqual(['ada', 'bob', 'cy']);
      expect(owners.slice(6, 8).sort()).toEqual(['ada', 'bob']);
      expect(owners[8]).toBe('ada');
    });

    test('QUEUE-4: turns go on from claim to claim', async (store) => {
      await keepTasks(store, ...several('a', 10));
      await keepTasks(store, ...several('b', 10, { owner: 'bob' }));
      const owners: string[] = [];
      for (const limit of [1, 1, 3, 1, 2, 4]) {
        owners.push(...ownersOf(await store.claim('ocr', NODE, limit, AT_MS)));
      }
      expect(owners).toHaveLength(12);
      for (let at = 0; at < 12; at += 2) expect(owners[at]).not.toBe(owners[at + 1]);
    });

    test('QUEUE-4: a caller who comes late, or comes back, has no turns saved', async (store) => {
      await keepTasks(store, ...several('a', 40), aTask('b', { owner: 'bob' }));
      await store.claim('ocr', NODE, 20, AT_MS);
      await keepTasks(store, ...several('b', 20, { owner: 'bob' }));
      await keepTasks(store, ...several('c', 20, { owner: 'cy' }));
      const owners = ownersOf(await store.claim('ocr', NODE, 12, AT_MS));
      for (const owner of ['ada', 'bob', 'cy']) {
        expect(countOf(owners, owner)).toBeGreaterThanOrEqual(3);
        expect(countOf(owners, owner)).toBeLessThanOrEqual(5);
      }
    });

    test('QUEUE-4: a caller who leaves the line after each task is not served twice for it', async (store) => {
      await keepTasks(store, ...several('b', 20, { owner: 'bob' }));
      const owners: string[] = [];
      for (let at = 0; at < 12; at += 1) {
        if (owners.at(-1) !== 'bob') await keepTasks(store, aTask(`a${at}`));
        owners.push(...ownersOf(await store.claim('ocr', NODE, 1, AT_MS)));
      }
      expect(countOf(owners, 'bob')).toBeGreaterThanOrEqual(5);
      expect(countOf(owners, 'ada')).toBeGreaterThanOrEqual(5);
    });

    test('QUEUE-4: a task that is queued again costs its caller no second turn', async (store) => {
      await keepTasks(store, ...several('a', 12));
      await keepTasks(store, ...several('b', 12, { owner: 'bob' }));
      const first = await store.claim('ocr', NODE, 6, AT_MS);
      expect(countOf(ownersOf(first), 'ada')).toBe(3);
      for (const task of first) {
        if (task.spec.owner === 'ada')
          await takeStep(store, task, { type: 'give-back' }, AT_MS, NODE);
      }
      const second = await store.claim('ocr', NODE, 6, AT_MS);
      expect(countOf(ownersOf(second), 'ada')).toBeGreaterThanOrEqual(4);
      expect(countOf(ownersOf(second), 'bob')).toBeGreaterThanOrEqual(1);
    });

    test('QUEUE-4: each type has turns and a line of its own', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t2', { type: 'image-analysis' }));
      expect(idsOf(await store.claim('image-analysis', NODE, 9, AT_MS))).toEqual(['t2']);
      expect(idsOf(await store.claim('steps', NODE, 9, AT_MS))).toEqual([]);
      expect(idsOf(await store.claim('ocr', NODE, 9, AT_MS))).toEqual(['t1']);
    });
  });

  describe('priority', () => {
    const at = (id: string, priority: number, createdAtMs = AT_MS) =>
      aTask(id, { priority, createdAtMs });
    const order = async (store: TaskStore, nowMs = AT_MS) =>
      idsOf(await store.claim('ocr', NODE, 99, nowMs));

    test('QUEUE-5: of one caller’s tasks the highest priority is next, then the oldest, then the id', async (store) => {
      await keepTasks(store, at('low', 1), at('z', 5), at('high', 10), at('a', 5));
      await keepTasks(store, at('older', 5, AT_MS - 1), at('above', 6));
      expect(await order(store)).toEqual(['high', 'above', 'older', 'a', 'z', 'low']);
    });

    test('QUEUE-5: a task counts one level more for each 30 s that it waits', async (store) => {
      const nowMs = AT_MS + 9 * AGE_STEP_MS + 1;
      await keepTasks(store, at('lowest', 1));
      await keepTasks(store, at('highest', 10, nowMs), at('level', 10, nowMs - 2));
      expect(AGE_STEP_MS).toBe(30_000);
      expect(await order(store, nowMs)).toEqual(['level', 'lowest', 'highest']);
    });

    test('QUEUE-5: the lowest priority is not starved by a stream of the highest', async (store) => {
      await keepTasks(store, at('patient', 1));
      let nowMs = AT_MS;
      let claimed: (string | undefined)[] = [];
      for (let time = 0; !claimed.includes('patient'); time += 1) {
        expect(nowMs).toBeLessThanOrEqual(AT_MS + 9 * AGE_STEP_MS + 3_000);
        await keepTasks(store, at(`x${time}`, 10, nowMs));
        claimed = idsOf(await store.claim('ocr', NODE, 1, nowMs));
        nowMs += 3_000;
      }
    });

    test('QUEUE-5: a task that is queued again stands where its age puts it', async (store) => {
      await keepTasks(store, at('first', 5), at('second', 5, AT_MS + 1));
      await takeStep(store, await startOne(store), { type: 'crash', reason: 'It died.' });
      await keepTasks(store, at('third', 5, AT_MS + 2));
      expect(await order(store, AT_MS + 2)).toEqual(['first', 'second', 'third']);
    });
  });

  describe('due times', () => {
    test('QUEUE-6: a task that is put off is claimed when it is due, and not before', async (store) => {
      await keepTasks(store, aTask('t1'));
      expect(await store.nextDueMs('ocr')).toBeUndefined();
      const error = { code: 'upstream_failed', message: 'It broke.' } as const;
      const started = await startOne(store);
      const later = await takeStep(store, started, { type: 'fail', error, retryAfterMs: 4_000 });
      const dueMs = later.state.dueAtMs;
      expect(dueMs).toBe(AT_MS + 4_000);
      expect(await store.nextDueMs('ocr')).toBe(dueMs);
      expect(await store.nextDueMs('image-analysis')).toBeUndefined();
      expect(await store.claim('ocr', NODE, 9, dueMs - 1)).toEqual([]);
      expect(await store.claim('ocr', NODE, 9, dueMs)).toEqual([later]);
      expect(await store.claim('ocr', NODE, 9, dueMs)).toEqual([]);
      expect(await store.nextDueMs('ocr')).toBeUndefined();
    });

    test('QUEUE-6: the earliest is next, and what is over is not waited for', async (store) => {
      await keepTasks(store, ...several('t', 3));
      const error = { code: 'upstream_failed', message: 'It broke.' } as const;
      const put: TaskRecord[] = [];
      for (const retryAfterMs of [9_000, 5_000, 7_000]) {
        const started = await startOne(store);
        put.push(await takeStep(store, started, { type: 'fail', error, retryAfterMs }));
      }
      expect(await store.nextDueMs('ocr')).toBe(AT_MS + 5_000);
      const [, soonest] = put;
      if (soonest === undefined) throw new Error('nothing was put off');
      await takeStep(store, soonest, { type: 'cancel' });
      expect(await store.nextDueMs('ocr')).toBe(AT_MS + 7_000);
      expect(await store.claim('ocr', NODE, 9, AT_MS + 6_999)).toEqual([]);
      const ids = idsOf(await store.claim('ocr', NODE, 9, AT_MS + 9_000));
      expect([...ids].sort()).toEqual(['t0000', 't0002']);
      expect(await store.nextDueMs('ocr')).toBeUndefined();
    });

    test('QUEUE-6: what others wait for does not hold up what is due', async (store) => {
      await keepTasks(store, aTask('t1', { priority: 10 }), aTask('t2', { priority: 1 }));
      const error = { code: 'upstream_failed', message: 'It broke.' } as const;
      await takeStep(store, await startOne(store), { type: 'fail', error });
      expect(idsOf(await store.claim('ocr', NODE, 9, AT_MS))).toEqual(['t2']);
    });
  });
}
