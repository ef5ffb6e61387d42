import { describe, expect, it } from 'vitest';
import { createScriptedFetch } from '../testing/vendors/scripted-fetch.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createAnthropicProvider } from './anthropic/adapter.ts';
import { createAzureProvider } from './azure/adapter.ts';
import type { ModelProvider } from './contract.ts';
import { createEchoProvider } from './echo/adapter.ts';
import { createModelCatalogue, LIST_RETRY_MS, LIST_TTL_MS } from './model-catalogue.ts';
import type { ListedModel, ModelLister } from './model-lister.ts';
import { createOllamaProvider } from './ollama/adapter.ts';
import { createOpenAIProvider } from './openai/adapter.ts';
import { createProviderRegistry } from './registry.ts';
import { routeModel } from './route-model.ts';

const vendor = createScriptedFetch();
const { fetch } = vendor;
const openai = createOpenAIProvider({ apiKey: 'k', baseUrl: vendor.openaiBaseUrl, fetch });
const anthropic = createAnthropicProvider({
  apiKey: 'k',
  baseUrl: vendor.anthropicBaseUrl,
  fetch,
});
const ollama = createOllamaProvider({ host: vendor.ollamaHost, fetch });
const azure = createAzureProvider({
  apiKey: 'k',
  endpoint: vendor.azureEndpoint,
  apiVersion: '2024-10-21',
  fetch,
});
const echo = createEchoProvider();

/** A vendor that lists what a test says, and counts. */
function listing(list: () => Promise<readonly ListedModel[]>) {
  const provider: ModelProvider & ModelLister & { asked: number } = {
    ...openai,
    asked: 0,
    listModels() {
      provider.asked += 1;
      return list();
    },
  };
  return provider;
}

const GPT: ListedModel = { id: 'gpt-4', owned_by: 'x' };

describe('the model catalogue', () => {
  it('PROV-28: lists every vendor’s models by the names that lead to them here', async () => {
    const providers = { openai, azure, anthropic, ollama, echo };
    const registry = createProviderRegistry({ providers });
    const models = await createModelCatalogue({ registry }).list();
    const created = 1_760_000_000;
    expect(models).toEqual([
      { id: 'gpt-4', created, owned_by: 'scripted' },
      { id: 'openai/llama-of-a-server', created, owned_by: 'scripted' },
      { id: 'claude-sonnet-5-5', created, owned_by: 'anthropic' },
      { id: 'ollama/llama3.2:1b', created, owned_by: 'ollama' },
      { id: 'echo', owned_by: 'headwater' },
    ]);
    for (const { id } of models) expect(routeModel(id), id).toBeDefined();
  });

  it('PROV-28: asks a vendor once in five minutes', async () => {
    const clock = createVirtualClock();
    const counting = listing(async () => [GPT]);
    const registry = { providers: { openai: counting } };
    const catalogue = createModelCatalogue({ registry, nowMs: clock.nowMs });
    await catalogue.list();
    await clock.advance(LIST_TTL_MS - 1);
    expect(await catalogue.list()).toEqual([GPT]);
    expect(counting.asked).toBe(1);
    await clock.advance(1);
    await catalogue.list();
    expect(counting.asked).toBe(2);
  });

  it('PROV-28: shows what it last knew of a vendor that fails, and asks it again after a while', async () => {
    const clock = createVirtualClock();
    let isDown = false;
    const failures: unknown[] = [];
    const flaky = listing(async () => {
      if (isDown) throw new Error('down');
      return [GPT];
    });
    const catalogue = createModelCatalogue({
      registry: { providers: { openai: flaky, echo } },
      nowMs: clock.nowMs,
      onFailure: (name) => failures.push(name),
    });
    await catalogue.list();
    isDown = true;
    await clock.advance(LIST_TTL_MS);
    expect((await catalogue.list()).map(({ id }) => id)).toEqual(['gpt-4', 'echo']);
    await catalogue.list();
    expect(flaky.asked).toBe(2);
    expect(failures).toEqual(['openai']);
    await clock.advance(LIST_RETRY_MS);
    await catalogue.list();
    expect(flaky.asked).toBe(3);
  });

  it('PROV-28: leaves out a vendor of which nothing is known', async () => {
    const down = listing(async () => {
      throw new Error('down');
    });
    const catalogue = createModelCatalogue({ registry: { providers: { openai: down, echo } } });
    expect((await catalogue.list()).map(({ id }) => id)).toEqual(['echo']);
  });

  it.each([
    ['openai', createOpenAIProvider],
    ['anthropic', createAnthropicProvider],
  ] as const)(
    'PROV-28: %s that refuses the key says so in the gateway’s words',
    async (_, create) => {
      const refusing: typeof fetch = async () =>
        Response.json({ error: { message: 'vendor secret words' } }, { status: 401 });
      const listed = create({ apiKey: 'k', fetch: refusing }).listModels();
      await expect(listed).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.not.stringContaining('secret'),
      });
    },
  );
});
