/** Suites that need a real Postgres server. */

import { describe, expect, it } from 'vitest';
import { postgresMissing } from './postgres-server.ts';

/** Declares a suite. Without Postgres it is a visible skip, and a failure in CI. */
export function describeWithPostgres(name: string, suite: () => void): void {
  const missing = postgresMissing();
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  describe(name, () => {
    it(`runs on a real Postgres (${missing})`, (context) => {
      const { CI } = process.env;
      if (CI) expect.fail(missing);
      context.skip(missing);
    });
  });
}
