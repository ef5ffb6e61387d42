import { expect, it } from 'vitest';
import { parseSettings } from '../protocol/settings.ts';
import type { ModelProvider, ProviderName } from '../providers/contract.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import { VendorError } from '../providers/vendor-error.ts';
import { withBreaker } from '../providers/with-breaker.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { createScriptedProvider } from '../testing/scripted-provider.ts';
import { edgeHealthOf, originHealthOf } from './health.ts';

const SECRET = 'a-secret-that-nobody-may-see-anywhere';

const settingsOf = (env: Record<string, string> = {}) =>
  parseSettings({ JWT_SECRET: SECRET, ...env });

const registryOf = (providers: Partial<Record<ProviderName, ModelProvider>>) =>
  createProviderRegistry({ providers });

const { provider: echo } = createScriptedModel();
const engines = {
  'content-generation': { live: true },
  ocr: { live: false, missing: 'No engine for ocr is installed here.' },
} as const;
const openai = createScriptedProvider([]);

it('HOST-3: health says which vendors are live, and which setting would make the others so', () => {
  const settings = settingsOf({ OPENAI_API_KEY: 'sk-hidden', DEV_MODE: 'true' });
  const health = originHealthOf(settings, registryOf({ echo, openai }), engines);
  expect(health).toEqual({
    status: 'ok',
    host: 'origin',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    devMode: true,
    defaultModel: 'gpt-4',
    providers: {
      openai: { live: true, setting: 'OPENAI_API_KEY' },
      azure: { live: false, setting: 'AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT' },
      anthropic: { live: false, setting: 'ANTHROPIC_API_KEY' },
      ollama: { live: false, setting: 'OLLAMA_HOST' },
      echo: { live: true, simulated: true },
    },
    engines,
  });
  expect(JSON.stringify(health)).not.toMatch(/sk-hidden|nobody-may-see/);
});

it('PROV-23: health shows the circuit of a vendor that kept failing', async () => {
  const error = new VendorError('broken', 'upstream_failed', 'It broke.');
  const failing = withBreaker(createScriptedProvider([{ error }]), {
    policy: { failures: 1, openMs: 30_000, probeMs: 300_000 },
  });
  const registry = registryOf({ echo, openai: failing });
  const circuit = () => originHealthOf(settingsOf(), registry, {}).providers.openai.circuit;
  expect(circuit()).toBe('closed');
  const request = { model: 'gpt-4', messages: [], maxTokens: 1 };
  const answer = failing.stream(request, new AbortController().signal);
  await expect(answer[Symbol.asyncIterator]().next()).rejects.toBe(error);
  expect(circuit()).toBe('open');
});

it('HOST-3: an edge without an origin names the setting that leads to one', () => {
  const health = edgeHealthOf(settingsOf(), registryOf({ echo }), undefined);
  expect(health).toMatchObject({ host: 'edge', defaultModel: 'echo' });
  expect(health).not.toHaveProperty('origin');
  expect(health.providers.ollama).toEqual({ live: false, setting: 'ORIGIN_URL' });
});

it('HOST-3, TASK-46: an edge shows the Ollama and the engines of its origin, and whether that answers', () => {
  const settings = settingsOf({ ORIGIN_URL: 'https://origin.example', INTERNAL_API_KEY: 'k' });
  const registry = registryOf({ echo, ollama: createScriptedProvider([]) });
  const down = edgeHealthOf(settings, registry, undefined);
  expect(down.origin).toBe('down');
  expect(down).not.toHaveProperty('engines');
  expect(down.providers.ollama).toEqual({ live: false, setting: 'OLLAMA_HOST' });
  const up = edgeHealthOf(settings, registry, originHealthOf(settings, registry, engines));
  expect(up.engines).toEqual(engines);
  expect(up.origin).toBe('up');
  expect(up.providers.ollama).toEqual({ live: true, setting: 'OLLAMA_HOST' });
});
