import { createScriptedSpeech } from '@headwater/shared/testing/scripted-speech';
import { NO_SPEECH } from '@headwater/shared/voice/speech-ports';
import { fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseState } from '../database/database.ts';
import { createSpeechService } from '../speech/speech-service.ts';
import { openTestOrigin, type TestOrigin } from '../testing/open-test-origin.ts';
import { addAiHealthRoutes, servicesOf } from './ai-health.ts';

let origin: TestOrigin;
beforeAll(async () => {
  origin = await openTestOrigin();
}, 60_000);
afterAll(() => origin?.close());

const characters = { speech: createSpeechService(NO_SPEECH) };

function gatewayWith(changes: {
  readonly database?: DatabaseState;
  readonly circuit?: 'open' | 'closed';
}) {
  const { gateway } = origin;
  const live = gateway.registry.live();
  const openai = {
    isLive: true,
    isSimulated: false,
    circuit: changes.circuit ?? 'closed',
  } as const;
  return {
    ...gateway,
    registry: { ...gateway.registry, live: () => ({ ...live, openai }) },
    database: { ...gateway.database, look: () => changes.database ?? gateway.database.look() },
    characters,
  };
}

async function get(gateway: Parameters<typeof addAiHealthRoutes>[1], url: string) {
  const app = fastify();
  addAiHealthRoutes(app, gateway);
  const response = await app.inject({ url });
  await app.close();
  return { status: response.statusCode, body: response.json() };
}

describe('GET /ai/health', () => {
  it('HEALTH-1: says what is simulated, what is missing and what it takes, to anybody', async () => {
    const { status, body } = await get({ ...origin.gateway, characters }, '/ai/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'simulated',
      version: expect.stringMatching(/^\d/),
      services: {
        generate: { status: 'simulated', missing: expect.stringContaining('OPENAI_API_KEY') },
        chat: { status: 'simulated' },
        'speech-to-text': {
          status: 'unavailable',
          missing: expect.stringContaining('DEEPGRAM_API_KEY'),
        },
        'text-to-speech': { status: 'unavailable' },
        'tasks/content-generation': { status: 'live' },
        'tasks/ocr': { status: 'unavailable', missing: expect.stringContaining('TASK_ENGINES') },
      },
      providers: { echo: { live: true, simulated: true }, openai: { live: false } },
      database: { kind: 'embedded' },
      storage: 'disk',
      gpu: { available: expect.any(Boolean) },
    });
  });

  it('HEALTH-1: is ok with a model, and degraded while every one or the database is away', async () => {
    const away = { kind: 'postgres', state: 'away' } as const;
    const cases = [
      [{}, 'ok'],
      [{ circuit: 'open' }, 'degraded'],
      [{ database: away }, 'degraded'],
    ] as const;
    for (const [changes, status] of cases) {
      const { body } = await get(gatewayWith(changes), '/ai/health');
      expect(body.status).toBe(status);
    }
    const { services } = servicesOf(gatewayWith({ database: away }));
    expect(services['chat']).toEqual({
      status: 'unavailable',
      missing: 'The database does not answer.',
    });
    expect(services['characters']).toEqual({ status: 'live' });
  });

  it('HEALTH-2: names DATABASE_URL to a cluster without one, and live speech', async () => {
    const gateway = {
      ...gatewayWith({ database: { kind: 'none', state: 'closed' } }),
      characters: { speech: createSpeechService(createScriptedSpeech()) },
    };
    const { body } = await get(gateway, '/ai/health/services');
    expect(body.services.chat.missing).toContain('DATABASE_URL');
    expect(body.services['speech-to-text']).toEqual({ status: 'live' });
    expect(body.database).toEqual({ kind: 'none', state: 'closed', vectors: null });
  });

  it('HEALTH-3: tells of graphics cards, or why there are none', async () => {
    const { status, body } = await get({ ...origin.gateway, characters }, '/ai/health/gpu');
    expect(status).toBe(200);
    expect(body.available ? body.gpus.length > 0 : body.reason).toBeTruthy();
  });
});
