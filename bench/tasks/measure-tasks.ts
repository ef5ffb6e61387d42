/** Runs the parts of the scorecard that are about tasks, one after the other. */

import type { Row } from '../rows.ts';
import { measureAccept } from './accept.ts';
import { measureCancel } from './cancel.ts';
import { measureDrain, measureFairness } from './drain.ts';
import { lackOfRedis } from './find-redis.ts';
import { measureLoopDelay } from './loop-delay.ts';
import { measureBullmqRecovery, measureRecovery } from './recovery.ts';
import { createTaskContext, type TaskOptions } from './task-context.ts';
import type { TaskRound } from './task-round.ts';

/** What was measured, and what went wrong. */
export interface TaskMeasurements {
  readonly tasks: readonly TaskRound[];
  readonly failures: readonly string[];
  /** Why nothing could be measured. */
  readonly missing?: string;
}

/** Measures the rows that were asked for. */
export async function measureTasks(
  options: TaskOptions,
  rows: readonly Row[],
): Promise<TaskMeasurements> {
  const wants = (row: Row) => rows.includes(row);
  if (!rows.some((row) => row.startsWith('tasks-'))) return { tasks: [], failures: [] };
  const lack = await lackOfRedis(options.stop);
  if (lack !== undefined) return { tasks: [], failures: [], missing: `no Redis: ${lack}` };
  const context = createTaskContext(options);
  // It waits for about a minute and does nothing meanwhile: the others need not wait with it.
  const waitsForBullmq = wants('tasks-recovery') && options.plan.recovery.bullmq;
  const bullmqRecovery = waitsForBullmq ? measureBullmqRecovery(context) : undefined;
  // Heard of at the end, or not at all where another part fails first.
  bullmqRecovery?.catch(() => undefined);
  const tasks: TaskRound[] = [];
  if (wants('tasks-accept')) tasks.push(...(await measureAccept(context)));
  if (wants('tasks-drain')) tasks.push(...(await measureDrain(context)));
  if (wants('tasks-fairness')) tasks.push(...(await measureFairness(context)));
  if (wants('tasks-recovery')) tasks.push(...(await measureRecovery(context)));
  if (wants('tasks-cancel')) tasks.push(...(await measureCancel(context)));
  if (wants('tasks-loop')) tasks.push(...(await measureLoopDelay(context)));
  if (bullmqRecovery !== undefined) {
    options.progress("BullMQ's own recovery");
    tasks.push(await bullmqRecovery);
  }
  return { tasks, failures: context.failures };
}
