import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** For what a test waits for: the second that is vitest's own is little on a busy machine. */
const PATIENCE = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    // Files wait for hosts, children and timers more than they work. All projects share the workers;
    // by their names the black-box files come first, which are the longest. Ten have ports of their own.
    maxWorkers: Math.min(availableParallelism() + 2, 10),
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: [
            'shared/src/**/*.test.ts',
            'origin/src/**/*.test.ts',
            'web/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
          ],
          setupFiles: ['shared/src/testing/patient-wait.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          expect: PATIENCE,
        },
      },
      './edge/vitest.config.ts',
      {
        test: {
          name: 'blackbox',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          testTimeout: 60_000,
          expect: PATIENCE,
        },
      },
    ],
  },
});
