/** The vendors an origin has, made from its settings. */

import type { Settings } from '@headwater/shared/protocol/settings';
import { guardProvider } from '@headwater/shared/providers/guard-provider';
import { createHostProviders } from '@headwater/shared/providers/host-providers';
import { createOllamaProvider } from '@headwater/shared/providers/ollama/adapter';
import {
  createProviderRegistry,
  type ProviderRegistry,
} from '@headwater/shared/providers/registry';
import { createLeanFetch } from './adapters/lean-fetch.ts';

/**
 * The vendors every host reaches, and Ollama, which only an origin can. Throws `validation_failed`
 * when the default model means no vendor.
 */
export function createOriginProviders(settings: Settings): ProviderRegistry {
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
