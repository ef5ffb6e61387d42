/** What a task store owes whoever submits. */

import { describe, expect } from 'vitest';
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
  countOf,
  idsOf,
  LIFE_MS,
  NODE,
  type StoreTest,
  several,
} from './store-test.ts';

/** Ids and owners that a key, a query or a pattern might read as something else. */
const ODD_NAMES = [
  'a:b',
  '{a}',
  'a:{b}:c',
  "'; DROP TABLE tasks; --",
  'é漢\u{1F30A}',
  '*?[a-z]',
  'a b\tc\n',
  '__proto__',
  '%',
  'again x',
  '0',
];

/** Declares them. */
export function testSubmissions(test: StoreTest): void {
  describe('submissions', () => {
    test('QUEUE-1: an empty store knows nothing', async (store) => {
      expect(await store.get('t1')).toBeUndefined();
      expect(await store.getMany(['t1', 't2'])).toEqual([undefined, undefined]);
      expect(await store.getMany([])).toEqual([]);
      expect(await store.getBatch('b1')).toBeUndefined();
      expect(await store.claim('ocr', NODE, 10, AT_MS)).toEqual([]);
      expect(await store.commit([])).toEqual([]);
      expect(await store.held(NODE)).toEqual([]);
      expect(await store.lost(AT_MS + LIFE_MS + 1, 10)).toEqual([]);
      expect(await store.head('t1')).toEqual({ epoch: 0, seq: 0 });
      expect(await store.read('t1', { epoch: 1, seq: 0 }, 10)).toEqual([]);
      expect((await store.counts(AT_MS)).size).toBe(0);
      expect(await store.nextDueMs('ocr')).toBeUndefined();
      expect(await store.owing(10)).toEqual([]);
      expect(await store.forget(AT_MS, 10)).toEqual([]);
    });

    test('QUEUE-1: a task comes back as it was accepted', async (store) => {
      const task = aTask('t1', {
        batchId: 'b1',
        priority: 10,
        callbackUrl: 'https://n8n.example/wait?signature=é%20',
        input: {
          params: { deep: [null, true, -0.5, 'é漢\u{1F30A}\u0000"\\', { a: [] }] },
          files: [{ field: 'image', blob: 'x', bytes: 3, mediaType: 'image/png', width: 9 }],
        },
      });
      expect(await store.submit(aSubmission([task]))).toEqual({ type: 'kept' });
      expect(await store.get('t1')).toEqual(task);
      expect(await store.claim('ocr', NODE, 1, AT_MS)).toEqual([task]);
      expect(await store.get('t1')).toEqual(task);
    });

    test('QUEUE-1: tasks are given in the order that is asked for', async (store) => {
      await keepTasks(store, ...several('t', 5));
      const ids = ['t0003', 'none', 't0000', 't0003', 't0004'];
      expect(idsOf(await store.getMany(ids))).toEqual(
        ids.map((id) => (id === 'none' ? undefined : id)),
      );
    });

    test('QUEUE-1: a batch is kept with its tasks and its refusals, in their order', async (store) => {
      const tasks = several('t', 3, { batchId: 'b1' });
      const batch = aBatch('b1', [
        { taskId: 't0000' },
        { error: { code: 'validation_failed', message: 'Not so.' } },
        { taskId: 't0001' },
        { taskId: 't0002' },
      ]);
      expect(await store.submit(aSubmission(tasks, { batch }))).toEqual({ type: 'kept' });
      expect(await store.getBatch('b1')).toEqual(batch);
      expect(await store.getMany(['t0000', 't0001', 't0002'])).toEqual(tasks);
      const refused = aBatch('b2', [{ error: { code: 'unavailable', message: 'Not here.' } }]);
      expect(await store.submit(aSubmission([], { batch: refused }))).toEqual({ type: 'kept' });
      expect(await store.getBatch('b2')).toEqual(refused);
    });

    test('QUEUE-1: inputs of 1 MiB and a batch of 1,000 tasks come back whole', async (store) => {
      const text = 'é漢 '.repeat(350_000);
      const big = aTask('big', { input: { params: { text }, files: [] } });
      await keepTasks(store, big);
      const many = several('t', 1_000, { batchId: 'b1', owner: 'bob' });
      const batch = aBatch(
        'b1',
        idsOf(many).map((id) => ({ taskId: id ?? '' })),
        'bob',
      );
      expect(await store.submit(aSubmission(many, { batch }))).toEqual({ type: 'kept' });
      expect(await store.get('big')).toEqual(big);
      expect(await store.getMany(many.map(({ spec }) => spec.id))).toEqual(many);
      const claimed = await store.claim('ocr', NODE, 1_001, AT_MS);
      expect(new Set(idsOf(claimed)).size).toBe(1_001);
      const made = await store.commit(
        claimed.map((task) => aChange(task, { type: 'start', node: NODE })),
      );
      expect(countOf(made, true)).toBe(1_001);
      expect((await store.get('big'))?.spec).toEqual(big.spec);
    });

    test('QUEUE-1: what is sent again, because its answer was lost, is kept once', async (store) => {
      const single = aSubmission([aTask('t1')]);
      const keyed = aSubmission([aTask('t2')], anIdempotency('t2'));
      const tasks = several('b', 2, { batchId: 'b1' });
      const batch = aBatch('b1', [{ taskId: 'b0000' }, { taskId: 'b0001' }]);
      const batched = aSubmission(tasks, { batch });
      for (const submission of [single, keyed, batched]) {
        expect(await store.submit(submission)).toEqual({ type: 'kept' });
        expect(await store.submit(submission)).toEqual({ type: 'kept' });
      }
      expect((await store.counts(AT_MS)).get('ocr')?.queued).toBe(4);
      expect(await store.claim('ocr', NODE, 9, AT_MS)).toHaveLength(4);
    });

    test('QUEUE-1: names mean nothing, whatever they are made of', async (store) => {
      const tasks = ODD_NAMES.map((name) => aTask(name, { owner: name, type: name }));
      for (const [at, task] of tasks.entries()) {
        const more = anIdempotency(task.spec.id, 'k:{1}', 'f', ODD_NAMES[at] ?? '');
        expect(await store.submit(aSubmission([task], more))).toEqual({ type: 'kept' });
      }
      expect(await store.getMany(ODD_NAMES)).toEqual(tasks);
      for (const task of tasks) {
        const [claimed] = await store.claim(task.spec.type, NODE, 5, AT_MS);
        expect(claimed).toEqual(task);
        await takeStep(store, task, { type: 'start', node: NODE });
        expect(await store.head(task.spec.id)).toEqual({ epoch: 1, seq: 1 });
      }
      expect([...(await store.held(NODE))].sort()).toEqual([...ODD_NAMES].sort());
      const counts = await store.counts(AT_MS);
      expect([...counts.keys()].sort()).toEqual([...ODD_NAMES].sort());
      for (const name of ODD_NAMES) expect(counts.get(name)?.running).toBe(1);
    });

    test('QUEUE-1: owners and keys of which one begins with the other are two', async (store) => {
      const pairs = [
        ['a', 'b:c'],
        ['a:b', 'c'],
        ['1:a', 'c'],
        ['a', 'c'],
      ] as const;
      for (const [at, [owner, key]] of pairs.entries()) {
        const more = anIdempotency(`t${at}`, key, `f${at}`, owner);
        const outcome = await store.submit(aSubmission([aTask(`t${at}`, { owner })], more));
        expect(outcome).toEqual({ type: 'kept' });
      }
    });
  });
}
