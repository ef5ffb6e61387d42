import { describe, expect, it } from 'vitest';
import { aChange, aTask, keepTasks } from '../testing/task-fixtures.ts';
import { describeTaskStore } from '../testing/task-store-contract.ts';
import { createMemoryTaskStore } from './memory-task-store.ts';

describeTaskStore('memory', (test) => {
  const store = createMemoryTaskStore();
  return test({ store, other: () => store });
});

describe('a task store of one process', () => {
  it('QUEUE-18: a listener that fails costs no other one its word, and no change', async () => {
    const store = createMemoryTaskStore();
    let hints = 0;
    store.watch('t1', () => {
      throw new Error('no');
    });
    store.watch('t1', () => {
      hints += 1;
    });
    await keepTasks(store, aTask('t1'));
    expect(await store.commit([aChange(aTask('t1'), { type: 'cancel' })])).toEqual([true]);
    expect(hints).toBe(1);
  });

  it('QUEUE-18: whoever is told of a change sees it, and may make the next one', async () => {
    const store = createMemoryTaskStore();
    await keepTasks(store, aTask('t1'));
    const seen: unknown[] = [];
    store.watch('t1', async () => {
      const record = await store.get('t1');
      seen.push(record?.state.status);
      if (record?.state.status === 'running') {
        seen.push(await store.commit([aChange(record, { type: 'cancel' })]));
      }
    });
    await store.commit([aChange(aTask('t1'), { type: 'start', node: 'n1' })]);
    await Promise.resolve();
    await Promise.resolve();
    expect(seen).toEqual(['running', 'canceled', [true]]);
    expect(await store.held('n1')).toEqual([]);
  });
});
