/** A pool of real children with the test engine, for the tests of one file. */

import { readFileSync } from 'node:fs';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import {
  createEnginePool,
  type EnginePoolOptions,
  type SupervisedPool,
} from '../engines/engine-pool.ts';
import { TEST_ENGINE, testEnvironment } from './test-engine-task.ts';

export interface TestPool extends SupervisedPool {
  readonly logger: ReturnType<typeof createSilentLogger>;
  /** All that was logged, as one text. */
  logged(): string;
}

/** Opens it, with two children at most. */
export function openTestPool(options: Partial<EnginePoolOptions> = {}): TestPool {
  const logger = createSilentLogger();
  const pool = createEnginePool({
    size: 2,
    memoryLimitBytes: 512 * 1024 * 1024,
    blobs: { lend: () => Promise.reject(new Error('this test has no files')) },
    env: { ...process.env, ...testEnvironment() },
    logger,
    engineModules: [TEST_ENGINE],
    clock: { nowMs: () => Date.now() },
    ...options,
  });
  return { ...pool, logger, logged: () => JSON.stringify(logger.lines) };
}

/** True while a process is there, and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    // Gone.
    return false;
  }
}
