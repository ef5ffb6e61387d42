/**
 * A process with an engine pool whose children are busy, until it is killed. It prints their pids,
 * and those of the programs they have started: a line a child.
 */

import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { createEnginePool } from '../engines/engine-pool.ts';
import { aTestTask, TEST_ENGINE, testEnvironment } from './test-engine-task.ts';

const pool = createEnginePool({
  size: 2,
  memoryLimitBytes: 512 * 1024 * 1024,
  blobs: {
    lend: () => Promise.reject(new Error('no files here')),
  },
  env: { ...process.env, ...testEnvironment() },
  logger: createSilentLogger(),
  engineModules: [TEST_ENGINE],
  clock: { nowMs: () => Date.now() },
});

for (const index of [1, 2]) {
  const params = { startProgram: true, hang: true };
  void pool.run(aTestTask({ id: `tsk_${index}`, params }), new AbortController().signal, (news) => {
    if (news.type === 'text') process.stdout.write(`${news.text}\n`);
  });
}
