/** Changes one task, whoever else changes it at the same time. */

import { GatewayError } from '../protocol/errors.ts';
import type { TaskStore } from './ports.ts';
import type { TaskRecord } from './task.ts';
import { stepTask, type TaskStep } from './task-machine.ts';

/** Races lost in a row after which something is wrong: each was won by a change of someone else. */
const MAX_RACES = 100;

/** When, by chance, and by whom. */
export interface ChangeOptions {
  readonly nowMs: number;
  /** In [0, 1): spreads pauses. */
  readonly random: number;
  /** The node that asks, where one does: it does not hear of it. */
  readonly by?: string;
}

/**
 * Reads the task, decides the step, commits, and begins again where someone else was faster; with a
 * record it begins from that one. `step` may be decided from the newest record: `undefined` changes
 * nothing. Resolves to the newest record, whether the step came too late or not; `undefined` where
 * the task is unknown. Errors: `conflict` after 100 lost races; what the store throws.
 */
export async function changeTask(
  store: Pick<TaskStore, 'get' | 'commit'>,
  task: string | TaskRecord,
  step: TaskStep | ((record: TaskRecord) => TaskStep | undefined),
  { nowMs, random, by }: ChangeOptions,
): Promise<TaskRecord | undefined> {
  const id = typeof task === 'string' ? task : task.spec.id;
  let isNewest = typeof task === 'string';
  let record = typeof task === 'string' ? await store.get(id) : task;
  for (let race = 0; race < MAX_RACES; race += 1) {
    if (record === undefined) return undefined;
    const next = typeof step === 'function' ? step(record) : step;
    if (next === undefined) return record;
    const change = stepTask(record, next, nowMs, random);
    if (change === undefined) {
      if (isNewest) return record;
    } else {
      const [made] = await store.commit([change], by);
      if (made) return { spec: record.spec, state: change.state };
    }
    record = await store.get(id);
    isNewest = true;
  }
  throw new GatewayError('conflict', 'The task changes too fast. Try again.');
}
