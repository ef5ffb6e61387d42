/** The black-box suite of tasks: it knows an address, and runs alike on every host. */

import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeAsking } from './asking.ts';
import { describeBadInputs } from './bad-inputs.ts';
import { describeBatching } from './batching.ts';
import { describeFailing } from './failing.ts';
import { describeFollowing } from './following.ts';
import { describeRepeating } from './repeating.ts';
import { describeStopping } from './stopping.ts';
import { describeSubmitting } from './submitting.ts';
import { describeTurns } from './taking-turns.ts';
import type { StartTaskHost } from './task-hosts.ts';
import { startTaskWorld, type TaskWorld } from './task-world.ts';
import { describeTelling } from './telling.ts';
import { describeWatching } from './watching.ts';

/** Describes the whole suite for a host; `describeLast` may leave it broken. */
export function describeTaskApi(
  name: string,
  startHost: StartTaskHost,
  describeLast: (world: () => TaskWorld) => void = () => undefined,
): void {
  // What is left of engines and files is seen in /proc.
  describe.runIf(process.platform === 'linux')(`tasks: ${name}`, () => {
    let running: TaskWorld | undefined;
    const world = (): TaskWorld => {
      if (running === undefined) throw new Error('the host is not running');
      return running;
    };
    beforeAll(async () => {
      running = await startTaskWorld(startHost);
    }, 90_000);
    afterAll(async () => {
      const nodes = running?.host.nodes ?? [];
      await running?.close();
      // Whatever went on, nothing is left of it.
      expect(nodes.flatMap((node) => node.processes())).toEqual([]);
    }, 30_000);

    describe('submitting', () => describeSubmitting(world));
    describe('following', () => describeFollowing(world));
    describe('telling', () => describeTelling(world));
    describe('stopping', () => describeStopping(world));
    describe('batching', () => describeBatching(world));
    describe('repeating', () => describeRepeating(world));
    describe('taking turns', () => describeTurns(world));
    describe('failing', () => describeFailing(world));
    describe('asking', () => describeAsking(world));
    describe('bad inputs', () => describeBadInputs(world));
    describe('watching', () => describeWatching(world));
    describeLast(world);
  });
}
