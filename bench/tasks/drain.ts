/** How fast tasks that wait are worked off, and how fairly. */

import type { Drained, DrainJob } from './messages.ts';
import { interleave, jainIndex } from './shares.ts';
import { endChild, redisCpuMs, type Started, type TaskContext } from './task-context.ts';
import type { TaskRound, TaskServer } from './task-round.ts';

/** Callers of the tasks whose rate is measured. */
const CALLERS = 10;

type Job = Omit<DrainJob, 'type'>;

/** Asks both sides in turn, on one Redis. */
async function withSides(
  context: TaskContext,
  use: (
    drain: (server: 'cluster' | 'BullMQ', job: Job) => Promise<Drained & { redisMs: number }>,
  ) => Promise<TaskRound[]>,
): Promise<TaskRound[]> {
  return context.withRedis(async (redis) => {
    const cluster = await context.startProgram('cluster-drain', redis);
    const bullmq = await context.startProgram('bullmq-drain', redis);
    const sides: Readonly<Partial<Record<TaskServer, Started>>> = { cluster, BullMQ: bullmq };
    const rounds = await use(async (server, job) => {
      const beforeMs = await redisCpuMs(redis);
      const drained = await sides[server]?.ask<Drained>({ type: 'drain', ...job });
      if (drained === undefined) throw new Error(`${server} is not there`);
      context.failures.push(...drained.failures.map((failure) => `${server}: ${failure}`));
      return { ...drained, redisMs: (await redisCpuMs(redis)) - beforeMs };
    });
    for (const { child } of [cluster, bullmq]) await endChild(child);
    return rounds;
  });
}

/** All rounds of no-op tasks, without and with child processes. */
export function measureDrain(context: TaskContext): Promise<TaskRound[]> {
  const { plan, progress } = context;
  const { tasks, inChildren, children } = plan.drain;
  const loads = [
    { figure: 'drained', tasks, concurrency: plan.concurrency, inChildren: false },
    { figure: 'drainedInChildren', tasks: inChildren, concurrency: children, inChildren: true },
  ] as const;
  return withSides(context, async (drain) => {
    const rounds: TaskRound[] = [];
    // The first round does not count: in it code is compiled, and children are started.
    for (let round = 0; round <= plan.rounds; round += 1) {
      if (round > 0) progress(`tasks finished, round ${round} of ${plan.rounds}`);
      for (const { figure, tasks: count, ...how } of loads) {
        const owners = Array.from({ length: count }, (_, at) => `caller-${at % CALLERS}`);
        for (const server of ['cluster', 'BullMQ'] as const) {
          const { wallMs, cpuMs, redisMs } = await drain(server, { owners, ...how });
          if (round === 0) continue;
          rounds.push({
            figure,
            server,
            round,
            value: (count * 1000) / wallMs,
            cpuUsPerTask: (cpuMs * 1000) / count,
            redisUsPerTask: (redisMs * 1000) / count,
          });
        }
      }
    }
    return rounds;
  });
}

/** One who sends many tasks, among others who send few. */
export function measureFairness(context: TaskContext): Promise<TaskRound[]> {
  const { plan, progress } = context;
  const { many, few, others } = plan.fairness;
  return withSides(context, async (drain) => {
    progress('fairness');
    const owners = interleave(many, few, others);
    const rounds: TaskRound[] = [];
    for (const server of ['cluster', 'BullMQ'] as const) {
      const job = { owners, concurrency: plan.concurrency, inChildren: false };
      const { shares } = await drain(server, job);
      rounds.push({ figure: 'fairness', server, round: 1, value: jainIndex(shares) });
    }
    return rounds;
  });
}
