/** How soon a task goes on whose process, or node, was killed. */

import { readFileSync } from 'node:fs';
import { attemptOf, submitLife } from './life-task.ts';
import { endChild, type TaskContext, type TaskNode } from './task-context.ts';
import type { TaskRound } from './task-round.ts';

/** Longer than any recovery. */
const WORK = { workMs: 120_000, burn: false };

/** All rounds of both, one after the other, on two workers and an instance that takes the tasks. */
export function measureRecovery(context: TaskContext): Promise<TaskRound[]> {
  const { plan, progress, stop } = context;
  return context.withRedis(async (redis) => {
    const startWorker = () => context.startNode({ name: 'worker', redis, role: 'worker' });
    const [api, ...workers] = await Promise.all([
      context.startNode({ name: 'api', redis, role: 'api' }),
      startWorker(),
      startWorker(),
    ]);
    const rounds: TaskRound[] = [];

    async function measure(
      figure: TaskRound['figure'],
      round: number,
      kill: (pid: number) => Promise<void>,
    ): Promise<void> {
      const task = await submitLife(context, api, WORK);
      const { pid } = await attemptOf(task, 1, stop);
      const killedMs = Date.now();
      await kill(pid);
      const { beganMs } = await attemptOf(task, 2, stop);
      rounds.push({ figure, server: 'cluster', round, value: (beganMs - killedMs) / 1000 });
    }

    for (let round = 1; round <= plan.recovery.children; round += 1) {
      progress(`child killed, round ${round} of ${plan.recovery.children}`);
      await measure('childKilled', round, async (pid) => void process.kill(pid, 'SIGKILL'));
    }
    for (let round = 1; round <= plan.recovery.nodes; round += 1) {
      progress(`node killed, round ${round} of ${plan.recovery.nodes}`);
      await measure('nodeKilled', round, async (pid) => {
        const parent = parentOf(pid);
        const at = workers.findIndex(({ child }) => child.pid === parent);
        if (at === -1) throw new Error('nobody runs the task');
        process.kill(parent, 'SIGKILL');
        workers.splice(at, 1);
      });
      if (round < plan.recovery.nodes) workers.push(await startWorker());
    }
    const all: readonly TaskNode[] = [api, ...workers];
    for (const { child } of all) await endChild(child);
    return rounds;
  });
}

/** Of Linux' /proc (proc(5)); the name in parentheses may hold blanks. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** The same of a BullMQ worker with its defaults, whose process was killed. */
export function measureBullmqRecovery(context: TaskContext): Promise<TaskRound> {
  return context.withRedis(async (redis) => {
    const first = await context.startProgram('bullmq-hold', redis);
    await first.ask({});
    const second = await context.startProgram('bullmq-hold', redis);
    const killedMs = Date.now();
    await endChild(first.child, 'SIGKILL');
    const { beganMs } = (await second.child.message()) as { beganMs: number };
    await endChild(second.child);
    const value = (beganMs - killedMs) / 1000;
    return { figure: 'nodeKilled', server: 'BullMQ', round: 1, value };
  });
}
