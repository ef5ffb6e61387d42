/** Suites that need a real Redis and a real Postgres. */

import { describeWithPostgres } from '../../origin/src/testing/describe-with-postgres.ts';
import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';

/** Declares a suite. Without the servers it is a visible skip, and a failure in CI. */
export function describeWithServers(name: string, suite: () => void): void {
  describeWithRedis(name, () => describeWithPostgres('with Postgres', suite));
}
