/** Tasks for the test engine, and where it is. */

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { InputFile, Json, TaskRecord, TaskSpec } from '@headwater/shared/tasks/task';
import { newTask } from '@headwater/shared/tasks/task-machine';
import { attemptsFile } from './test-engine.ts';

/** For `TASK_ENGINES`. */
export const TEST_ENGINE = fileURLToPath(new URL('./test-engine.ts', import.meta.url));

/** Forgets the attempts that the test engine has counted under a key. */
export function forgetAttempts(key: string): void {
  rmSync(attemptsFile(key), { force: true });
}

/** The least settings of an origin. */
export function testEnvironment(): Record<string, string> {
  return { JWT_SECRET: 'a secret of thirty-two bytes or more', DEV_MODE: 'true' };
}

/** A queued task of type `test`, with a minute for each attempt. */
export function aTestTask(
  task: {
    readonly params?: { readonly [name: string]: Json };
    readonly files?: readonly InputFile[];
  } & Partial<Omit<TaskSpec, 'input'>> = {},
): TaskRecord {
  const { params = {}, files = [], ...spec } = task;
  return newTask({
    id: 'tsk_1',
    type: 'test',
    owner: 'alice',
    priority: 5,
    timeoutMs: 60_000,
    maxAttempts: 3,
    createdAtMs: 0,
    input: { params, files },
    ...spec,
  });
}
