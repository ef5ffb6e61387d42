/** Everything an origin makes once for its tasks, and how it begins and ends. */

import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { OutboxEngine } from '@headwater/shared/callbacks/outbox';
import type { OriginRole, TaskSettings } from '@headwater/shared/protocol/task-settings';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import type { EnginePool, TaskCounts } from '@headwater/shared/tasks/ports';
import { createTaskFollowers, type TaskFollowers } from '@headwater/shared/tasks/task-followers';
import { createTaskKeeper, type TaskKeeper } from '@headwater/shared/tasks/task-keeper';
import { createTaskWorker, type TaskWorker } from '@headwater/shared/tasks/task-worker';
import type { Queue } from 'bullmq';
import type { OriginConfig } from '../config.ts';
import { createEnginePool, type SupervisedPool } from '../engines/engine-pool.ts';
import type { EngineRegistry } from '../engines/registry.ts';
import type { InputReader } from '../inputs/draft.ts';
import type { OriginStorage, TaskStorage } from '../storage/origin-storage.ts';
import { createEngineDirectory, type EngineDirectory } from './engine-directory.ts';
import type { LoopDelay } from './loop-delay.ts';
import { openInputs } from './open-inputs.ts';
import { createTaskSettler, type TaskSettler } from './settle-task.ts';
import { createTaskIntake, type TaskIntake } from './submit-tasks.ts';
import { createTaskMetrics, type TaskMetrics } from './task-metrics.ts';
import { createTaskService, type TaskService } from './task-service.ts';
import { createTaskTexts, type TaskTexts } from './task-texts.ts';

/** What it is made from. */
export interface OpenTasksOptions {
  readonly config: OriginConfig;
  /** The environment that engine processes get their part of. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly engines: EngineRegistry;
  readonly storage: Pick<OriginStorage, 'openTasks'>;
  readonly outbox: OutboxEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs the attempts in place of child processes; for tests. */
  readonly pool?: SupervisedPool;
  /** Reads the bodies; for tests. */
  readonly inputs?: InputReader;
}

/** The tasks of an origin, as its routes and its main see them. */
export interface OriginTasks {
  readonly role: OriginRole;
  readonly queueKind: TaskStorage['queueKind'];
  readonly limits: Pick<TaskSettings, 'maxWorkers' | 'maxQueued' | 'maxQueuedPerSubject'>;
  readonly engines: EngineDirectory;
  readonly intake: TaskIntake;
  readonly service: TaskService;
  readonly followers: TaskFollowers;
  readonly texts: TaskTexts;
  /** Where files are that are not kept yet. */
  readonly spool: TaskStorage['spool'];
  /** Numbers of each type, of all processes that share the store. */
  counts(): Promise<ReadonlyMap<string, TaskCounts>>;
  /** Nodes that live now and run tasks. */
  nodes(): Promise<readonly string[]>;
  /** Engine processes of this node; none where it runs no tasks. */
  processes(): ReturnType<SupervisedPool['look']>;
  loopDelay(): LoopDelay;
  metricsText: () => ReturnType<TaskMetrics['text']>;
  /** What bull-board shows. */
  boardQueues(): readonly Queue[];
  /** Begins to run, and to look after, tasks. */
  start(): Promise<void>;
  /**
   * Takes no new tasks, gives what runs `graceMs` to end and the rest back, and leaves no engine
   * process. Those who wait, or read events, are let go.
   */
  stop(graceMs: number): Promise<void>;
  /** Lets go of the storage; after {@link stop}. */
  close(): Promise<void>;
}

/** Wires them. Errors: `unavailable` where their storage cannot be opened. */
export async function openTasks(options: OpenTasksOptions): Promise<OriginTasks> {
  const { config, engines: registry, outbox, clock, logger } = options;
  const settings = config.origin.tasks;
  const types = [...registry.manifests.keys()];
  const storage = await options.storage.openTasks({ types, settings, clock, logger });
  const { store, queue, blobs } = storage;
  const inputs =
    options.inputs === undefined
      ? await openInputs(config, registry, storage, logger)
      : { reader: options.inputs, close: async () => undefined };
  const metrics = createTaskMetrics(logger);
  const settler = createTaskSettler({ store, blobs, outbox, logger, ended: metrics.ended });
  const engines = createEngineDirectory({
    registry,
    env: { settings: config.settings, tasks: settings, answers: config.origin.answers },
    isCluster: storage.queueKind === 'bullmq',
    liveTypes: (nowMs) => store.liveTypes(nowMs),
    clock,
    logger,
  });
  const shared = { store, clock, logger, alarm: createTimerAlarm, random: Math.random };
  const intake = createTaskIntake({
    store,
    queue,
    inputs: inputs.reader,
    engines,
    limits: settings,
    clock,
    logger,
    accepted: metrics.accepted,
  });
  const service = createTaskService({ ...shared, outbox, settler });
  const followers = createTaskFollowers({
    ...shared,
    maxReaders: config.settings.limits.maxReadersPerStream,
    maxBufferedBytes: config.settings.limits.maxBufferedBytes,
  });
  const pool = engines.own.length === 0 ? undefined : openPool(options, storage);
  const parts: Parts = { ...shared, queue, settler, settings, engines };
  const worker = pool && openWorker(parts, metrics.measured(pool));
  const keeper = openKeeper(parts);

  const counts = async () => store.counts(clock.nowMs());
  const processes = () => pool?.look() ?? NO_PROCESSES;
  return {
    role: settings.role,
    queueKind: storage.queueKind,
    limits: settings,
    engines,
    intake,
    service,
    followers,
    texts: createTaskTexts(store),
    spool: storage.spool,
    counts,
    nodes: async () => store.nodes(clock.nowMs()),
    processes,
    loopDelay: metrics.loopDelay,
    metricsText: () => metrics.text({ counts, processes }),
    boardQueues: storage.boardQueues,
    async start() {
      await Promise.all([worker?.start(), keeper.start()]);
    },
    async stop(graceMs) {
      intake.close();
      service.close();
      // It may be waiting for a store that is away, for which no child has to stay.
      const keeping = keeper.stop();
      await worker?.stop(graceMs);
      await pool?.close();
      followers.letGo();
      await keeping;
    },
    async close() {
      metrics.close();
      await inputs.close();
      await storage.close();
    },
  };
}

const NO_PROCESSES = { processes: 0, busy: 0 };

/** What the worker and the keeper share. */
interface Parts {
  readonly store: TaskStorage['store'];
  readonly queue: TaskStorage['queue'];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alarm: typeof createTimerAlarm;
  readonly random: () => number;
  readonly settler: TaskSettler;
  readonly settings: TaskSettings;
  readonly engines: EngineDirectory;
}

function openPool(
  { pool, config, env, clock, logger }: OpenTasksOptions,
  { blobs }: TaskStorage,
): SupervisedPool {
  const { maxWorkers, workerMemoryBytes, engineModules } = config.origin.tasks;
  return (
    pool ??
    createEnginePool({
      size: maxWorkers,
      memoryLimitBytes: workerMemoryBytes,
      blobs,
      // Half of a child's start is compiling what the child before has compiled.
      env: { NODE_COMPILE_CACHE: join(resolve(config.origin.dataDir), 'compile-cache'), ...env },
      logger,
      engineModules,
      clock,
    })
  );
}

function openWorker(parts: Parts, pool: EnginePool): TaskWorker {
  const { settler, settings, engines, ...ports } = parts;
  return createTaskWorker({
    ...ports,
    pool,
    node: randomUUID(),
    types: engines.own,
    concurrency: settings.maxWorkers,
    over: settler.over,
  });
}

function openKeeper(parts: Parts): TaskKeeper {
  const { settler, settings, engines: _engines, ...ports } = parts;
  return createTaskKeeper({ ...ports, ...settler, retentionMs: settings.retentionMs });
}
