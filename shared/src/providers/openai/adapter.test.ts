import { describe, expect, it } from 'vitest';
import { startScriptedVendor } from '../../testing/node/scripted-vendor.ts';
import { describeProviderContract } from '../../testing/provider-contract.ts';
import { createScriptedFetch } from '../../testing/vendors/scripted-fetch.ts';
import type { ScriptedVendor } from '../../testing/vendors/scripted-requests.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { createOpenAIProvider } from './adapter.ts';
import { isReasoningModel, toBody } from './body.ts';

const make = (vendor: ScriptedVendor, settings: Pick<VendorSettings, 'timeouts'>) =>
  createOpenAIProvider({
    apiKey: 'test-key',
    baseUrl: vendor.openaiBaseUrl,
    fetch: vendor.fetch,
    ...settings,
  });

describeProviderContract('openai over HTTP', {
  model: 'gpt-4',
  keySetting: 'OPENAI_API_KEY',
  hasAddress: true,
  startVendor: startScriptedVendor,
  make,
});

describeProviderContract('openai in memory', {
  model: 'gpt-4',
  keySetting: 'OPENAI_API_KEY',
  hasAddress: false,
  startVendor: async () => createScriptedFetch(),
  make,
});

describe('openai requests', () => {
  const messages = [{ role: 'user', content: 'hi' }] as const;

  it('PROV-12: bounds gpt-4 by max_tokens and keeps its temperature', () => {
    const body = toBody({ model: 'gpt-4', messages, maxTokens: 5, temperature: 0.3 });
    expect(body).toEqual({
      model: 'gpt-4',
      messages,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 5,
      temperature: 0.3,
    });
  });

  it('PROV-12: bounds a reasoning model by max_completion_tokens and leaves the temperature out', () => {
    const body = toBody({ model: 'o3-mini', messages, maxTokens: 5, temperature: 0.3 });
    expect(body.max_completion_tokens).toBe(5);
    expect(body).not.toHaveProperty('max_tokens');
    expect(body).not.toHaveProperty('temperature');
  });

  it.each(['o1', 'o3-mini', 'o4-mini', 'gpt-5', 'gpt-5.1-mini', 'gpt-10', 'ft:o4-mini:x'])(
    'PROV-12: counts %s among the reasoning models',
    (model) => expect(isReasoningModel(model)).toBe(true),
  );

  it.each([
    'gpt-4',
    'gpt-4o',
    'gpt-4.1',
    'gpt-3.5-turbo',
    'chatgpt-4o-latest',
    'llama-3',
    'gpt-500x',
  ])('PROV-12: does not count %s among them', (model) =>
    expect(isReasoningModel(model)).toBe(false),
  );

  it('PROV-12: sends the key as a bearer token and the stream id for correlation', async () => {
    const vendor = createScriptedFetch();
    const request = { model: 'gpt-4', messages, maxTokens: 5, streamId: 'st_1' };
    const stream = make(vendor, {}).stream(request, new AbortController().signal);
    for await (const batch of stream) expect(batch.length).toBeGreaterThan(0);
    const headers = vendor.requests[0]?.headers;
    expect(headers).toMatchObject({
      authorization: 'Bearer test-key',
      'x-client-request-id': 'st_1',
    });
    expect(headers).not.toHaveProperty('openai-organization');
  });
});
