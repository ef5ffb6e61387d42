/** What a task store knows of those who run tasks. */

import { describe, expect } from 'vitest';
import type { TaskRecord } from '../../tasks/task.ts';
import { TASK_TIME_MS as AT_MS, aChange, aTask, keepTasks, takeStep } from '../task-fixtures.ts';
import {
  claimOne,
  idsOf,
  LIFE_MS,
  NODE,
  type StoreTest,
  several,
  startOne,
  until,
} from './store-test.ts';

/** Declares them. */
export function testNodes(test: StoreTest): void {
  describe('nodes', () => {
    const node = (time: number) => `node-${time}`;

    test('QUEUE-10: a node lives as long as it said last', async (store) => {
      await store.beat('n2', AT_MS + 1_000, ['ocr', 'image-analysis']);
      await store.beat('n3', AT_MS + 9_000, ['ocr', 'steps']);
      const alive = async (nowMs: number) => [...(await store.nodes(nowMs))].sort();
      const types = async (nowMs: number) => [...(await store.liveTypes(nowMs))].sort();
      expect(await alive(AT_MS)).toEqual(['n2', 'n3', NODE]);
      expect(await types(AT_MS)).toEqual(['image-analysis', 'ocr', 'steps']);
      expect(await alive(AT_MS + 1_001)).toEqual(['n3', NODE]);
      expect(await types(AT_MS + 1_001)).toEqual(['ocr', 'steps']);
      await store.beat('n2', AT_MS + 20_000, ['voice']);
      expect(await alive(AT_MS + 9_001)).toEqual(['n2']);
      expect(await types(AT_MS + 9_001)).toEqual(['voice']);
      await store.leave('n2');
      expect(await alive(AT_MS)).not.toContain('n2');
      expect(await types(AT_MS)).not.toContain('voice');
    });

    test('QUEUE-10: what a node has is lost once it is past its life, and not before', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t2'), aTask('t3'), aTask('t4'));
      const started = await startOne(store);
      const claimed = await claimOne(store);
      await store.beat('n2', AT_MS + 60_000);
      await startOne(store, 'n2');
      expect(await store.lost(AT_MS + LIFE_MS - 1, 9)).toEqual([]);
      await store.beat(NODE, AT_MS + 2 * LIFE_MS);
      expect(await store.lost(AT_MS + LIFE_MS + 1, 9)).toEqual([]);
      const lost = await store.lost(AT_MS + 2 * LIFE_MS + 1, 9);
      expect([...lost].sort((a, b) => (a.spec.id < b.spec.id ? -1 : 1))).toEqual([
        started,
        claimed,
      ]);
      expect(await store.lost(AT_MS + 2 * LIFE_MS + 1, 1)).toHaveLength(1);
    });

    test('QUEUE-10: what was lost is queued again, or over, and lost no more', async (store) => {
      const nowMs = AT_MS + LIFE_MS + 1;
      await keepTasks(store, aTask('t1'), aTask('t2'), aTask('t3', { maxAttempts: 1 }));
      await startOne(store);
      await claimOne(store);
      await startOne(store);
      const lost = await store.lost(nowMs, 9);
      const crash = { type: 'crash', reason: 'The node that ran it is gone.' } as const;
      const made = await store.commit(lost.map((task) => aChange(task, crash, nowMs)));
      expect(made).toEqual([true, true, true]);
      expect(await store.lost(nowMs, 9)).toEqual([]);
      expect(await store.held(NODE)).toEqual([]);
      expect((await store.get('t3'))?.state.status).toBe('failed');
      const ids = idsOf(await store.claim('ocr', 'n2', 9, nowMs));
      expect([...ids].sort()).toEqual(['t1', 't2']);
    });

    test('QUEUE-10: what a node that leaves still has is lost at once', async (store) => {
      await keepTasks(store, aTask('t1'), aTask('t2'));
      await startOne(store);
      await store.leave(NODE);
      expect(await store.nodes(AT_MS)).toEqual([]);
      expect(idsOf(await store.lost(AT_MS, 9))).toEqual(['t1']);
    });

    test('QUEUE-10: what a node claims that nobody knows is lost at once', async (store) => {
      await keepTasks(store, aTask('t1'));
      await claimOne(store, 'stranger');
      expect(idsOf(await store.lost(AT_MS, 9))).toEqual(['t1']);
      expect([...(await store.nodes(AT_MS))]).toEqual([NODE]);
    });

    test('QUEUE-10: all that was lost is found, page by page', async (store) => {
      const nowMs = AT_MS + LIFE_MS + 1;
      await keepTasks(store, ...several('t', 25));
      for (let time = 0; time < 25; time += 1) {
        await store.beat(node(time % 3), AT_MS + LIFE_MS);
        await claimOne(store, node(time % 3));
      }
      const found: TaskRecord[] = [];
      for (;;) {
        const page = await store.lost(nowMs, 4);
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(4);
        found.push(...page);
        await store.commit(
          page.map((task) => aChange(task, { type: 'crash', reason: 'It died.' }, nowMs)),
        );
      }
      expect(new Set(idsOf(found)).size).toBe(25);
    });

    test('QUEUE-11: a node has what it claimed, until a change takes it', async (store) => {
      await keepTasks(store, ...several('t', 5));
      const held = async () => [...(await store.held(NODE))].sort();
      const [first, second, third] = (await store.claim('ocr', NODE, 3, AT_MS)) as [
        TaskRecord,
        TaskRecord,
        TaskRecord,
      ];
      expect(await held()).toEqual(['t0000', 't0001', 't0002']);
      const started = await takeStep(store, first, { type: 'start', node: NODE });
      const told = await takeStep(store, started, { type: 'text', text: 'a' });
      expect(await held()).toEqual(['t0000', 't0001', 't0002']);
      await takeStep(store, told, { type: 'succeed', result: 1 }, AT_MS, NODE);
      expect(await held()).toEqual(['t0001', 't0002']);
      await takeStep(store, second, { type: 'give-back' }, AT_MS, NODE);
      expect(await held()).toEqual(['t0002']);
      await takeStep(store, third, { type: 'cancel' });
      expect(await held()).toEqual([]);
      expect(await store.held('n2')).toEqual([]);
      expect(idsOf(await store.claim('ocr', 'n2', 9, AT_MS))).toHaveLength(3);
      expect(await store.held('n2')).toHaveLength(3);
    });

    test('QUEUE-11: a node hears of what others take from it, and not of its own doing', async (store, {
      other,
    }) => {
      const second = (await other?.()) ?? store;
      const taken: string[] = [];
      const unlisten = store.listen(NODE, (id) => taken.push(id));
      const strange: string[] = [];
      const unlistenStrange = store.listen('n2', (id) => strange.push(id));
      let time = 0;
      const takeOne = async () => {
        time += 1;
        await keepTasks(store, aTask(`own${time}`));
        const own = await startOne(store);
        const told = await takeStep(second, own, { type: 'text', text: 'a' }, AT_MS, 'n2');
        await takeStep(store, told, { type: 'succeed', result: 1 }, AT_MS, NODE);
        await keepTasks(store, aTask(`started${time}`));
        await takeStep(second, await startOne(store), { type: 'cancel' });
        await keepTasks(store, aTask(`claimed${time}`));
        await takeStep(second, await claimOne(store), { type: 'cancel' }, AT_MS, 'n2');
        await keepTasks(store, aTask(`crashed${time}`));
        const crash = { type: 'crash', reason: 'It died.' } as const;
        const crashed = await takeStep(second, await startOne(store), crash);
        await takeStep(second, crashed, { type: 'cancel' });
      };
      const kinds = () => new Set(taken.map((id) => id.replace(/\d+$/, '')));
      await until(takeOne, () => kinds().size === 3);
      expect([...kinds()].sort()).toEqual(['claimed', 'crashed', 'started']);
      expect(new Set(taken).size).toBe(taken.length);
      expect(strange).toEqual([]);
      unlisten();
      unlistenStrange();
      const before = taken.length;
      const last: string[] = [];
      const unlistenLast = store.listen(NODE, (id) => last.push(id));
      await until(takeOne, () => last.length > 0);
      expect(taken).toHaveLength(before);
      unlistenLast();
    });
  });
}
