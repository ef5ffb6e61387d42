/** What is left of tasks that are over. */

import { describe, expect } from 'vitest';
import type { TaskRecord } from '../../tasks/task.ts';
import {
  TASK_TIME_MS as AT_MS,
  aChange,
  aSubmission,
  aTask,
  keepTasks,
  takeStep,
} from '../task-fixtures.ts';
import {
  aBatch,
  anIdempotency,
  claimOne,
  idsOf,
  NODE,
  type StoreTest,
  several,
  startOne,
} from './store-test.ts';

/** Declares them. */
export function testAfterwards(test: StoreTest): void {
  describe('numbers', () => {
    const none = {
      queued: 0,
      delayed: 0,
      running: 0,
      succeeded: 0,
      failed: 0,
      canceled: 0,
      timedOut: 0,
    };

    test('QUEUE-12: each type is counted by where its tasks are', async (store) => {
      await keepTasks(store, ...several('t', 8), aTask('x', { type: 'image-analysis' }));
      expect((await store.counts(AT_MS)).get('ocr')).toEqual({ ...none, queued: 8 });
      await takeStep(store, await startOne(store), { type: 'succeed', result: 1 });
      await takeStep(store, await startOne(store), { type: 'time-out' });
      await takeStep(store, await startOne(store), { type: 'cancel' });
      const invalid = { code: 'validation_failed', message: 'Not so.' } as const;
      await takeStep(store, await startOne(store), { type: 'fail', error: invalid });
      const passing = { code: 'upstream_failed', message: 'It broke.' } as const;
      const later = { type: 'fail', error: passing, retryAfterMs: 5_000 } as const;
      await takeStep(store, await startOne(store), later);
      await startOne(store);
      await claimOne(store);
      const ended = { succeeded: 1, failed: 1, canceled: 1, timedOut: 1 };
      const now = await store.counts(AT_MS);
      expect(now.get('ocr')).toEqual({ queued: 1, delayed: 1, running: 2, ...ended });
      expect(now.get('image-analysis')).toEqual({ ...none, queued: 1 });
      expect([...now.keys()].sort()).toEqual(['image-analysis', 'ocr']);
      const then = await store.counts(AT_MS + 5_000);
      expect(then.get('ocr')).toEqual({ queued: 2, delayed: 0, running: 2, ...ended });
      expect((await store.counts(AT_MS)).get('ocr')?.delayed).toBe(1);
    });

    test('QUEUE-12: what is forgotten has been all the same, and nothing is counted twice', async (store) => {
      await keepTasks(store, aTask('t1', { callbackUrl: 'https://n8n.example/' }), aTask('t2'));
      const ended = await takeStep(store, await startOne(store), { type: 'cancel' });
      await takeStep(store, ended, { type: 'callback-kept' });
      await takeStep(store, aTask('t2'), { type: 'cancel' });
      expect((await store.counts(AT_MS)).get('ocr')).toEqual({ ...none, canceled: 2 });
      await store.forget(AT_MS + 1, 9);
      expect((await store.counts(AT_MS)).get('ocr')).toEqual({ ...none, canceled: 2 });
    });
  });

  describe('afterwards', () => {
    const callbackUrl = 'https://n8n.example/';

    test('QUEUE-13: a task that is over owes its callback until that is kept', async (store) => {
      await keepTasks(store, ...several('t', 3, { callbackUrl }), aTask('u'));
      expect(await store.owing(9)).toEqual([]);
      const ended = [
        await takeStep(store, await startOne(store), { type: 'succeed', result: 1 }),
        await takeStep(store, aTask('t0002', { callbackUrl }), { type: 'cancel' }),
      ];
      await takeStep(store, aTask('u'), { type: 'cancel' });
      await startOne(store);
      const owing = await store.owing(9);
      expect([...owing].sort((a, b) => (a.spec.id < b.spec.id ? -1 : 1))).toEqual(ended);
      expect(await store.owing(1)).toHaveLength(1);
      const [first] = ended as [TaskRecord];
      const kept = await takeStep(store, first, { type: 'callback-kept' });
      expect(idsOf(await store.owing(9))).toEqual(['t0002']);
      expect(await store.get('t0000')).toEqual(kept);
      const twice = aChange(first, { type: 'callback-kept' });
      expect(await store.commit([twice])).toEqual([false]);
    });

    test('QUEUE-14: what was over before a time is forgotten with its events, and given back', async (store) => {
      await keepTasks(store, ...several('t', 5));
      const ended: TaskRecord[] = [];
      for (const ms of [10, 20, 30]) {
        const started = await startOne(store);
        const nowMs = AT_MS + ms;
        ended.push(await takeStep(store, started, { type: 'succeed', result: ms }, nowMs));
      }
      const running = await startOne(store);
      expect(await store.forget(AT_MS + 10, 9)).toEqual([]);
      expect(await store.forget(AT_MS + 30, 1)).toHaveLength(1);
      expect(await store.forget(AT_MS + 30, 9)).toHaveLength(1);
      expect(await store.forget(AT_MS + 30, 9)).toEqual([]);
      expect(await store.get('t0000')).toBeUndefined();
      expect(await store.head('t0000')).toEqual({ epoch: 0, seq: 0 });
      expect(await store.read('t0000', { epoch: 1, seq: 0 }, 9)).toEqual([]);
      expect(await store.forget(AT_MS + 1_000_000, 9)).toEqual([ended[2]]);
      expect(await store.get(running.spec.id)).toEqual(running);
      expect(idsOf(await store.claim('ocr', NODE, 9, AT_MS))).toEqual(['t0004']);
    });

    test('QUEUE-14: a task that is forgotten owes nothing any more, and cannot be changed', async (store) => {
      await keepTasks(store, aTask('t1', { callbackUrl }));
      const ended = await takeStep(store, aTask('t1', { callbackUrl }), { type: 'cancel' });
      expect(await store.forget(AT_MS + 1, 9)).toEqual([ended]);
      expect(await store.owing(9)).toEqual([]);
      expect(await store.commit([aChange(ended, { type: 'callback-kept' })])).toEqual([false]);
      expect(await store.get('t1')).toBeUndefined();
    });

    test('QUEUE-14: a key lives as long as what it stands for', async (store) => {
      await store.submit(aSubmission([aTask('t1')], anIdempotency('t1')));
      await store.forget(AT_MS + 1_000_000, 9);
      const again = aSubmission([aTask('t2')], anIdempotency('t2', 'k1', 'f2'));
      expect(await store.submit(again)).toEqual({ type: 'mismatch' });
      await takeStep(store, aTask('t1'), { type: 'cancel' });
      expect(await store.submit(again)).toEqual({ type: 'mismatch' });
      await store.forget(AT_MS + 1_000_000, 9);
      expect(await store.submit(again)).toEqual({ type: 'kept' });
    });

    test('QUEUE-14: a batch and its key live as long as its last task', async (store) => {
      const tasks = several('t', 2, { batchId: 'b1' });
      const batch = aBatch('b1', [{ taskId: 't0000' }, { taskId: 't0001' }]);
      await store.submit(aSubmission(tasks, { batch, ...anIdempotency('b1') }));
      const [one, two] = tasks as [TaskRecord, TaskRecord];
      const againId = { ...anIdempotency('b2'), batch: { ...batch, id: 'b2', entries: [] } };
      const again = aSubmission([], againId);
      await takeStep(store, one, { type: 'cancel' });
      expect(await store.forget(AT_MS + 1_000, 9)).toHaveLength(1);
      expect(await store.getBatch('b1')).toEqual(batch);
      expect(await store.submit(again)).toEqual({ type: 'again', answerId: 'b1' });
      await takeStep(store, two, { type: 'cancel' });
      expect(await store.forget(AT_MS + 1_000, 9)).toHaveLength(1);
      expect(await store.getBatch('b1')).toBeUndefined();
      expect(await store.submit(again)).toEqual({ type: 'kept' });
    });

    test('QUEUE-14: a batch of refusals only is forgotten for its own age', async (store) => {
      const batch = aBatch('b1', [{ error: { code: 'unavailable', message: 'Not here.' } }]);
      const submission = aSubmission([], { batch, ...anIdempotency('b1') });
      await store.submit(submission);
      expect(await store.forget(AT_MS, 9)).toEqual([]);
      expect(await store.getBatch('b1')).toEqual(batch);
      expect(await store.forget(AT_MS + 1, 9)).toEqual([]);
      expect(await store.getBatch('b1')).toBeUndefined();
      expect(await store.submit(submission)).toEqual({ type: 'kept' });
    });
  });
}
