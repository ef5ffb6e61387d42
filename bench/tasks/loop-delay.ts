/** How late an origin's event loop is while its engine processes have all the CPU they can get. */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { quantile } from '../report/statistics.ts';
import { attemptOf, type LifeTask, submitLife, until } from './life-task.ts';
import type { Paced, PaceJob } from './messages.ts';
import { endChild, type TaskContext } from './task-context.ts';
import type { TaskRound, TaskServer } from './task-round.ts';

/** Longer than both windows. */
const WORK = { workMs: 300_000, burn: true };

/** A window with idle engine processes, and one with busy ones; callers ask all the time. */
export function measureLoopDelay(context: TaskContext): Promise<TaskRound[]> {
  const { plan, progress, stop, directory, failures } = context;
  const { windowMs, requestsPerSecond, workers } = plan.loop;
  const loopFile = join(directory, 'loop-delay');
  return context.withRedis(async (redis) => {
    const node = await context.startNode({
      name: 'all',
      redis,
      role: 'all',
      workers,
      before: { script: 'bench/processes/watch-loop.ts', env: { LOOP_FILE: loopFile } },
    });
    const load = await context.startProgram('http-load');

    async function readDelayMs(): Promise<number> {
      rmSync(loopFile, { force: true });
      process.kill(node.child.pid, 'SIGUSR2');
      const read = () => {
        try {
          return readFileSync(loopFile, 'utf8');
        } catch {
          // It has not answered yet.
          return '';
        }
      };
      await until(() => read().endsWith('\n'), 'the loop delay', stop);
      return Number(read());
    }

    async function measure(server: TaskServer, task: LifeTask): Promise<TaskRound[]> {
      progress(server === 'cluster' ? 'event loop, workers busy' : 'event loop, workers idle');
      await readDelayMs();
      const { answerMs, failures: refused } = await load.ask<Paced>({
        type: 'pace',
        url: task.url,
        token: await context.tokenOf('bench'),
        perSecond: requestsPerSecond,
        forMs: windowMs,
      } satisfies PaceJob);
      failures.push(...refused.map((failure) => `${server}: ${failure}`));
      return [
        { figure: 'loopDelay', server, round: 1, value: await readDelayMs() },
        { figure: 'answerTime', server, round: 1, value: quantile(answerMs, 0.99) },
      ];
    }

    // The engine processes are there, and warm, in both windows.
    const short = { workMs: 0, burn: false };
    const tasks = await Promise.all(
      Array.from({ length: workers }, () => submitLife(context, node, short)),
    );
    for (const task of tasks) await attemptOf(task, 1, stop);
    const [first] = tasks;
    if (first === undefined) throw new Error('there are no workers');
    const warm: PaceJob = {
      type: 'pace',
      url: first.url,
      token: await context.tokenOf('bench'),
      perSecond: 2 * requestsPerSecond,
      forMs: 1_000,
    };
    await load.ask<Paced>(warm);
    const idle = await measure('cluster, idle', first);
    const burning = Array.from({ length: workers }, () => submitLife(context, node, WORK));
    for (const task of await Promise.all(burning)) await attemptOf(task, 1, stop);
    const busy = await measure('cluster', first);
    for (const { child } of [load, node]) await endChild(child);
    return [...busy, ...idle];
  });
}
