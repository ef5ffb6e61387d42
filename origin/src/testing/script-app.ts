/** An app with scripts on a real database, and tasks in memory whose attempts a test decides. */

import { createMemoryOutboxStore } from '@headwater/shared/callbacks/memory-store';
import { createOutbox } from '@headwater/shared/callbacks/outbox';
import { createAuthoriser } from '@headwater/shared/gateway/authorise';
import { createHostProviders } from '@headwater/shared/providers/host-providers';
import { createProviderRegistry } from '@headwater/shared/providers/registry';
import { createAccessTokens } from '@headwater/shared/security/access-token';
import type { Clock, OutgoingCallback } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { createLocalQueue } from '@headwater/shared/tasks/local-queue';
import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import type { AttemptNews, AttemptOutcome, TaskStore } from '@headwater/shared/tasks/ports';
import type { TaskRecord } from '@headwater/shared/tasks/task';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { createFirstWords } from '@headwater/shared/text/first-words';
import type { FastifyInstance } from 'fastify';
import { createModelNames } from '../answers/name-models.ts';
import { readConfig } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { SupervisedPool } from '../engines/engine-pool.ts';
import { openEngineRegistry } from '../engines/registry.ts';
import { addGenerateRoutes } from '../routes/generate.ts';
import { addTemplateRoutes } from '../routes/templates.ts';
import { createScripts, type Scripts } from '../scripts/create-scripts.ts';
import { type OriginTasks, openTasks } from '../tasks/open-tasks.ts';
import { createBareApp } from './bare-app.ts';
import { createMemoryBlobs, createScriptedInputs } from './scripted-inputs.ts';

/** The key by which a test names its caller. */
export const INTERNAL_KEY = 'the-key-between-edge-and-origin';

/** Runs an attempt of a task. */
export type RunAttempt = (
  task: TaskRecord,
  news: (news: AttemptNews) => void,
  signal: AbortSignal,
) => Promise<AttemptOutcome>;

/** What may be different. */
export interface ScriptAppOptions {
  readonly database: Database;
  readonly env?: Record<string, string>;
  /** Default: one in memory. */
  readonly store?: TaskStore;
  readonly run: RunAttempt;
  /** Asks the project service. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** False: nothing is run. */
  readonly runs?: boolean;
}

/** The app, and what it is made of. */
export interface ScriptApp {
  readonly app: FastifyInstance;
  readonly scripts: Scripts;
  readonly tasks: OriginTasks;
  readonly store: TaskStore;
  readonly sent: readonly OutgoingCallback[];
  readonly logger: ReturnType<typeof createSilentLogger>;
  close(): Promise<void>;
}

/** Opens it. */
export async function openScriptApp(options: ScriptAppOptions): Promise<ScriptApp> {
  const config = readConfig({
    JWT_SECRET: 'a-secret-of-more-than-32-bytes-length',
    INTERNAL_API_KEY: INTERNAL_KEY,
    OPENAI_API_KEY: 'sk-test',
    MAX_WORKERS: '2',
    ...options.env,
  });
  const { settings, origin } = config;
  const logger = createSilentLogger();
  const { clock = { nowMs: () => Date.now() }, store = createMemoryTaskStore() } = options;
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
  const engines = await openEngineRegistry([]);
  const queue = createLocalQueue({ clock, alarm: createTimerAlarm });
  const blobs = createMemoryBlobs();
  const tasks = await openTasks({
    ...{ config, env: {}, engines, outbox, clock, logger, pool: poolOf(options.run) },
    storage: {
      openTasks: async () => ({
        ...{ store, queue, queueKind: 'in-process', boardQueues: () => [] },
        blobs: { ...blobs, adopt: unused },
        spool: { write: unused, remove: unused },
        close: async () => queue.close(),
      }),
    },
    inputs: createScriptedInputs(blobs, [...engines.manifests.keys()]),
  });
  const registry = createProviderRegistry({ providers: createHostProviders(settings) });
  const scripts = createScripts({
    ...{ database: options.database, tasks, registry, settings, clock, logger },
    names: createModelNames({
      ...{ registry, settings: origin.answers, words: createFirstWords(), logger },
    }),
    scripts: origin.scripts,
    taskTimeoutMs: origin.tasks.timeoutMs,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const app = createBareApp(settings);
  const gateway = {
    ...{ settings, tasks, scripts, authorise: createAuthoriser(settings) },
    accessTokens: createAccessTokens({ secrets: settings.jwtSecrets }),
  };
  addGenerateRoutes(app, gateway);
  addTemplateRoutes(app, gateway);
  if (options.runs !== false) await tasks.start();
  return {
    ...{ app, scripts, tasks, store, sent, logger },
    async close() {
      scripts.close();
      await tasks.stop(0);
      await app.close();
      await tasks.close();
    },
  };
}

function poolOf(run: RunAttempt): SupervisedPool {
  return {
    look: () => ({ processes: 0, busy: 0 }),
    async run(task, signal, news): Promise<AttemptOutcome> {
      const outcome = await run(task, news, signal);
      return signal.aborted ? { type: 'stopped' } : outcome;
    },
    close: async () => undefined,
  };
}

/** Scripts have no files. */
async function unused(): Promise<never> {
  throw new Error('not used here');
}
