/** Everything the origin makes once from its settings. */

import { createOutbox, type OutboxEngine } from '@headwater/shared/callbacks/outbox';
import { createCallbackSender } from '@headwater/shared/callbacks/send';
import { type Authoriser, createAuthoriser } from '@headwater/shared/gateway/authorise';
import { type SubjectLedger, subjectLimitsOf } from '@headwater/shared/gateway/subject-ledger';
import type { Settings } from '@headwater/shared/protocol/settings';
import { guardProvider } from '@headwater/shared/providers/guard-provider';
import { createHostProviders } from '@headwater/shared/providers/host-providers';
import { createOllamaProvider } from '@headwater/shared/providers/ollama/adapter';
import {
  createProviderRegistry,
  type ProviderRegistry,
} from '@headwater/shared/providers/registry';
import { type AccessTokens, createAccessTokens } from '@headwater/shared/security/access-token';
import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { createGuardedFetch } from './adapters/guarded-fetch.ts';
import { createLeanFetch } from './adapters/lean-fetch.ts';
import type { OriginConfig } from './config.ts';
import type { SessionRegistry } from './sessions/session-registry.ts';
import { openLocalStorage } from './storage/local-storage.ts';
import type { OriginStorage } from './storage/origin-storage.ts';

/** What the routes share. */
export interface OriginGateway {
  readonly settings: Settings;
  readonly authorise: Authoriser;
  readonly accessTokens: AccessTokens;
  readonly registry: ProviderRegistry;
  readonly sessions: SessionRegistry;
  readonly ledger: SubjectLedger;
  readonly outbox: OutboxEngine;
  readonly logger: Logger;
  /** Where streams are kept. */
  readonly storage: OriginStorage['kind'];
  /** Lets go of the storage, once nothing is kept any more. */
  close(): Promise<void>;
}

const clock: Clock = { nowMs: () => Date.now() };

/** Wires the gateway. Errors: `unavailable` where the storage cannot be opened. */
export async function createGateway(config: OriginConfig, logger: Logger): Promise<OriginGateway> {
  const { settings } = config;
  const registry = createRegistry(settings);
  const storage = await openStorage(config, logger);
  const outbox = await createCallbackOutbox(settings, storage, logger);
  const sessions = await storage.openSessions({
    registry,
    outbox,
    clock,
    logger,
    maxReaders: settings.limits.maxReadersPerStream,
    maxBufferedBytes: settings.limits.maxBufferedBytes,
    async ended({ request: { subject, streamId } }) {
      try {
        await storage.ledger.release(subject, streamId);
      } catch (err) {
        // The lease ends by itself.
        logger.warn({ streamId, err }, 'release failed');
      }
    },
  });
  await outbox.rearm();
  return {
    settings,
    authorise: createAuthoriser(settings),
    accessTokens: createAccessTokens({ secrets: settings.jwtSecrets }),
    registry,
    sessions,
    ledger: storage.ledger,
    outbox,
    logger,
    storage: storage.kind,
    close: storage.close,
  };
}

function createRegistry(settings: Settings): ProviderRegistry {
  const { ollamaHost, ollamaTimeouts: timeouts, upstreamGuard, defaultModel } = settings;
  const fetch = createLeanFetch();
  return createProviderRegistry({
    providers: {
      ...createHostProviders(settings, fetch),
      ...(ollamaHost && {
        ollama: guardProvider(
          createOllamaProvider({ host: ollamaHost, timeouts, fetch }),
          upstreamGuard,
        ),
      }),
    },
    ...(defaultModel === undefined ? {} : { defaultModel }),
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
    }),
    clock,
    alarm: createTimerAlarm(() => void outbox.wake()),
    logger,
    random: Math.random,
    ...(sharedPollMs === undefined ? {} : { sharedPollMs }),
  });
  return outbox;
}
