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

// One keeps its thread busy; the other hears of its parent's end there too.
for (const work of [{ hang: true }, { sleepMs: 600_000 }]) {
  const task = aTestTask({ params: { startProgram: true, ...work } });
  void pool.run(task, new AbortController().signal, (news) => {
    if (news.type === 'text') process.stdout.write(`${news.text}\n`);
  });
}
