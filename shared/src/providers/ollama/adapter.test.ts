import { describe, expect, it } from 'vitest';
import { startScriptedVendor } from '../../testing/node/scripted-vendor.ts';
import { describeProviderContract } from '../../testing/provider-contract.ts';
import { createScriptedFetch } from '../../testing/vendors/scripted-fetch.ts';
import type { ScriptedVendor } from '../../testing/vendors/scripted-requests.ts';
import { createOllamaProvider, type OllamaSettings } from './adapter.ts';
import { toBody } from './body.ts';

const make = (vendor: ScriptedVendor, settings: Pick<OllamaSettings, 'timeouts'>) =>
  createOllamaProvider({ host: vendor.ollamaHost, fetch: vendor.fetch, ...settings });

describeProviderContract('ollama over HTTP', {
  model: 'llama3.2',
  keySetting: 'OLLAMA_HOST',
  hasAddress: true,
  startVendor: startScriptedVendor,
  make,
});

describeProviderContract('ollama in memory', {
  model: 'llama3.2',
  keySetting: 'OLLAMA_HOST',
  hasAddress: false,
  startVendor: async () => createScriptedFetch(),
  make,
});

describe('ollama requests', () => {
  it('PROV-14: bounds the answer by num_predict and leaves system messages in place', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
    ] as const;
    expect(toBody({ model: 'llama3.2', messages, maxTokens: 7, temperature: 0 })).toEqual({
      model: 'llama3.2',
      messages,
      stream: true,
      options: { num_predict: 7, temperature: 0 },
    });
  });
});
