/** Everything the origin makes once from its settings. */

import { createOutbox, type OutboxEngine } from '@headwater/shared/callbacks/outbox';
import { createCallbackSender } from '@headwater/shared/callbacks/send';
import { type Authoriser, createAuthoriser } from '@headwater/shared/gateway/authorise';
import { type SubjectLedger, subjectLimitsOf } from '@headwater/shared/gateway/subject-ledger';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import { type AccessTokens, createAccessTokens } from '@headwater/shared/security/access-token';
import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { createFirstWords } from '@headwater/shared/text/first-words';
import { createGuardedFetch } from './adapters/guarded-fetch.ts';
import { createNodeSigner } from './adapters/node-signer.ts';
import type { AnswerService } from './answers/answer-service.ts';
import { createAnswerService, type HostedAnswers } from './answers/open-answers.ts';
import type { OriginConfig } from './config.ts';
import type { Database } from './database/database.ts';
import { noDatabase } from './database/no-database.ts';
import { openDatabase } from './database/open-database.ts';
import { openEngineRegistry } from './engines/registry.ts';
import { createOriginProviders } from './providers.ts';
import { newStreamId } from './routes/new-stream-id.ts';
import { noSessions } from './sessions/no-sessions.ts';
import type { SessionRegistry } from './sessions/session-registry.ts';
import { openLocalStorage } from './storage/local-storage.ts';
import type { OriginStorage, SessionRuntime } from './storage/origin-storage.ts';
import { type OriginTasks, openTasks } from './tasks/open-tasks.ts';
import { type OriginWords, openWords } from './words.ts';

/** What the routes share. */
export interface OriginGateway extends Omit<OriginWords, 'close'> {
  readonly settings: Settings;
  readonly authorise: Authoriser;
  readonly accessTokens: AccessTokens;
  readonly registry: ProviderRegistry;
  readonly sessions: SessionRegistry;
  readonly ledger: SubjectLedger;
  readonly outbox: OutboxEngine;
  readonly tasks: OriginTasks;
  /** Where conversations, documents, scripts and characters are kept. */
  readonly database: Database;
  readonly answers: AnswerService;
  readonly logger: Logger;
  /** Where streams are kept. */
  readonly storage: OriginStorage['kind'];
  /** Lets go of the storage, once nothing is kept any more. */
  close(): Promise<void>;
}

const clock: Clock = { nowMs: () => Date.now() };

/**
 * Wires the gateway. `env` is the environment that engine processes get their part of. Errors:
 * `unavailable` where the storage cannot be opened, or a module of `TASK_ENGINES` cannot be loaded.
 */
export async function createGateway(
  config: OriginConfig,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<OriginGateway> {
  const { settings, origin } = config;
  const words = createFirstWords();
  const registry = createOriginProviders(settings, words);
  const engines = await openEngineRegistry(origin.tasks.engineModules);
  const storage = await openStorage(config, logger);
  const outbox = await createCallbackOutbox(settings, storage, logger);
  // Who runs tasks alone keeps nothing else.
  const database = origin.tasks.role === 'worker' ? noDatabase : openDatabase(origin, logger);
  const tasks = await openTasks({ config, env, engines, storage, outbox, clock, logger });
  const accessTokens = createAccessTokens({
    secrets: settings.jwtSecrets,
    signerOf: createNodeSigner,
  });
  const opened = Promise.withResolvers<SessionRegistry>();
  const answers = createAnswerService({
    settings,
    answers: origin.answers,
    registry,
    ledger: storage.ledger,
    accessTokens,
    sessions: opened.promise,
    database,
    words,
    logger,
    nowMs: clock.nowMs,
    newStreamId,
  });
  const sessions =
    origin.tasks.role === 'worker'
      ? noSessions
      : await openSessions(settings, storage, { registry, outbox, clock, logger }, answers);
  opened.resolve(sessions);
  await outbox.rearm();
  const ports = { config, env, registry, words, answers, sessions, tasks, database, clock, logger };
  const services = openWords(ports);
  return {
    ...services,
    settings,
    authorise: createAuthoriser(settings, createNodeSigner),
    accessTokens,
    registry,
    sessions,
    ledger: storage.ledger,
    outbox,
    tasks,
    database,
    answers,
    logger,
    storage: storage.kind,
    async close() {
      await services.close();
      await tasks.close();
      await database.close();
      await storage.close();
    },
  };
}

function openSessions(
  settings: Settings,
  storage: OriginStorage,
  ports: Pick<SessionRuntime, 'registry' | 'outbox' | 'clock' | 'logger'>,
  answers: Pick<HostedAnswers, 'ended'>,
): Promise<SessionRegistry> {
  return storage.openSessions({
    ...ports,
    maxReaders: settings.limits.maxReadersPerStream,
    maxBufferedBytes: settings.limits.maxBufferedBytes,
    async ended({ request }) {
      const { subject, streamId } = request;
      // It has a log of its own faults.
      void answers.ended(request);
      try {
        await storage.ledger.release(subject, streamId);
      } catch (err) {
        // The lease ends by itself.
        ports.logger.warn({ streamId, err }, 'release failed');
      }
    },
  });
}

async function openStorage(
  { settings, origin }: OriginConfig,
  logger: Logger,
): Promise<OriginStorage> {
  const limits = subjectLimitsOf(settings);
  if (origin.redisUrl === undefined) return openLocalStorage(origin.dataDir, limits);
  // Loaded where it is needed: an origin alone has no use for a Redis client.
  const { openClusterStorage } = await import('./storage/cluster-storage.ts');
  return openClusterStorage({
    redisUrl: origin.redisUrl,
    dataDir: origin.dataDir,
    limits,
    retentionMs: settings.streamRetentionMs,
    logger,
  });
}

async function createCallbackOutbox(
  settings: Settings,
  { outboxStore: store, sharedPollMs }: OriginStorage,
  logger: Logger,
): Promise<OutboxEngine> {
  const outbox: OutboxEngine = createOutbox({
    store,
    send: createCallbackSender({
      secrets: await Promise.all(settings.jwtSecrets.map(deriveWebhookSecret)),
      fetch: createGuardedFetch({
        allowedHosts: settings.callbackAllowedHosts,
        allowLoopback: settings.devMode,
      }),
      nowMs: clock.nowMs,
      signerOf: createNodeSigner,
    }),
    clock,
    alarm: createTimerAlarm(() => void outbox.wake()),
    logger,
    random: Math.random,
    ...(sharedPollMs === undefined ? {} : { sharedPollMs }),
  });
  return outbox;
}
