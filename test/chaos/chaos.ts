/** Many random schedules at once, on a host that is killed and started again in between. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RunningHost } from '../hosts/host.ts';
import { startWorld, type World } from '../hosts/world.ts';
import { playSchedule, schedules } from './schedule.ts';

/** Schedules a host goes through. */
const SCHEDULES = 200;

/** Schedules at the same time. */
const AT_ONCE = 50;

/** Of every so many rounds, one has its host killed. */
const KILL_EVERY = 2;

/** A host that can be killed and started again over what it has kept. */
export interface MortalHost {
  start(settings: Readonly<Record<string, string>>): Promise<RunningHost>;
}

/** Declares the test. */
export function describeChaos(name: string, seed: number, mortal: MortalHost): void {
  it(`STREAM-6, STREAM-16, STREAM-20, OUTBOX-1: ${name}: ${SCHEDULES} random schedules lose, double and reorder nothing (seed ${seed})`, async () => {
    const all = fc.sample(schedules, { numRuns: SCHEDULES, seed });
    let settings: Readonly<Record<string, string>> = {};
    const started = await startWorld(async (given) => {
      settings = { ...given, STREAM_TTL_SECONDS: '30' };
      return mortal.start(settings);
    });
    let host = started.host;
    const world: World = {
      ...started,
      get host() {
        return host;
      },
    };
    let kills = 0;
    try {
      for (let from = 0; from < all.length; from += AT_ONCE) {
        const round = all.slice(from, from + AT_ONCE);
        const playing = Promise.all(
          round.map((schedule, at) => playSchedule(world, `${name}-${from + at}`, schedule)),
        );
        if ((from / AT_ONCE) % KILL_EVERY === 1) {
          await new Promise((resolve) => setTimeout(resolve, 300 + ((seed * (from + 7)) % 500)));
          await host.kill();
          host = await mortal.start(settings);
          kills += 1;
        }
        const wrong = await playing;
        const report = wrong.flatMap((faults, at) =>
          faults.length === 0 ? [] : [{ schedule: from + at, plan: round[at], faults }],
        );
        expect(report).toEqual([]);
      }
    } finally {
      await host.close();
      await world.receiver.close();
      await world.vendor.close();
    }
    process.stdout.write(`${name}: ${all.length} schedules, ${kills} kills, seed ${seed}\n`);
  }, 240_000);
}
