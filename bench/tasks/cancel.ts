/** How soon work stops that was canceled at another instance. */

import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../report/statistics.ts';
import { inLanes } from './in-lanes.ts';
import { readSign } from './life-engine.ts';
import { attemptOf, isAlive, submitLife, until } from './life-task.ts';
import { endChild, type TaskContext } from './task-context.ts';
import type { TaskRound } from './task-round.ts';

/** Child processes, each of which burns CPU. */
const WORKERS = 2;

const WORK = { workMs: 60_000, burn: true };

/** Work goes on for some time before it is canceled, at random, in ms. */
const SETTLE_MS = 20;
const SPREAD_MS = 60;

/** Cancels many, each at one instance while it runs at the other. */
export function measureCancel(context: TaskContext): Promise<TaskRound[]> {
  const { plan, progress, stop } = context;
  progress(`${plan.cancels} cancels`);
  return context.withRedis(async (redis) => {
    const [api, worker] = await Promise.all([
      context.startNode({ name: 'api', redis, role: 'api' }),
      context.startNode({ name: 'worker', redis, role: 'worker', workers: WORKERS }),
    ]);
    const stoppedMs: number[] = [];
    await inLanes(plan.cancels, WORKERS, async () => {
      const task = await submitLife(context, api, WORK);
      const { pid } = await attemptOf(task, 1, stop);
      await sleep(SETTLE_MS + Math.random() * SPREAD_MS);
      const sentMs = Date.now();
      const response = await fetch(task.url, { method: 'DELETE', headers: task.headers });
      const { status } = (await response.json()) as { status: string };
      if (status !== 'canceled') context.failures.push(`cluster: a canceled task is ${status}`);
      // What burns cannot be asked: it is stopped when its process is gone.
      await until(() => !isAlive(pid), 'the end of canceled work', stop);
      // It may have been stopped before the answer was sent, and not a sign later.
      stoppedMs.push(Math.max(0, readSign(task.life) - sentMs));
    });
    for (const { child } of [api, worker]) await endChild(child);
    const round = { server: 'cluster', round: 1 } as const;
    return [
      { figure: 'canceledMedian', ...round, value: quantile(stoppedMs, 0.5) },
      { figure: 'canceledP99', ...round, value: quantile(stoppedMs, 0.99) },
    ];
  });
}
