/** Everything the origin makes once from its settings. */

import { createMemoryOutboxStore } from '@headwater/shared/callbacks/memory-store';
import { createOutbox, type OutboxEngine } from '@headwater/shared/callbacks/outbox';
import { createCallbackSender } from '@headwater/shared/callbacks/send';
import { type Authoriser, createAuthoriser } from '@headwater/shared/gateway/authorise';
import type { Settings } from '@headwater/shared/protocol/settings';
import { createAnthropicProvider } from '@headwater/shared/providers/anthropic/adapter';
import { createEchoProvider } from '@headwater/shared/providers/echo/adapter';
import { createOllamaProvider } from '@headwater/shared/providers/ollama/adapter';
import { createOpenAIProvider } from '@headwater/shared/providers/openai/adapter';
import {
  createProviderRegistry,
  type ProviderRegistry,
} from '@headwater/shared/providers/registry';
import { type AccessTokens, createAccessTokens } from '@headwater/shared/security/access-token';
import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import type { Logger } from '@headwater/shared/stream/ports';
import { createGuardedFetch } from './adapters/guarded-fetch.ts';
import { createTimeoutAlarm } from './adapters/timeout-alarm.ts';
import { createSessionRegistry, type SessionRegistry } from './sessions/session-registry.ts';
import { createSubjectLimits, type SubjectLimits } from './sessions/subject-limits.ts';

/** What the routes share. */
export interface OriginGateway {
  readonly settings: Settings;
  readonly authorise: Authoriser;
  readonly accessTokens: AccessTokens;
  readonly registry: ProviderRegistry;
  readonly sessions: SessionRegistry;
  readonly limits: SubjectLimits;
  readonly outbox: OutboxEngine;
  readonly logger: Logger;
}

/** Wires the gateway. */
export async function createGateway(settings: Settings, logger: Logger): Promise<OriginGateway> {
  const clock = { nowMs: () => Date.now() };
  const { openai, anthropic, ollamaHost } = settings;
  const registry = createProviderRegistry({
    providers: {
      echo: createEchoProvider(),
      ...(openai === undefined ? {} : { openai: createOpenAIProvider(openai) }),
      ...(anthropic === undefined ? {} : { anthropic: createAnthropicProvider(anthropic) }),
      ...(ollamaHost === undefined ? {} : { ollama: createOllamaProvider({ host: ollamaHost }) }),
    },
    ...(settings.defaultModel === undefined ? {} : { defaultModel: settings.defaultModel }),
  });
  const outbox: OutboxEngine = createOutbox({
    store: createMemoryOutboxStore(),
    send: createCallbackSender({
      secrets: await Promise.all(settings.jwtSecrets.map(deriveWebhookSecret)),
      fetch: createGuardedFetch({
        allowedHosts: settings.callbackAllowedHosts,
        allowLoopback: settings.devMode,
      }),
      nowMs: clock.nowMs,
    }),
    clock,
    alarm: createTimeoutAlarm(() => void outbox.wake()),
    logger,
    random: Math.random,
  });
  return {
    settings,
    authorise: createAuthoriser(settings),
    accessTokens: createAccessTokens({ secrets: settings.jwtSecrets }),
    registry,
    sessions: createSessionRegistry({ registry, outbox, clock, logger }),
    limits: createSubjectLimits(settings.rateLimitPerMinute, clock.nowMs),
    outbox,
    logger,
  };
}
