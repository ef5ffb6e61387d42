/** Failing vendors in front of a host that is impatient with them. */

import { afterAll, beforeAll, describe } from 'vitest';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { startWorld, type World } from '../hosts/world.ts';
import { describeBreaker, TOUCHY } from './breaker.ts';
import { describeFallback } from './fallback.ts';
import { describeUpstreamFaults } from './upstream.ts';

/** Seconds, short enough for a test and far longer than a good answer takes. */
const IMPATIENCE: HostSettings = {
  UPSTREAM_CONNECT_TIMEOUT_SECONDS: '3',
  UPSTREAM_FIRST_TOKEN_TIMEOUT_SECONDS: '3',
  UPSTREAM_IDLE_TIMEOUT_SECONDS: '3',
  UPSTREAM_TOTAL_TIMEOUT_SECONDS: '6',
};

/** Describes the suite for a host. */
export function describeFaults(
  name: string,
  startHost: (settings: HostSettings) => Promise<RunningHost>,
): void {
  describe(`faults: ${name}`, () => {
    describe('of a host that is impatient', () => {
      const world = useWorld((settings) => startHost({ ...settings, ...IMPATIENCE }));
      describe('upstream', () => describeUpstreamFaults(world));
      describe('fallback', () => describeFallback(world));
    });
    describe('of a host that gives a vendor up soon', () => {
      describeBreaker(useWorld((settings) => startHost({ ...settings, ...TOUCHY })));
    });
  });
}

/** A world for the tests of the suite around it. */
function useWorld(startHost: (settings: HostSettings) => Promise<RunningHost>): () => World {
  let running: World | undefined;
  beforeAll(async () => {
    running = await startWorld(startHost);
  }, 90_000);
  afterAll(async () => {
    await running?.close();
  }, 30_000);
  return () => {
    if (running === undefined) throw new Error('the host is not running');
    return running;
  };
}
