import { describe, expect, it } from 'vitest';
import { startScriptedVendor } from '../../testing/node/scripted-vendor.ts';
import { describeProviderContract } from '../../testing/provider-contract.ts';
import { createScriptedFetch } from '../../testing/vendors/scripted-fetch.ts';
import type { ScriptedVendor } from '../../testing/vendors/scripted-requests.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { createAnthropicProvider } from './adapter.ts';
import { toBody } from './body.ts';

const make = (vendor: ScriptedVendor, settings: Pick<VendorSettings, 'timeouts'>) =>
  createAnthropicProvider({
    apiKey: 'test-key',
    baseUrl: vendor.anthropicBaseUrl,
    fetch: vendor.fetch,
    ...settings,
  });

describeProviderContract('anthropic over HTTP', {
  model: 'claude-sonnet-5-5',
  keySetting: 'ANTHROPIC_API_KEY',
  hasAddress: true,
  startVendor: startScriptedVendor,
  make,
});

describeProviderContract('anthropic in memory', {
  model: 'claude-sonnet-5-5',
  keySetting: 'ANTHROPIC_API_KEY',
  hasAddress: false,
  startVendor: async () => createScriptedFetch(),
  make,
});

describe('anthropic requests', () => {
  it('PROV-13: joins system messages by blank lines, wherever they stand, and keeps the turns', () => {
    const body = toBody({
      model: 'claude-sonnet-5-5',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'one' },
        { role: 'user', content: 'two' },
        { role: 'system', content: 'Be kind.' },
      ],
      maxTokens: 9,
    });
    expect(body).toEqual({
      model: 'claude-sonnet-5-5',
      max_tokens: 9,
      stream: true,
      system: 'Be brief.\n\nBe kind.',
      messages: [
        { role: 'user', content: 'one' },
        { role: 'user', content: 'two' },
      ],
    });
  });

  it('PROV-13: leaves out the temperature, which the API no longer takes', () => {
    const messages = [{ role: 'user', content: 'hi' }] as const;
    const request = { model: 'claude-sonnet-5-5', messages, maxTokens: 9, temperature: 0.2 };
    expect(toBody(request)).not.toHaveProperty('temperature');
  });
});
