/** How fast tasks are accepted: over HTTP, beside what the queue beneath can do. */

import { readUsage } from '../processes/usage.ts';
import type { AddJob, PostJob, Timed } from './messages.ts';
import { endChild, redisCpuMs, type TaskContext } from './task-context.ts';
import type { TaskRound } from './task-round.ts';

/** Callers who take turns. */
const CALLERS = 10;

/** Rounds that do not count: the code of an HTTP server is compiled late. */
const WARM_UPS = 2;

const BODY = JSON.stringify({ echo: 'bench' });

/** One who is asked, and how. */
interface Side {
  readonly figure: TaskRound['figure'];
  readonly server: TaskRound['server'];
  readonly pid: number;
  /** Tasks of one round. */
  readonly tasks: number;
  run(tasks: number): Promise<Timed>;
}

/** All rounds; the servers take turns within a round, on one Redis. */
export function measureAccept(context: TaskContext): Promise<TaskRound[]> {
  const { plan, progress, failures } = context;
  return context.withRedis(async (redis) => {
    const [bare, app, load, node] = await Promise.all([
      context.startProgram('bullmq-add', redis),
      context.startProgram('fastify-add', redis),
      context.startProgram('http-load'),
      context.startNode({ name: 'api', redis, role: 'api' }),
    ]);
    const tokens = await Promise.all(
      Array.from({ length: CALLERS }, (_, at) => context.tokenOf(`caller-${at}`)),
    );
    const { tasks, batched, batchSize, batchConcurrency } = plan.accept;
    const post = (job: Omit<PostJob, 'type' | 'status'>) =>
      load.ask<Timed>({ type: 'post', status: 202, ...job } satisfies PostJob);
    const add = (jobs: number, atOnce: number, concurrency: number) =>
      bare.ask<Timed>({ type: 'add', jobs, atOnce, concurrency } satisfies AddJob);
    const batchOf = { type: 'test', echo: 'bench' };
    const batch = JSON.stringify({ tasks: Array.from({ length: batchSize }, () => batchOf) });
    const { concurrency } = plan;
    const sides: readonly Side[] = [
      {
        figure: 'accepted',
        server: 'cluster',
        pid: node.child.pid,
        tasks,
        run: (requests) =>
          post({
            url: `${node.baseUrl}/api/v1/tasks/test`,
            tokens,
            body: BODY,
            requests,
            concurrency,
          }),
      },
      {
        figure: 'accepted',
        server: 'BullMQ',
        pid: bare.child.pid,
        tasks,
        run: (jobs) => add(jobs, 1, concurrency),
      },
      {
        figure: 'accepted',
        server: 'Fastify + BullMQ',
        pid: app.child.pid,
        tasks,
        run: (requests) =>
          post({
            url: (app.hello as { url: string }).url,
            tokens: [],
            body: BODY,
            requests,
            concurrency,
          }),
      },
      {
        figure: 'batched',
        server: 'cluster',
        pid: node.child.pid,
        tasks: batched,
        run: (some) =>
          post({
            url: `${node.baseUrl}/api/v1/tasks/batch`,
            tokens,
            body: batch,
            requests: some / batchSize,
            concurrency: batchConcurrency,
          }),
      },
      {
        figure: 'batched',
        server: 'BullMQ',
        pid: bare.child.pid,
        tasks: batched,
        run: (jobs) => add(jobs, batchSize, batchConcurrency),
      },
    ];

    async function measure(side: Side, round: number): Promise<TaskRound> {
      const before = { own: readUsage(side.pid).cpuMs, redis: await redisCpuMs(redis) };
      const result = await side.run(side.tasks);
      failures.push(...result.failures.map((failure) => `${side.server}: ${failure}`));
      const perTask = (ms: number) => (ms * 1000) / side.tasks;
      return {
        figure: side.figure,
        server: side.server,
        round,
        value: (side.tasks * 1000) / result.wallMs,
        cpuUsPerTask: perTask(readUsage(side.pid).cpuMs - before.own),
        redisUsPerTask: perTask((await redisCpuMs(redis)) - before.redis),
      };
    }

    progress('tasks accepted, warm-up');
    for (let warmUp = 0; warmUp < WARM_UPS; warmUp += 1) {
      for (const side of sides) await side.run(side.tasks);
    }
    const rounds: TaskRound[] = [];
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`tasks accepted, round ${round} of ${plan.rounds}`);
      for (const side of sides) rounds.push(await measure(side, round));
    }
    for (const { child } of [bare, app, load, node]) await endChild(child);
    return rounds;
  });
}
