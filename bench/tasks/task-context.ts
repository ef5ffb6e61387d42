/** What the measurements of the task queue work with. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { signCallerToken } from '@headwater/shared/security/caller-token';
import { connectRedis } from '../../origin/src/adapters/redis-connection.ts';
import { type RedisServer, startRedis } from '../../origin/src/testing/redis-server.ts';
import { TEST_ENGINE } from '../../origin/src/testing/test-engine-task.ts';
import type { Child, Children } from '../processes/children.ts';
import { freePort } from '../processes/free-port.ts';
import { waitForAnswer } from '../processes/wait-for-answer.ts';
import type { TaskPlan } from './task-plan.ts';

const TOKEN_TTL_SECONDS = 3600;

/** As a cluster has to be set: what is acknowledged outlives Redis. */
const DURABLE = ['--appendonly', 'yes'];

/** What they are started with. */
export interface TaskOptions {
  /** Repository root. */
  readonly root: string;
  /** An empty folder for this run. */
  readonly directory: string;
  readonly children: Children;
  readonly plan: TaskPlan;
  readonly stop: AbortSignal;
  readonly progress: (line: string) => void;
  /** Where Node writes CPU profiles of origins and drains; none by default. */
  readonly profiles?: string;
}

/** An origin of the cluster. */
export interface TaskNode {
  readonly baseUrl: string;
  readonly child: Child;
}

/** How an origin is set up. */
interface NodeOptions {
  readonly name: string;
  readonly redis: RedisServer;
  readonly role: 'all' | 'api' | 'worker';
  readonly workers?: number;
  /** A program that runs before it, with its environment. */
  readonly before?: { readonly script: string; readonly env: Readonly<Record<string, string>> };
}

/** The options, and what every part starts. */
export interface TaskContext extends TaskOptions {
  /** What went wrong; a run with any is not to be used. */
  readonly failures: string[];
  /** A Redis of the part's own, for the time of `use`. */
  withRedis<Result>(use: (redis: RedisServer) => Promise<Result>): Promise<Result>;
  /** An origin, once it answers. */
  startNode(options: NodeOptions): Promise<TaskNode>;
  /** A program of this folder, once it is ready. */
  startProgram(name: string, redis?: RedisServer): Promise<Started>;
  tokenOf(subject: string): Promise<string>;
}

/** A program that answers messages. */
export interface Started {
  readonly child: Child;
  /** The first thing it said. */
  readonly hello: unknown;
  ask<Answer>(job: object): Promise<Answer>;
}

/** Adds them. */
export function createTaskContext(options: TaskOptions): TaskContext {
  const { root, directory, children, stop, profiles } = options;
  const jwtSecret = randomBytes(32).toString('hex');
  const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const failures: string[] = [];
  let started = 0;

  return {
    ...options,
    failures,
    async withRedis(use) {
      stop.throwIfAborted();
      const redis = await startRedis(DURABLE);
      try {
        return await use(redis);
      } finally {
        await redis.stop();
      }
    },
    async startNode({ name, redis, role, workers = 1, before }) {
      stop.throwIfAborted();
      started += 1;
      const port = await freePort();
      const first = before === undefined ? [] : ['--import', join(root, before.script)];
      const child = await children.start({
        name: `tasks ${name} ${started}`,
        command: [process.execPath, ...profiling, ...first, join(root, 'origin/src/main.ts')],
        env: {
          HOST: '127.0.0.1',
          PORT: String(port),
          DATA_DIR: join(directory, `tasks-${started}`),
          JWT_SECRET: jwtSecret,
          REDIS_URL: redis.url,
          ROLE: role,
          MAX_WORKERS: String(workers),
          TASK_ENGINES: [TEST_ENGINE, join(root, 'bench/tasks/life-engine.ts')].join(','),
          // What a run queues, nobody works off where accepting is measured.
          MAX_QUEUED_TASKS: '10000000',
          MAX_QUEUED_TASKS_PER_SUBJECT: '10000000',
          SHUTDOWN_GRACE_SECONDS: '1',
          ...before?.env,
        },
      });
      const baseUrl = `http://127.0.0.1:${port}`;
      await Promise.race([waitForAnswer(`${baseUrl}/health`, stop), child.message()]);
      return { baseUrl, child };
    },
    async startProgram(name, redis) {
      stop.throwIfAborted();
      started += 1;
      const child = await children.start({
        name: `tasks ${name} ${started}`,
        command: [process.execPath, ...profiling, join(root, `bench/tasks/programs/${name}.ts`)],
        env: redis === undefined ? {} : { REDIS_PORT: String(redis.port) },
      });
      const hello = await child.message();
      return {
        child,
        hello,
        async ask<Answer>(job: object) {
          stop.throwIfAborted();
          child.send(job);
          return (await child.message()) as Answer;
        },
      };
    },
    tokenOf: (subject) => signCallerToken(jwtSecret, { subject, ttlSeconds: TOKEN_TTL_SECONDS }),
  };
}

/** Ends a process, and waits until it is gone: one that is asked in order still writes its profile. */
export async function endChild(
  child: Child,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  const gone = child.message().catch(() => undefined);
  try {
    process.kill(child.pid, signal);
  } catch {
    // It has ended by itself.
  }
  await gone;
}

/** CPU that Redis has used so far, in ms. */
export async function redisCpuMs(server: RedisServer): Promise<number> {
  const redis = connectRedis(server.url, () => undefined);
  const text = await redis.info('cpu');
  redis.disconnect();
  const read = (field: string) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(text)?.[1]);
  return 1000 * (read('used_cpu_sys') + read('used_cpu_user'));
}
