import { createOpenAIClient } from '@headwater/shared/testing/openai-client';
import { FIXED_ANSWER } from '@headwater/shared/testing/vendors/directive';
import { SCRIPTED_MODELS } from '@headwater/shared/testing/vendors/model-lists';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEdgeHost } from '../hosts/edge-host.ts';
import type { RunningHost } from '../hosts/host.ts';
import { say } from '../hosts/openai-caller.ts';
import { startOriginHost } from '../hosts/origin-host.ts';
import { startWorld, type World } from '../hosts/world.ts';

const KEY = 'internal-key-internal-key-internal-key';

describe('OpenAI’s API for Ollama, at the origin and through it', () => {
  let origin: World;
  let edge: RunningHost;
  beforeAll(async () => {
    let settings = {};
    origin = await startWorld((common) => {
      settings = { ...common, INTERNAL_API_KEY: KEY };
      const OLLAMA_HOST = (common['ANTHROPIC_BASE_URL'] ?? '').replace(/\/$/, '');
      return startOriginHost({ ...settings, OLLAMA_HOST });
    });
    edge = await startEdgeHost({ ...settings, ORIGIN_URL: origin.host.baseUrl });
  }, 90_000);
  afterAll(async () => {
    await edge?.close();
    await origin?.close();
  }, 30_000);

  for (const where of ['origin', 'edge'] as const) {
    it(`OPENAI-9, OPENAI-11: the ${where} lists Ollama's models, and answers as one, for the key as a bearer`, async () => {
      const { baseUrl } = where === 'origin' ? origin.host : edge;
      const client = createOpenAIClient({ baseURL: `${baseUrl}/v1`, apiKey: KEY });
      const model = `ollama/${SCRIPTED_MODELS.ollama[0]}`;
      const ids = [];
      for await (const { id } of client.models.list()) ids.push(id);
      expect(ids).toContain(model);
      expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: 'model' });
      const raw = await fetch(`${baseUrl}/v1/models/${model}`, { headers: { 'x-api-key': KEY } });
      expect([raw.status, ((await raw.json()) as { id: string }).id]).toEqual([200, model]);
      const answer = await client.chat.completions.create({ model, messages: say('Tell me.') });
      expect(answer.choices[0]?.message.content).toBe(FIXED_ANSWER);
    });
  }
});
