/** Tasks of the engine that can be watched. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, readAttempts } from './life-engine.ts';
import type { TaskContext, TaskNode } from './task-context.ts';

/** Longest wait for an attempt, in ms: far beyond any bound. */
const PATIENCE_MS = 30_000;

/** Pause between two looks at a file or a process, in ms. */
const LOOK_MS = 2;

/** A task that is under way. */
export interface LifeTask {
  readonly id: string;
  readonly url: string;
  /** What it tells of itself. */
  readonly life: string;
  readonly headers: Readonly<Record<string, string>>;
}

let submitted = 0;

/** Submits one. Rejects where it is not accepted. */
export async function submitLife(
  context: TaskContext,
  { baseUrl }: TaskNode,
  work: { readonly workMs: number; readonly burn: boolean },
): Promise<LifeTask> {
  submitted += 1;
  const life = join(context.directory, `life-${submitted}`);
  const headers = { authorization: `Bearer ${await context.tokenOf('bench')}` };
  const response = await fetch(`${baseUrl}/api/v1/tasks/life`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ life, ...work }),
    signal: context.stop,
  });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`POST tasks/life: ${response.status} ${text}`);
  const { task_id: id } = JSON.parse(text) as { task_id: string };
  return { id, url: `${baseUrl}/api/v1/tasks/${id}`, life, headers };
}

/** Its n-th attempt, once that has begun. */
export async function attemptOf(
  { life }: LifeTask,
  n: number,
  stop: AbortSignal,
): Promise<Attempt> {
  const attempts = () => readAttempts(life);
  await until(() => attempts().length >= n, `attempt ${n} of a task`, stop);
  const attempt = attempts()[n - 1];
  if (attempt === undefined) throw new Error('the attempt is gone');
  return attempt;
}

/** Waits for something. Rejects after a time in which it should have come many times. */
export async function until(holds: () => boolean, what: string, stop: AbortSignal): Promise<void> {
  const untilMs = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > untilMs) throw new Error(`${what} did not come within ${PATIENCE_MS} ms`);
    await sleep(LOOK_MS, undefined, { signal: stop });
  }
}

/** True as long as there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
