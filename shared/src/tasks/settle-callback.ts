/** Hands the callback of a task that is over to the outbox, once in effect. */

import type { Outbox } from '../stream/ports.ts';
import { changeTask } from './change-task.ts';
import type { TaskStore } from './ports.ts';
import type { TaskRecord } from './task.ts';
import { callbackBody } from './task-view.ts';

/** Id of a task's callback, in `webhook-id` and in the outbox: the task's own. */
export function taskCallbackId(taskId: string): string {
  return taskId;
}

/** What settling a callback takes. */
export interface SettleCallbackPorts {
  readonly store: Pick<TaskStore, 'get' | 'commit'>;
  readonly outbox: Pick<Outbox, 'enqueue'>;
}

/**
 * Keeps the callback in the outbox, then says so in the task. Nothing where none is owed. A crash
 * between the two leaves it owed, and the same id again changes nothing in the outbox. Errors: what
 * the store or the outbox throws; it is still owed then.
 */
export async function settleCallback(
  { store, outbox }: SettleCallbackPorts,
  record: TaskRecord,
): Promise<void> {
  const { spec, state } = record;
  if (state.callback !== 'owed' || spec.callbackUrl === undefined) return;
  await outbox.enqueue({
    id: taskCallbackId(spec.id),
    url: spec.callbackUrl,
    body: callbackBody(record),
  });
  await changeTask(store, record, { type: 'callback-kept' }, { nowMs: 0, random: 0 });
}
