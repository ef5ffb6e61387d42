/** A cluster of task workers on a store in memory, as tests drive it. */

import { changeTask } from '../tasks/change-task.ts';
import { createMemoryTaskStore } from '../tasks/memory-task-store.ts';
import type { TaskChange, TaskStore } from '../tasks/ports.ts';
import { createTaskCluster, type Mishaps, type ScriptedRun } from './task-cluster.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** Lets everything that can go on without time go on. */
export async function settleTasks(turns = 80): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await null;
}

/** A cluster whose calls to the store are counted. */
export function createTaskBench(mishaps: Mishaps = {}, types = ['ocr']) {
  const clock = createVirtualClock();
  const kept = createMemoryTaskStore();
  const commits: (readonly TaskChange[])[] = [];
  const claims: number[] = [];
  const store: TaskStore = {
    ...kept,
    claim(type, node, limit, nowMs) {
      claims.push(limit);
      return kept.claim(type, node, limit, nowMs);
    },
    commit(changes, by) {
      commits.push(changes);
      return kept.commit(changes, by);
    },
  };
  const cluster = createTaskCluster({ store, clock, types, random: () => 0, mishaps });
  return {
    clock,
    store,
    cluster,
    commits,
    claims,
    async state(id: string) {
      const record = await kept.get(id);
      if (record === undefined) throw new Error(`${id} is gone`);
      return record.state;
    },
    async events(id: string) {
      const { epoch } = await kept.head(id);
      return await kept.read(id, { epoch, seq: 0 }, 100);
    },
    run(index = 0): ScriptedRun {
      const run = cluster.runs[index];
      if (run === undefined) throw new Error(`no attempt ${index} is under way`);
      return run;
    },
    cancel: (id: string) =>
      changeTask(kept, id, { type: 'cancel' }, { nowMs: clock.nowMs(), random: 0 }),
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 50) {
        await clock.advance(Math.min(50, left));
        await settleTasks();
      }
    },
  };
}
