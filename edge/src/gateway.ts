/** Everything an isolate makes once from its settings. */

import { type Authoriser, createAuthoriser } from '@headwater/shared/gateway/authorise';
import { createOriginPool, type OriginPool } from '@headwater/shared/gateway/origin-pool';
import type { Settings } from '@headwater/shared/protocol/settings';
import { guardProvider } from '@headwater/shared/providers/guard-provider';
import { createHostProviders } from '@headwater/shared/providers/host-providers';
import {
  createProviderRegistry,
  MISSING_OLLAMA_AT_EDGE,
  MISSING_PROVIDER,
  type ProviderRegistry,
  type RegistryOptions,
} from '@headwater/shared/providers/registry';
import { type AccessTokens, createAccessTokens } from '@headwater/shared/security/access-token';
import { createOriginProvider } from './adapters/origin-provider.ts';
import { type Env, settingsOf } from './env.ts';

/** What routes and objects share. */
export interface EdgeGateway {
  readonly settings: Settings;
  readonly authorise: Authoriser;
  readonly accessTokens: AccessTokens;
  readonly registry: ProviderRegistry;
  /** Those of `ORIGIN_URL`. */
  readonly origins: OriginPool;
}

const made = new WeakMap<Env, EdgeGateway>();

/** The gateway of an isolate, made at its first request. */
export function gatewayOf(env: Env): EdgeGateway {
  let gateway = made.get(env);
  if (gateway === undefined) {
    const settings = settingsOf(env);
    gateway = {
      settings,
      authorise: createAuthoriser(settings),
      accessTokens: createAccessTokens({ secrets: settings.jwtSecrets }),
      registry: createProviderRegistry({
        providers: createProviders(settings),
        missing: { ...MISSING_PROVIDER, ollama: MISSING_OLLAMA_AT_EDGE },
        ...(settings.defaultModel === undefined ? {} : { defaultModel: settings.defaultModel }),
      }),
      origins: createOriginPool(settings.originUrls),
    };
    made.set(env, gateway);
  }
  return gateway;
}

function createProviders(settings: Settings): RegistryOptions['providers'] {
  const { originUrls, internalApiKey: apiKey, ollamaTimeouts: timeouts, upstreamGuard } = settings;
  if (originUrls.length === 0) return createHostProviders(settings);
  const ollama = createOriginProvider({ name: 'ollama', originUrls, apiKey, timeouts });
  return { ...createHostProviders(settings), ollama: guardProvider(ollama, upstreamGuard) };
}
