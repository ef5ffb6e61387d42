import { createAnthropicProvider } from '@headwater/shared/providers/anthropic/adapter';
import { createAzureProvider } from '@headwater/shared/providers/azure/adapter';
import { createOpenAIProvider } from '@headwater/shared/providers/openai/adapter';
import {
  describeProviderContract,
  type ProviderUnderTest,
} from '@headwater/shared/testing/provider-contract';
import { createScriptedFetch } from '@headwater/shared/testing/vendors/scripted-fetch';

const memory = {
  hasAddress: false,
  startVendor: async () => createScriptedFetch(),
} satisfies Partial<ProviderUnderTest>;

describeProviderContract('openai on workerd', {
  ...memory,
  model: 'gpt-4',
  keySetting: 'OPENAI_API_KEY',
  make: ({ openaiBaseUrl: baseUrl, fetch }, { timeouts }) =>
    createOpenAIProvider({ apiKey: 'k', baseUrl, fetch, timeouts }),
});

describeProviderContract('azure on workerd', {
  ...memory,
  model: 'my-deployment',
  keySetting: 'AZURE_OPENAI_API_KEY',
  make: ({ azureEndpoint: endpoint, fetch }, { timeouts }) =>
    createAzureProvider({ apiKey: 'k', endpoint, apiVersion: '2024-10-21', fetch, timeouts }),
});

describeProviderContract('anthropic on workerd', {
  ...memory,
  model: 'claude-sonnet-5-5',
  keySetting: 'ANTHROPIC_API_KEY',
  make: ({ anthropicBaseUrl: baseUrl, fetch }, { timeouts }) =>
    createAnthropicProvider({ apiKey: 'k', baseUrl, fetch, timeouts }),
});
