import { describe, expect, it } from 'vitest';
import { startScriptedVendor } from '../../testing/node/scripted-vendor.ts';
import { describeProviderContract } from '../../testing/provider-contract.ts';
import { createScriptedFetch } from '../../testing/vendors/scripted-fetch.ts';
import type { ScriptedVendor } from '../../testing/vendors/scripted-requests.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { createAzureProvider } from './adapter.ts';

const make = (vendor: ScriptedVendor, settings: Pick<VendorSettings, 'timeouts'>) =>
  createAzureProvider({
    apiKey: 'test-key',
    endpoint: vendor.azureEndpoint,
    apiVersion: '2024-10-21',
    fetch: vendor.fetch,
    ...settings,
  });

describeProviderContract('azure over HTTP', {
  model: 'my-deployment',
  keySetting: 'AZURE_OPENAI_API_KEY',
  hasAddress: true,
  startVendor: startScriptedVendor,
  make,
});

describeProviderContract('azure in memory', {
  model: 'my-deployment',
  keySetting: 'AZURE_OPENAI_API_KEY',
  hasAddress: false,
  startVendor: async () => createScriptedFetch(),
  make,
});

describe('azure requests', () => {
  const request = {
    model: 'my gpt/4',
    messages: [{ role: 'user', content: 'hi' }],
    maxTokens: 5,
    streamId: 'st_1',
  } as const;

  it('PROV-24: go to the deployment, with the version and the key as a header of their own', async () => {
    const vendor = createScriptedFetch();
    const stream = make(vendor, {}).stream(request, new AbortController().signal);
    for await (const batch of stream) expect(batch.length).toBeGreaterThan(0);
    const [asked] = vendor.requests;
    expect(asked?.path).toBe('/openai/deployments/my%20gpt%2F4/chat/completions');
    expect(asked?.query).toEqual({ 'api-version': '2024-10-21' });
    expect(asked?.headers).toMatchObject({
      'api-key': 'test-key',
      'x-ms-client-request-id': 'st_1',
    });
    expect(asked?.headers).not.toHaveProperty('authorization');
  });

  it('PROV-24: stand, whatever the environment says of OpenAI', () => {
    const before = { ...process.env };
    process.env['OPENAI_BASE_URL'] = 'http://elsewhere.invalid';
    process.env['OPENAI_API_VERSION'] = '1999-01-01';
    try {
      expect(() => make(createScriptedFetch(), {})).not.toThrow();
    } finally {
      process.env = before;
    }
  });

  it('PROV-24: a prompt that the content filter refuses is the caller’s fault', async () => {
    const refusing: typeof fetch = async () =>
      Response.json(
        { error: { code: 'content_filter', message: 'vendor secret words' } },
        { status: 400 },
      );
    const provider = createAzureProvider({
      apiKey: 'k',
      endpoint: 'http://vendor.invalid',
      apiVersion: '2024-10-21',
      fetch: refusing,
    });
    const batches = provider.stream(request, new AbortController().signal);
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'validation_failed',
      message: "Azure OpenAI's content filter refused the prompt.",
    });
  });
});
