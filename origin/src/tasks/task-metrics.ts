/** Numbers of this process for Prometheus. */

import type { Logger, MaybePromise } from '@headwater/shared/stream/ports';
import type { EnginePool, TaskCounts } from '@headwater/shared/tasks/ports';
import type { TaskRecord } from '@headwater/shared/tasks/task';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type LoopDelay, watchLoopDelay } from './loop-delay.ts';

/** Upper bounds of how long attempts last, in seconds. */
const DURATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** What the numbers are read from when they are asked for. */
interface TaskGauges {
  counts(): MaybePromise<ReadonlyMap<string, TaskCounts>>;
  /** Child processes there are, and how many of them work; absent where the node runs no tasks. */
  processes?(): { readonly processes: number; readonly busy: number };
}

/** The numbers. */
export interface TaskMetrics {
  accepted(type: string, count: number): void;
  /** A task is over, and this process made it so. */
  ended(record: TaskRecord): void;
  /** The pool, with its attempts counted. */
  measured(pool: EnginePool): EnginePool;
  loopDelay(): LoopDelay;
  /** The answer of `GET /metrics`; it is ready also where the store is away. */
  text(gauges: TaskGauges): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Ends the sampling. */
  close(): void;
}

/** Begins to count. */
export function createTaskMetrics(logger: Logger): TaskMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const loop = watchLoopDelay();

  const acceptedTasks = new Counter({
    name: 'headwater_tasks_accepted_total',
    help: 'Tasks accepted by this process.',
    labelNames: ['type'],
    registers,
  });
  const endedTasks = new Counter({
    name: 'headwater_tasks_ended_total',
    help: 'Tasks that this process brought to their end.',
    labelNames: ['type', 'status'],
    registers,
  });
  const attempts = new Histogram({
    name: 'headwater_task_attempt_seconds',
    help: 'Duration of attempts in this process, by how they ended.',
    labelNames: ['type', 'outcome'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const running = new Gauge({
    name: 'headwater_task_attempts_running',
    help: 'Attempts under way in this process.',
    labelNames: ['type'],
    registers,
  });
  const lost = new Counter({
    name: 'headwater_engine_crashes_total',
    help: 'Attempts that ended with their engine process.',
    labelNames: ['type'],
    registers,
  });
  const processes = new Gauge({
    name: 'headwater_engine_processes',
    help: 'Engine processes of this node.',
    labelNames: ['state'],
    registers,
  });
  const tasks = new Gauge({
    name: 'headwater_tasks',
    help: 'Tasks that are not over, of all processes that share the store.',
    labelNames: ['type', 'status'],
    registers,
  });
  const loopDelay = new Gauge({
    name: 'headwater_event_loop_delay_seconds',
    help: 'How late the event loop was, over the last minute or so.',
    labelNames: ['quantile'],
    registers,
  });

  async function readCounts({ counts }: TaskGauges): Promise<void> {
    try {
      const now = await counts();
      tasks.reset();
      for (const [type, { queued, delayed, running: begun }] of now) {
        tasks.set({ type, status: 'queued' }, queued);
        tasks.set({ type, status: 'delayed' }, delayed);
        tasks.set({ type, status: 'running' }, begun);
      }
    } catch (err) {
      // Nothing is better than numbers of a while ago; those of the process itself are still true.
      tasks.reset();
      logger.warn({ err }, 'the tasks could not be counted');
    }
  }

  return {
    accepted: (type, count) => acceptedTasks.inc({ type }, count),
    ended: ({ spec, state }) => endedTasks.inc({ type: spec.type, status: state.status }),
    measured: (pool) => ({
      async run(task, signal, news, checkpoint) {
        const { type } = task.spec;
        const beganMs = performance.now();
        running.inc({ type });
        const outcome = await pool.run(task, signal, news, checkpoint);
        running.dec({ type });
        attempts.observe({ type, outcome: outcome.type }, (performance.now() - beganMs) / 1000);
        if (outcome.type === 'crashed') lost.inc({ type });
        return outcome;
      },
      close: () => pool.close(),
    }),
    loopDelay: loop.read,
    async text(gauges) {
      await readCounts(gauges);
      const { p50Ms, p99Ms, maxMs } = loop.read();
      loopDelay.set({ quantile: '0.5' }, p50Ms / 1000);
      loopDelay.set({ quantile: '0.99' }, p99Ms / 1000);
      loopDelay.set({ quantile: '1' }, maxMs / 1000);
      const pool = gauges.processes?.();
      if (pool !== undefined) {
        processes.set({ state: 'busy' }, pool.busy);
        processes.set({ state: 'idle' }, pool.processes - pool.busy);
      }
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    close: loop.close,
  };
}
