/** The events of a task, as readers of a stream see them. */

import { describe, expect } from 'vitest';
import type { StreamEvent } from '../../stream/event.ts';
import { aChange, aTask, keepTasks, recordAfter, takeStep } from '../task-fixtures.ts';
import { claimOne, delta, NODE, type StoreTest, startOne, until } from './store-test.ts';

/** Declares them. */
export function testEvents(test: StoreTest): void {
  describe('events', () => {
    const past = (seq: number, epoch = 1) => ({ epoch, seq });

    test('QUEUE-9: events of a task are read after a position, in order, no more than asked for', async (store) => {
      await keepTasks(store, aTask('t1'));
      let task = await startOne(store);
      for (const text of ['a', 'b', 'c', 'd']) {
        task = await takeStep(store, task, { type: 'text', text });
      }
      const progress = { type: 'progress', status: 'running', attempts: 1, progress: 0 };
      const events = [progress, ...['a', 'b', 'c', 'd'].map(delta)];
      expect(await store.head('t1')).toEqual(past(5));
      expect(await store.read('t1', past(0), 99)).toEqual(events);
      expect(await store.read('t1', past(0), 1)).toEqual([progress]);
      expect(await store.read('t1', past(2), 2)).toEqual(['b', 'c'].map(delta));
      expect(await store.read('t1', past(4), 99)).toEqual([delta('d')]);
      expect(await store.read('t1', past(5), 99)).toEqual([]);
      expect(await store.read('t1', past(50), 99)).toEqual([]);
      expect(await store.read('t1', past(0, 2), 99)).toEqual([]);
      expect(await store.read('t1', past(0, 0), 99)).toEqual([]);
      expect(await store.read('t2', past(0), 99)).toEqual([]);
    });

    test('QUEUE-9: a later epoch replaces what was there', async (store) => {
      await keepTasks(store, aTask('t1'));
      const said = await takeStep(store, await startOne(store), { type: 'text', text: 'a' });
      const crashed = await takeStep(store, said, { type: 'crash', reason: 'It died.' });
      expect(crashed.state.epoch).toBe(2);
      expect(await store.head('t1')).toEqual(past(2, 2));
      expect(await store.read('t1', past(0), 99)).toEqual([]);
      const again = await startOne(store);
      const { result: _none, ...ended } = (
        await takeStep(store, again, { type: 'succeed', result: 1 })
      ).state;
      expect(ended.epoch).toBe(2);
      const events = await store.read('t1', past(0, 2), 99);
      expect(events.map(({ type }) => type)).toEqual(['restart', 'progress', 'progress', 'done']);
      expect(await store.head('t1')).toEqual(past(4, 2));
    });

    test('QUEUE-9: without text a new attempt goes on in the same epoch', async (store) => {
      await keepTasks(store, aTask('t1'));
      await takeStep(store, await startOne(store), { type: 'crash', reason: 'It died.' });
      await startOne(store);
      expect(await store.head('t1')).toEqual(past(3));
    });

    test('QUEUE-9: text comes back as it was, and pages of any size are the whole', async (store) => {
      const texts = ['\u0000 "\\ \r\n\u2028', "'; DROP TABLE x; --", 'é漢\u{1F30A}', '', ' '];
      await keepTasks(store, aTask('t1'));
      let task = await startOne(store);
      const changes = Array.from({ length: 40 }, (_, time) => {
        const text = texts[time % texts.length] ?? '';
        const change = aChange(task, { type: 'text', text });
        task = recordAfter(change);
        return change;
      });
      await store.commit(changes);
      const all = changes.flatMap(({ events }) => events);
      for (const limit of [1, 7, 512]) {
        const seen: StreamEvent[] = [];
        for (;;) {
          const page = await store.read('t1', past(1 + seen.length), limit);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(limit);
          seen.push(...page);
        }
        expect(seen).toEqual(all);
      }
    });

    test('QUEUE-9: events of one task are not another’s', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t1:x'));
      const tasks = [await startOne(store), await startOne(store)];
      for (const task of tasks) {
        await takeStep(store, task, { type: 'text', text: task.spec.id });
      }
      for (const { spec } of tasks) {
        expect(await store.read(spec.id, past(1), 9)).toEqual([delta(spec.id)]);
      }
    });

    test('QUEUE-9: a watcher is told after a change, and hears nothing after its end', async (store, {
      other,
    }) => {
      const second = (await other?.()) ?? store;
      await keepTasks(store, aTask('t1'), aTask('t2'));
      let first = 0;
      let last = 0;
      const unwatch = store.watch('t1', () => {
        first += 1;
      });
      const hint = () => {
        last += 1;
      };
      const unwatchLast = store.watch('t1', hint);
      let strange = 0;
      const unwatchStrange = store.watch('t2', () => {
        strange += 1;
      });
      let task = await claimOne(store);
      task = await takeStep(second, task, { type: 'start', node: NODE });
      const tell = async () => {
        task = await takeStep(second, task, { type: 'progress', progress: 0.5 });
      };
      await until(tell, () => first > 0 && last > 0);
      unwatch();
      unwatch();
      const before = first;
      const lastBefore = last;
      await until(tell, () => last > lastBefore);
      expect(first).toBe(before);
      expect(strange).toBe(0);
      unwatchLast();
      unwatchStrange();
    });
  });
}
