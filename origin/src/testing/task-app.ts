/** An origin's app with tasks in memory, for `inject`. */

import { createMemoryOutboxStore } from '@headwater/shared/callbacks/memory-store';
import { createOutbox } from '@headwater/shared/callbacks/outbox';
import { createAuthoriser } from '@headwater/shared/gateway/authorise';
import { subjectLimitsOf } from '@headwater/shared/gateway/subject-ledger';
import { createMemoryLedger } from '@headwater/shared/gateway/subject-ledger-memory';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { createProviderRegistry } from '@headwater/shared/providers/registry';
import { createAccessTokens } from '@headwater/shared/security/access-token';
import type { Clock, OutgoingCallback } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { createLocalQueue } from '@headwater/shared/tasks/local-queue';
import type { TaskQueue, TaskStore } from '@headwater/shared/tasks/ports';
import { createScriptedModel } from '@headwater/shared/testing/scripted-model';
import { createFirstWords } from '@headwater/shared/text/first-words';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import * as z from 'zod';
import type { AnswerService } from '../answers/answer-service.ts';
import { buildApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { noDatabase } from '../database/no-database.ts';
import type { EngineManifest } from '../engines/engine-manifest.ts';
import type { EngineRegistry } from '../engines/registry.ts';
import { noSessions } from '../sessions/no-sessions.ts';
import type { TaskStorage } from '../storage/origin-storage.ts';
import { type OriginTasks, openTasks } from '../tasks/open-tasks.ts';
import { openWords } from '../words.ts';
import { createMemoryBlobs, createScriptedInputs, type MemoryBlobs } from './scripted-inputs.ts';
import { createScriptedPool, type ScriptedPool } from './scripted-pool.ts';

/** The key between edge and origin in these tests. */
export const INTERNAL_KEY = 'the-key-between-edge-and-origin';

/** What may be different. */
export interface TaskAppOptions {
  readonly env?: Record<string, string>;
  readonly store: TaskStore;
  /** Default: one in the process. */
  readonly queue?: TaskQueue;
  /** False: nothing is run. */
  readonly runs?: boolean;
}

/** The app, and what it is made of. */
export interface TaskApp {
  readonly app: FastifyInstance;
  readonly tasks: OriginTasks;
  readonly pool: ScriptedPool;
  readonly blobs: MemoryBlobs;
  /** Callbacks that went out. */
  readonly sent: readonly OutgoingCallback[];
  /** Log lines, as text. */
  readonly logged: readonly string[];
  /** How often somebody began to wait for, or to follow, a task. */
  readonly watches: number;
  close(): Promise<void>;
}

const TEST: EngineManifest = {
  type: 'test',
  files: [],
  params: z.record(z.string(), z.json()),
  availability: () => ({ live: true }),
};

const GPU: EngineManifest = {
  ...TEST,
  type: 'gpu',
  availability: () => ({ live: false, missing: 'Set GPU_MODEL.' }),
};

const NO_OCR = 'No engine for ocr is installed here: name its module in TASK_ENGINES.';

const registry: EngineRegistry = {
  manifests: new Map([TEST, GPU].map((manifest) => [manifest.type, manifest])),
  missing: new Map([['ocr', NO_OCR]]),
  manifestOf(type) {
    const manifest = this.manifests.get(type);
    if (manifest !== undefined) return manifest;
    if (type === 'ocr') throw new GatewayError('unavailable', NO_OCR);
    throw new GatewayError('not_found', 'There is no such type of task.');
  },
  async load() {
    throw new Error('these tests run no engine');
  },
};

const unasked = async (): Promise<never> => {
  throw new Error('these tests ask no model');
};

const noAnswers: AnswerService = {
  ask: unasked,
  open: unasked,
  modelsOf: unasked,
  targetsOf: unasked,
  endOf: async () => undefined,
  costOf: () => null,
  onEnd: () => undefined,
};

/** Opens it. */
export async function openTaskApp(options: TaskAppOptions): Promise<TaskApp> {
  const config = readConfig({
    JWT_SECRET: 'a-secret-of-more-than-32-bytes-length',
    INTERNAL_API_KEY: INTERNAL_KEY,
    MAX_WORKERS: '2',
    ...options.env,
  });
  const { settings } = config;
  const logged: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => void logged.push(line) });
  const clock: Clock = { nowMs: Date.now };
  const sent: OutgoingCallback[] = [];
  const outbox = createOutbox({
    store: createMemoryOutboxStore(),
    async send(callback) {
      sent.push(callback);
      return { type: 'delivered', status: 200 };
    },
    clock,
    alarm: createTimerAlarm(() => void outbox.wake()),
    logger,
    random: Math.random,
  });
  const blobs = createMemoryBlobs();
  const pool = createScriptedPool();
  let watches = 0;
  const store: TaskStore = {
    ...options.store,
    watch(id, hint) {
      watches += 1;
      return options.store.watch(id, hint);
    },
  };
  const storage = storageOf({ ...options, store }, blobs, clock);
  const tasks = await openTasks({
    config,
    env: {},
    engines: registry,
    storage: { openTasks: async () => storage },
    outbox,
    clock,
    logger,
    pool,
    inputs: createScriptedInputs(blobs, [...registry.manifests.keys()]),
  });
  const providers = createProviderRegistry({
    providers: { echo: createScriptedModel().provider },
  });
  const words = openWords({
    ...{ config, env: {}, registry: providers, words: createFirstWords(), answers: noAnswers },
    ...{ sessions: noSessions, tasks, database: noDatabase, clock, logger },
  });
  const close = async () => {
    await words.close();
    await tasks.close();
  };
  const app = await buildApp(
    {
      ...words,
      settings,
      authorise: createAuthoriser(settings),
      accessTokens: createAccessTokens({ secrets: settings.jwtSecrets }),
      registry: providers,
      sessions: noSessions,
      ledger: createMemoryLedger(subjectLimitsOf(settings)),
      outbox,
      tasks,
      database: noDatabase,
      answers: noAnswers,
      logger,
      storage: 'disk',
      close,
    },
    logger,
  );
  if (options.runs !== false) await tasks.start();
  return {
    app,
    tasks,
    pool,
    blobs,
    sent,
    logged,
    get watches() {
      return watches;
    },
    async close() {
      await tasks.stop(0);
      await app.close();
      await tasks.close();
    },
  };
}

function storageOf(options: TaskAppOptions, blobs: MemoryBlobs, clock: Clock): TaskStorage {
  const queue = options.queue ?? createLocalQueue({ clock, alarm: createTimerAlarm });
  return {
    store: options.store,
    queue,
    blobs: { ...blobs, adopt: unused },
    spool: { write: unused, remove: unused },
    queueKind: 'in-process',
    boardQueues: () => [],
    close: async () => queue.close(),
  };
}

/** The reader of these tests keeps its files by itself. */
async function unused(): Promise<never> {
  throw new Error('not used here');
}
