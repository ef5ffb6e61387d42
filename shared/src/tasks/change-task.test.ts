import { describe, expect, it } from 'vitest';
import { aTask, TASK_TIME_MS as NOW_MS } from '../testing/task-fixtures.ts';
import { changeTask } from './change-task.ts';
import type { TaskStore } from './ports.ts';
import type { TaskRecord } from './task.ts';
import { newTask, stepTask, type TaskStep } from './task-machine.ts';

const AT = { nowMs: NOW_MS, random: 0 };

const SPEC = aTask('task_1').spec;

/** A store of one task, in which someone else does a step before each of our commits, for a while. */
function createContested(others: TaskStep[]) {
  let record: TaskRecord = newTask(SPEC);
  const asked: (string | undefined)[] = [];
  const store: Pick<TaskStore, 'get' | 'commit'> = {
    get: (id) => (id === SPEC.id ? record : undefined),
    commit(changes, by) {
      asked.push(by);
      const other = others.shift();
      const theirs = other === undefined ? undefined : stepTask(record, other, NOW_MS, 0);
      if (theirs !== undefined) record = { spec: SPEC, state: theirs.state };
      return changes.map(({ before, state }) => {
        if (before.state.version !== record.state.version) return false;
        record = { spec: SPEC, state };
        return true;
      });
    },
  };
  return { store, asked, record: () => record };
}

describe('changeTask', () => {
  it('TASK-1: decides anew when someone else was faster', async () => {
    const others: TaskStep[] = [
      { type: 'start', node: 'n1' },
      { type: 'progress', progress: 0.5 },
    ];
    const { store, asked, record } = createContested(others);
    const changed = await changeTask(store, 'task_1', { type: 'cancel' }, { ...AT, by: 'n2' });
    expect(changed?.state).toMatchObject({ status: 'canceled', version: 4, attempts: 1 });
    expect(changed).toEqual(record());
    expect(asked).toEqual(['n2', 'n2', 'n2']);
  });

  it('TASK-1: leaves an end that someone else was faster with', async () => {
    const { store } = createContested([{ type: 'cancel' }]);
    const start: TaskStep = { type: 'start', node: 'n1' };
    const changed = await changeTask(store, 'task_1', start, AT);
    expect(changed?.state).toMatchObject({ status: 'canceled', version: 2 });
  });

  it('TASK-1: a record that is over already stays as it is, also where the store gives that very one', async () => {
    const { store, record } = createContested([]);
    await changeTask(store, 'task_1', { type: 'cancel' }, AT);
    const over = record();
    expect(await changeTask(store, over, { type: 'cancel' }, AT)).toEqual(over);
  });

  it('TASK-1: begins with the record it is given, and goes on with the newest', async () => {
    const { store, record } = createContested([]);
    const stale = record();
    await changeTask(store, stale, { type: 'start', node: 'n1' }, AT);
    const changed = await changeTask(store, stale, { type: 'succeed', result: 1 }, AT);
    expect(changed?.state).toMatchObject({ status: 'succeeded', version: 3 });
  });

  it('TASK-1: a step can depend on the newest record, and can be none', async () => {
    const { store } = createContested([{ type: 'start', node: 'n1' }]);
    const seen: string[] = [];
    const changed = await changeTask(
      store,
      'task_1',
      ({ state }) => {
        seen.push(state.status);
        return state.status === 'queued' ? { type: 'cancel' } : undefined;
      },
      AT,
    );
    expect(seen).toEqual(['queued', 'running']);
    expect(changed?.state.status).toBe('running');
  });

  it('TASK-1: an unknown task is none', async () => {
    const { store, asked } = createContested([]);
    expect(await changeTask(store, 'task_2', { type: 'cancel' }, AT)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('TASK-1: a store that refuses for ever is no endless loop', async () => {
    const { store } = createContested([]);
    const refusing = { ...store, commit: () => [false] };
    await expect(changeTask(refusing, 'task_1', { type: 'cancel' }, AT)).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});
