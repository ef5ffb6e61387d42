/** The black-box suite: it knows a base URL, and runs alike on every host. */

import { afterAll, beforeAll, describe } from 'vitest';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { startWorld, type World } from '../hosts/world.ts';
import { describeAccess } from './access.ts';
import { describeBadInput } from './bad-input.ts';
import { describeCallbacks } from './callbacks.ts';
import { describeDisconnect } from './disconnect.ts';
import { describeIdempotency } from './idempotency.ts';
import { describeLimits } from './limits.ts';
import { describeLogLines } from './log-lines.ts';
import { describeMainJob } from './main-job.ts';
import { describeOpenAIApi } from './openai-api.ts';
import { describeOpenAIFaults } from './openai-faults.ts';
import { describeReaders } from './readers.ts';
import { describeSilence } from './silence.ts';
import { describeSockets } from './sockets.ts';

/** Describes the whole suite for a host. */
export function describeConformance(
  name: string,
  startHost: (settings: HostSettings) => Promise<RunningHost>,
): void {
  describe(`conformance: ${name}`, () => {
    let running: World | undefined;
    const world = (): World => {
      if (running === undefined) throw new Error('the host is not running');
      return running;
    };
    beforeAll(async () => {
      running = await startWorld(startHost);
    }, 90_000);
    afterAll(async () => {
      await running?.close();
    }, 30_000);

    const silence = describeSilence(world);
    describe('bad input', () => describeBadInput(world));
    // Side by side where tests mostly wait: for a lifetime, a grace time, the pause before a repetition.
    describe.concurrent('main job', () => describeMainJob(world));
    describe('readers', () => describeReaders(world));
    describe('sockets', () => describeSockets(world));
    describe('access', () => describeAccess(world));
    describe.concurrent('callbacks', () => describeCallbacks(world));
    describe('idempotency', () => describeIdempotency(world));
    describe('limits', () => describeLimits(startHost));
    describe.concurrent('disconnect', () => describeDisconnect(world));
    describe('openai api', () => describeOpenAIApi(world));
    describe('openai faults', () => describeOpenAIFaults(world));
    describe('silence', silence.check);
    describe('logs', () => describeLogLines(world));
  });
}
