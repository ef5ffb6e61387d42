/** Many random tasks at once, on nodes and engines that are killed meanwhile. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CLAIMS_PER_HOST } from '@headwater/shared/callbacks/outbox-store';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HostSettings } from '../hosts/host.ts';
import { type MortalNodes, playTask, type Theatre } from './play-task.ts';
import { queueStatus } from './quiet-queue.ts';
import { type Schedule, schedules } from './random-task.ts';
import { callerWith } from './task-caller.ts';
import { INTERNAL_KEY, WORKERS } from './task-node.ts';
import { startSurroundings } from './task-world.ts';

/** Schedules a host goes through. */
const SCHEDULES = 200;

/** Schedules at the same time. */
const AT_ONCE = 50;

/** Longest wait for a moment at which every node is at work, in ms. */
const BUSY_MS = 2_000;

/** Attempts of a task: more than kills that may hit it. */
const SETTINGS: HostSettings = { TASK_MAX_ATTEMPTS: '12' };

/** Starts nodes with these settings. */
export type StartMortals = (settings: HostSettings) => Promise<MortalNodes>;

/** Declares the test. */
export function describeTaskChaos(name: string, seed: number, start: StartMortals): void {
  const title = `TASK-6, TASK-7, QUEUE-7, QUEUE-22: ${name}: ${SCHEDULES} random schedules end each task once, and lose none (seed ${seed})`;
  it.runIf(process.platform === 'linux')(
    title,
    async () => {
      const all = fc.sample(schedules, { numRuns: SCHEDULES, seed });
      const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
      const chances = fc.sample(unit, { numRuns: 100, seed });
      const { receiver, settings, close } = await startSurroundings();
      const nodes = await start({ ...settings, ...SETTINGS });
      const theatre: Theatre = { name, nodes, receiver, worked: new Set(), claimed: new Set() };
      const { claimed } = theatre;
      let killed = 0;
      let engines = 0;
      try {
        for (let from = 0; from < all.length; from += AT_ONCE) {
          const round = { isOver: false };
          const harassing = harass(theatre, round, chances.slice(from / AT_ONCE));
          const playing = playRound(theatre, all, from);
          // The first round warms up.
          if (from > 0) {
            await sleep(200 + 600 * (chances[from % chances.length] ?? 0));
            await busyMoment(theatre);
            await nodes.replace();
            killed += 1;
          }
          const report = await playing;
          round.isOver = true;
          engines += await harassing;
          expect(report).toEqual([]);
        }
        expect(claimed.size).toBeLessThanOrEqual(killed * CLAIMS_PER_HOST);
      } finally {
        await nodes.close();
        await close();
      }
      process.stdout.write(
        `${name}: ${all.length} schedules, ${killed} nodes and ${engines} engines killed, ${claimed.size} callbacks wait for a claim, seed ${seed}\n`,
      );
    },
    120_000,
  );
}

/** Plays some of the schedules at once; what went wrong with which. */
async function playRound(theatre: Theatre, all: readonly Schedule[], from: number) {
  const round = all.slice(from, from + AT_ONCE);
  const wrong = await Promise.all(
    round.map((schedule, at) => playTask(theatre, from + at, schedule)),
  );
  return wrong.flatMap((faults, at) =>
    faults.length === 0 ? [] : [{ schedule: from + at, plan: round[at], faults }],
  );
}

/** Waits until so many tasks run that each node has at least one, or for a while. */
async function busyMoment({ nodes }: Theatre): Promise<void> {
  const live = nodes.live();
  const enough = (live.length - 1) * WORKERS + 1;
  const operator = callerWith(live.at(-1)?.baseUrl ?? '', { 'x-api-key': INTERNAL_KEY });
  const untilMs = Date.now() + BUSY_MS;
  while ((await queueStatus(operator)).running < enough && Date.now() < untilMs) await sleep(10);
}

/**
 * Kills an engine now and then, for as long as the round goes on; says how many. Only those that
 * have worked before: where every start is killed, nothing is ever done.
 */
async function harass(
  { nodes, worked }: Theatre,
  round: { readonly isOver: boolean },
  chances: readonly number[],
): Promise<number> {
  let killed = 0;
  for (const chance of chances) {
    await sleep(500 + 700 * chance);
    if (round.isOver) break;
    const pids = nodes.live().flatMap((node) => node.processes().filter((pid) => worked.has(pid)));
    const pid = pids[Math.floor(chance * pids.length)];
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
      killed += 1;
    } catch {
      // It has just ended by itself.
    }
  }
  return killed;
}
