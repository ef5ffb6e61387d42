/** Tasks for tests. */

import type { Submission, TaskChange, TaskStore } from '../tasks/ports.ts';
import type { TaskRecord, TaskSpec } from '../tasks/task.ts';
import { newTask, stepTask, type TaskStep } from '../tasks/task-machine.ts';

/** When the tasks of {@link aTask} are accepted: 2030-01-01. */
export const TASK_TIME_MS = Date.UTC(2030, 0, 1);

/** A task that has just been accepted. */
export function aTask(id: string, spec: Partial<TaskSpec> = {}): TaskRecord {
  return newTask({
    id,
    type: 'ocr',
    owner: 'ada',
    priority: 5,
    timeoutMs: 300_000,
    maxAttempts: 3,
    createdAtMs: TASK_TIME_MS,
    input: { params: {}, files: [] },
    ...spec,
  });
}

/** A submission of tasks that leaves room for more. */
export function aSubmission(
  tasks: readonly TaskRecord[],
  more: Partial<Submission> = {},
): Submission {
  return { tasks, maxQueuedPerOwner: 1_000_000, maxQueued: 1_000_000, ...more };
}

/** What a step makes of a task. Fails where the step does not concern it. */
export function aChange(
  before: TaskRecord,
  step: TaskStep,
  nowMs: number = TASK_TIME_MS,
  random = 0,
): TaskChange {
  const change = stepTask(before, step, nowMs, random);
  if (change === undefined) throw new Error(`${step.type} does not concern a task like this`);
  return change;
}

/** The record after a change. */
export function recordAfter({ before, state }: TaskChange): TaskRecord {
  return { spec: before.spec, state };
}

/** Keeps tasks, one call each, in their order. */
export async function keepTasks(store: TaskStore, ...tasks: readonly TaskRecord[]): Promise<void> {
  for (const task of tasks) {
    const outcome = await store.submit(aSubmission([task]));
    if (outcome.type !== 'kept') throw new Error(`the task was not kept: ${outcome.type}`);
  }
}

/** Makes a step that MUST be made; gives the record after it. */
export async function takeStep(
  store: TaskStore,
  before: TaskRecord,
  step: TaskStep,
  nowMs: number = TASK_TIME_MS,
  by?: string,
): Promise<TaskRecord> {
  const change = aChange(before, step, nowMs);
  const [isMade] = await store.commit([change], by);
  if (isMade !== true) throw new Error(`${step.type} was refused`);
  return recordAfter(change);
}
