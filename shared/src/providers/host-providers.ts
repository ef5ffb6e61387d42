/** The vendors that every host reaches itself, made from its settings. */

import type { Settings } from '../protocol/settings.ts';
import { createAnthropicProvider } from './anthropic/adapter.ts';
import { createAzureProvider } from './azure/adapter.ts';
import { createEchoProvider } from './echo/adapter.ts';
import { guardProvider } from './guard-provider.ts';
import { createOpenAIProvider } from './openai/adapter.ts';
import type { RegistryOptions } from './registry.ts';
import type { VendorSettings } from './vendor-settings.ts';

/**
 * OpenAI, Azure and Anthropic where they have a key, guarded; and the simulation. `fetch` is the
 * platform's where a host has none of its own.
 */
export function createHostProviders(
  settings: Settings,
  fetch?: VendorSettings['fetch'],
): RegistryOptions['providers'] {
  const { openai, azure, anthropic, upstreamTimeouts: timeouts, upstreamGuard: guard } = settings;
  const way = { timeouts, fetch };
  return {
    echo: createEchoProvider(),
    ...(openai && { openai: guardProvider(createOpenAIProvider({ ...openai, ...way }), guard) }),
    ...(azure && { azure: guardProvider(createAzureProvider({ ...azure, ...way }), guard) }),
    ...(anthropic && {
      anthropic: guardProvider(createAnthropicProvider({ ...anthropic, ...way }), guard),
    }),
  };
}
