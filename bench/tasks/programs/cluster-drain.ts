/**
 * The cluster's store, queue and task worker, with a pool that does nothing, or with the origin's own
 * child processes.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import type { Logger } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import type { EnginePool } from '@headwater/shared/tasks/ports';
import { newTask } from '@headwater/shared/tasks/task-machine';
import { createTaskWorker } from '@headwater/shared/tasks/task-worker';
import { createBullmqQueue } from '../../../origin/src/adapters/bullmq-queue.ts';
import { connectRedis } from '../../../origin/src/adapters/redis-connection.ts';
import { createRedisTaskStore } from '../../../origin/src/adapters/redis-task-store.ts';
import { createEnginePool } from '../../../origin/src/engines/engine-pool.ts';
import { newId } from '../../../origin/src/tasks/task-id.ts';
import { TEST_ENGINE } from '../../../origin/src/testing/test-engine-task.ts';
import { readUsage } from '../../processes/usage.ts';
import { type Drained, type DrainJob, serve, setting } from '../messages.ts';
import { countShares, type ShareCount } from '../shares.ts';

/** Tasks that are submitted together, as callers who come at the same time would. */
const SUBMITTED_AT_ONCE = 500;

const MIB = 1024 * 1024;
const clock = { nowMs: () => Date.now() };
const failures: string[] = [];
const note = (fields: Readonly<Record<string, unknown>>, message: string) => {
  const { err } = fields;
  failures.push(`${message}${err instanceof Error ? `: ${err.message}` : ''}`);
};
const logger: Logger = { info: () => undefined, warn: note, error: note };
const redis = connectRedis(`redis://127.0.0.1:${setting('REDIS_PORT')}`, (err) =>
  note({ err }, 'Redis is away'),
);
const store = createRedisTaskStore({ redis, retentionMs: 86_400_000, logger });

const nothing: EnginePool = {
  run: async () => ({ type: 'succeeded', result: null }),
  close: async () => undefined,
};
let children: EnginePool | undefined;

function openChildren(size: number): EnginePool {
  return createEnginePool({
    size,
    memoryLimitBytes: 2048 * MIB,
    blobs: {
      lend: () => Promise.reject(new Error('there are no files')),
    },
    env: { PATH: process.env['PATH'], JWT_SECRET: randomBytes(32).toString('hex') },
    logger,
    engineModules: [TEST_ENGINE],
    clock,
  });
}

/** The pool, with who is served counted. */
function counted(pool: EnginePool, count: ShareCount): EnginePool {
  return {
    run(task, signal, news) {
      count.began(task.spec.owner);
      return pool.run(task, signal, news);
    },
    close: () => pool.close(),
  };
}

async function drain({ owners, concurrency, inChildren }: DrainJob): Promise<Drained> {
  const queue = createBullmqQueue({ redis, types: ['test'], logger });
  for (let at = 0; at < owners.length; at += SUBMITTED_AT_ONCE) {
    const some = owners.slice(at, at + SUBMITTED_AT_ONCE);
    await Promise.all(some.map(submit));
    await queue.offer('test', some.length);
  }
  if (inChildren) children ??= openChildren(concurrency);
  const count = countShares(owners);
  const over = Promise.withResolvers<void>();
  let left = owners.length;
  const worker = createTaskWorker({
    store,
    queue,
    pool: counted((inChildren ? children : undefined) ?? nothing, count),
    node: randomUUID(),
    types: ['test'],
    concurrency,
    clock,
    alarm: createTimerAlarm,
    random: Math.random,
    logger,
    over({ spec, state }) {
      if (state.status !== 'succeeded') failures.push(`a task ended as ${state.status}`);
      count.finished(spec.owner);
      left -= 1;
      if (left === 0) over.resolve();
    },
  });
  const cpuMs = readUsage(process.pid).cpuMs;
  const startedMs = performance.now();
  await worker.start();
  await over.promise;
  const wallMs = performance.now() - startedMs;
  const usedMs = readUsage(process.pid).cpuMs - cpuMs;
  await worker.stop(1_000);
  await queue.close();
  return { wallMs, cpuMs: usedMs, shares: count.shares, failures: failures.splice(0) };
}

async function submit(owner: string): Promise<void> {
  const task = newTask({
    id: newId('task'),
    type: 'test',
    owner,
    priority: 5,
    timeoutMs: 300_000,
    maxAttempts: 3,
    createdAtMs: Date.now(),
    input: { params: {}, files: [] },
  });
  await store.submit({ tasks: [task], maxQueuedPerOwner: 10_000_000, maxQueued: 10_000_000 });
}

serve<DrainJob>(drain);
process.send?.('ready');
