/** That of all who want one task, one has it. */

import { describe, expect } from 'vitest';
import type { Json, TaskRecord } from '../../tasks/task.ts';
import {
  TASK_TIME_MS as AT_MS,
  aChange,
  aSubmission,
  aTask,
  keepTasks,
  recordAfter,
  takeStep,
} from '../task-fixtures.ts';
import {
  claimOne,
  countOf,
  delta,
  idsOf,
  NODE,
  type StoreTest,
  several,
  startOne,
} from './store-test.ts';

/** Declares them. */
export function testChanges(test: StoreTest): void {
  describe('claims', () => {
    test('QUEUE-7: of claims at once each task is in one', async (store, { other }) => {
      const second = (await other?.()) ?? store;
      await store.submit(aSubmission(several('a', 150)));
      await store.submit(aSubmission(several('b', 150, { owner: 'bob' })));
      const claims = await Promise.all(
        Array.from({ length: 40 }, async (_, at) => {
          const node = `n${at % 5}`;
          return (at % 2 === 0 ? store : second).claim('ocr', node, 10, AT_MS);
        }),
      );
      const ids = idsOf(claims.flat());
      expect(ids).toHaveLength(300);
      expect(new Set(ids).size).toBe(300);
    });

    test('QUEUE-7: a claim takes no more than its limit, and leaves the rest', async (store) => {
      await keepTasks(store, ...several('t', 5));
      expect(await store.claim('ocr', NODE, 0, AT_MS)).toEqual([]);
      expect(await store.claim('ocr', NODE, 2, AT_MS)).toHaveLength(2);
      expect(await store.claim('ocr', NODE, 9, AT_MS)).toHaveLength(3);
      expect(await store.claim('ocr', NODE, 9, AT_MS)).toEqual([]);
    });

    test('QUEUE-7: a task that is over is claimed no more', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t2'));
      await takeStep(store, aTask('t1'), { type: 'cancel' });
      expect(idsOf(await store.claim('ocr', NODE, 9, AT_MS))).toEqual(['t2']);
    });
  });

  describe('changes', () => {
    test('QUEUE-8: a change of what is not the newest is refused, and changes nothing', async (store) => {
      await keepTasks(store, aTask('t1'));
      const claimed = await claimOne(store);
      const started = await takeStep(store, claimed, { type: 'start', node: NODE });
      const late = [
        aChange(claimed, { type: 'cancel' }),
        aChange(claimed, { type: 'start', node: 'n2' }),
        aChange(claimed, { type: 'crash', reason: 'It died.' }),
      ];
      for (const change of late) expect(await store.commit([change])).toEqual([false]);
      expect(await store.commit(late)).toEqual([false, false, false]);
      expect(await store.get('t1')).toEqual(started);
      expect(await store.held(NODE)).toEqual(['t1']);
      expect(await store.claim('ocr', NODE, 9, AT_MS)).toEqual([]);
      expect(await store.head('t1')).toEqual({ epoch: 1, seq: 1 });
    });

    test('QUEUE-8: a change of a task that is not there is refused', async (store) => {
      expect(await store.commit([aChange(aTask('t1'), { type: 'cancel' })])).toEqual([false]);
      expect(await store.get('t1')).toBeUndefined();
      expect(await store.claim('ocr', NODE, 9, AT_MS)).toEqual([]);
    });

    test('QUEUE-8: of many changes at once, each task has one that is made', async (store, {
      other,
    }) => {
      const second = (await other?.()) ?? store;
      await keepTasks(store, ...several('t', 5));
      const running: TaskRecord[] = [];
      for (let time = 0; time < 5; time += 1) running.push(await startOne(store));
      const changes = running.flatMap((task) => [
        aChange(task, { type: 'cancel' }),
        aChange(task, { type: 'succeed', result: 1 }),
        aChange(task, { type: 'time-out' }),
        aChange(task, { type: 'crash', reason: 'It died.' }),
      ]);
      const made = await Promise.all(
        changes.map(
          async (change, at) => (await (at % 2 === 0 ? store : second).commit([change]))[0],
        ),
      );
      for (const [at, task] of running.entries()) {
        const ofTask = made.slice(at * 4, at * 4 + 4);
        expect(countOf(ofTask, true)).toBe(1);
        const change = changes[at * 4 + ofTask.indexOf(true)];
        expect((await store.get(task.spec.id))?.state).toEqual(change?.state);
      }
    });

    test('QUEUE-8: one call makes those changes that can be made, one after the other', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t2'));
      const tasks = await store.claim('ocr', NODE, 2, AT_MS);
      const [one, two] = tasks as [TaskRecord, TaskRecord];
      const start = aChange(one, { type: 'start', node: NODE });
      const text = aChange(recordAfter(start), { type: 'text', text: 'a' });
      const end = aChange(recordAfter(text), { type: 'succeed', result: { a: [1] } });
      const made = await store.commit([
        start,
        aChange(one, { type: 'cancel' }),
        text,
        aChange(aTask('none'), { type: 'cancel' }),
        aChange(two, { type: 'cancel' }),
        end,
        aChange(recordAfter(text), { type: 'cancel' }),
      ]);
      expect(made).toEqual([true, false, true, false, true, true, false]);
      expect(await store.get(one.spec.id)).toEqual(recordAfter(end));
      expect((await store.get(two.spec.id))?.state.status).toBe('canceled');
      expect(await store.read(one.spec.id, { epoch: 1, seq: 0 }, 9)).toEqual([
        ...start.events,
        delta('a'),
        ...end.events,
      ]);
    });

    test('QUEUE-8: results and errors come back as they were', async (store) => {
      const results: Json[] = [null, false, 0, '', 'é\u0000\u{1F30A}', [], {}, { a: [{ b: 1 }] }];
      await keepTasks(store, ...several('t', results.length));
      for (const result of results) {
        const ended = await takeStep(store, await startOne(store), { type: 'succeed', result });
        expect(await store.get(ended.spec.id)).toEqual(ended);
      }
      await keepTasks(store, aTask('bad', { maxAttempts: 1 }));
      const crash = { type: 'crash', reason: 'é "\\ \u0000' } as const;
      const ended = await takeStep(store, await startOne(store), crash);
      expect(ended.state.status).toBe('failed');
      expect(await store.get('bad')).toEqual(ended);
    });
  });
}
