import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it } from 'vitest';
import { TEST_ENGINE, testEnvironment } from '../testing/test-engine-task.ts';
import { childEnvironment } from './child-environment.ts';
import { startEngineChild } from './engine-child.ts';

it('ENGINE-4: a heap that is full before anyone looks names the setting too', async () => {
  const child = startEngineChild({
    id: 'engine-1',
    env: childEnvironment({ ...process.env, ...testEnvironment() }, [TEST_ENGINE]),
    memoryLimitBytes: 64 * 1024 * 1024,
    logger: createSilentLogger(),
  });
  expect(await child.ready).toBe(true);
  const outcome = await child.run({
    taskId: 'tsk_1',
    engine: 'test',
    params: { allocateHeapMb: 1_000 },
    files: [],
    news: () => undefined,
  });
  expect(outcome).toEqual({
    type: 'crashed',
    reason: 'The engine took more memory than it may: WORKER_MEMORY_MB is 64.',
  });
  await child.gone;
  expect(child.isAlive()).toBe(false);
});
