/** The vendors an origin has, made from its settings. */

import type { Settings } from '@headwater/shared/protocol/settings';
import { guardProvider } from '@headwater/shared/providers/guard-provider';
import { createHostProviders } from '@headwater/shared/providers/host-providers';
import { createOllamaProvider } from '@headwater/shared/providers/ollama/adapter';
import {
  createProviderRegistry,
  type ProviderRegistry,
  type RegistryOptions,
} from '@headwater/shared/providers/registry';
import { type FirstWords, withFirstWords } from '@headwater/shared/text/first-words';
import { createLeanFetch } from './adapters/lean-fetch.ts';
import { withRagSimulation } from './rag/rag-simulation.ts';

/**
 * The vendors every host reaches, and Ollama, which only an origin can. How long each takes to its
 * first word is told to `words`. Throws `validation_failed` when the default model means no vendor.
 */
export function createOriginProviders(settings: Settings, words?: FirstWords): ProviderRegistry {
  const { ollamaHost, ollamaTimeouts: timeouts, upstreamGuard, defaultModel } = settings;
  const fetch = createLeanFetch();
  const { echo, ...vendors } = createHostProviders(settings, fetch);
  const providers: RegistryOptions['providers'] = {
    ...(echo && { echo: withRagSimulation(echo) }),
    ...vendors,
    ...(ollamaHost && {
      ollama: guardProvider(
        createOllamaProvider({ host: ollamaHost, timeouts, fetch }),
        upstreamGuard,
      ),
    }),
  };
  return createProviderRegistry({
    providers: words === undefined ? providers : measureAll(providers, words),
    ...(defaultModel === undefined ? {} : { defaultModel }),
  });
}

function measureAll(
  providers: RegistryOptions['providers'],
  words: FirstWords,
): RegistryOptions['providers'] {
  return Object.fromEntries(
    Object.entries(providers).map(([name, provider]) => [name, withFirstWords(provider, words)]),
  );
}
