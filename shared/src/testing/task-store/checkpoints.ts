/** How far an attempt was, for the one after it. */

import { describe, expect } from 'vitest';
import type { TaskRecord } from '../../tasks/task.ts';
import {
  TASK_TIME_MS as AT_MS,
  aChange,
  aTask,
  keepTasks,
  recordAfter,
  takeStep,
} from '../task-fixtures.ts';
import { claimOne, delta, LIFE_MS, NODE, type StoreTest, startOne } from './store-test.ts';

const keep = (done: unknown) => ({ type: 'keep', checkpoint: JSON.stringify({ done }) }) as const;

const crash = { type: 'crash', reason: 'It died.' } as const;

/** Declares them. */
export function testCheckpoints(test: StoreTest): void {
  describe('checkpoints', () => {
    test('QUEUE-19: a checkpoint comes back as it was, beside the state, and the later one replaces it', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t2'));
      const started = await startOne(store);
      expect(await store.checkpointOf('t1')).toBeUndefined();
      const first = keep('é \u{1F30A} "\\ \u0000'.repeat(3));
      const kept = await takeStep(store, started, first);
      expect(await store.checkpointOf('t1')).toBe(first.checkpoint);
      const second = keep(['x'.repeat(900_000)]);
      await takeStep(store, kept, second);
      expect(await store.checkpointOf('t1')).toBe(second.checkpoint);
      const record = await store.get('t1');
      expect(record?.state.hasCheckpoint).toBe(true);
      expect(JSON.stringify(record).length).toBeLessThan(2_000);
      expect(await store.checkpointOf('t2')).toBeUndefined();
      expect(await store.checkpointOf('none')).toBeUndefined();
    });

    test('QUEUE-19: it stays while the task goes on, for whoever claims it next', async (store) => {
      await keepTasks(store, aTask('t1'));
      const { checkpoint } = keep(1);
      let task = await takeStep(store, await startOne(store), keep(1));
      task = await takeStep(store, task, { type: 'text', text: 'one' });
      task = await takeStep(store, task, crash);
      expect(await store.checkpointOf('t1')).toBe(checkpoint);
      await store.beat('n2', AT_MS + LIFE_MS);
      const claimed = await claimOne(store, 'n2');
      expect(claimed.state).toMatchObject({ hasCheckpoint: true, epoch: 2 });
      expect(await store.checkpointOf('t1')).toBe(checkpoint);
      task = await takeStep(store, claimed, { type: 'start', node: 'n2' });
      await takeStep(store, task, { type: 'give-back' });
      expect(await store.checkpointOf('t1')).toBe(checkpoint);
    });

    test('QUEUE-19: that of an attempt which has lost its task is refused', async (store, {
      other,
    }) => {
      const second = (await other?.()) ?? store;
      await keepTasks(store, aTask('t1'));
      const started = await startOne(store);
      const kept = await takeStep(store, started, keep(1));
      await takeStep(second, kept, crash);
      await second.beat('n2', AT_MS + LIFE_MS);
      const taken = await startOne(second, 'n2');
      const late = aChange(kept, keep('late'));
      expect(await store.commit([late], NODE)).toEqual([false]);
      expect(await store.checkpointOf('t1')).toBe(keep(1).checkpoint);
      const next = await takeStep(second, taken, keep(2));
      expect(await store.commit([late], NODE)).toEqual([false]);
      expect(await store.checkpointOf('t1')).toBe(keep(2).checkpoint);
      await takeStep(second, next, { type: 'cancel' });
      expect(await store.commit([aChange(next, keep('late'))], 'n2')).toEqual([false]);
      expect(await store.checkpointOf('t1')).toBeUndefined();
    });

    test('QUEUE-19: it is kept in one step with the events of its change', async (store) => {
      await keepTasks(store, aTask('t1'));
      const started = await startOne(store);
      const text = aChange(started, { type: 'text', text: 'one' });
      const both = { ...text, ...pick(aChange(started, keep(1))), events: text.events };
      expect(await store.commit([both])).toEqual([true]);
      expect(await store.checkpointOf('t1')).toBe(keep(1).checkpoint);
      expect(await store.read('t1', { epoch: 1, seq: 1 }, 9)).toEqual([delta('one')]);
    });

    test('QUEUE-19: with its task it is over, however that ends, and nothing of it is left', async (store) => {
      const ends = [
        { type: 'succeed', result: 1 },
        { type: 'time-out' },
        { type: 'cancel' },
      ] as const;
      await keepTasks(store, ...ends.map(({ type }) => aTask(type)), aTask('queued'));
      for (const end of ends) {
        const kept = await takeStep(store, await startOne(store), keep(end.type));
        const ended = await takeStep(store, kept, end);
        expect(ended.state.hasCheckpoint).toBeUndefined();
        expect(await store.checkpointOf(kept.spec.id)).toBeUndefined();
      }
      let task = await takeStep(store, await startOne(store), keep('queued'));
      task = await takeStep(store, task, crash);
      await takeStep(store, task, { type: 'cancel' });
      expect(await store.checkpointOf('queued')).toBeUndefined();
      expect(await store.forget(AT_MS + 1, 9)).toHaveLength(4);
      await keepTasks(store, aTask('queued'));
      expect(await store.checkpointOf('queued')).toBeUndefined();
      const again: TaskRecord = await startOne(store);
      expect(again.state.hasCheckpoint).toBeUndefined();
      expect(recordAfter(aChange(again, keep(1))).state.hasCheckpoint).toBe(true);
    });
  });
}

function pick({ state, checkpoint }: ReturnType<typeof aChange>) {
  return {
    state: { ...state, hasText: true },
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
}
