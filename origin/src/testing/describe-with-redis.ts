/** Suites that need a real Redis. */

import { describe, expect, it } from 'vitest';
import { redisMissing } from './redis-server.ts';

/** Declares a suite. Without redis-server it is a visible skip, and a failure in CI. */
export function describeWithRedis(name: string, suite: () => void): void {
  const missing = redisMissing();
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  describe(name, () => {
    it(`runs on a real Redis (${missing})`, (context) => {
      const { CI } = process.env;
      if (CI) expect.fail(missing);
      context.skip(missing);
    });
  });
}
