import {
  FIXED_ANSWER,
  scriptedPrompt,
  scriptedUsage,
} from '@headwater/shared/testing/vendors/directive';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEdgeHost } from '../hosts/edge-host.ts';
import { openStream, readStream, stateOnce, textOf } from '../hosts/gateway-client.ts';
import type { RunningHost } from '../hosts/host.ts';
import { startOriginHost } from '../hosts/origin-host.ts';
import { startWorld, type World } from '../hosts/world.ts';

const KEY = 'internal-key-internal-key-internal-key';

describe('Ollama, at the origin and through it', () => {
  let origin: World;
  let edge: RunningHost;
  let stranger: RunningHost;
  beforeAll(async () => {
    let settings = {};
    origin = await startWorld((common) => {
      settings = { ...common, INTERNAL_API_KEY: KEY };
      const OLLAMA_HOST = (common['ANTHROPIC_BASE_URL'] ?? '').replace(/\/$/, '');
      return startOriginHost({ ...settings, OLLAMA_HOST });
    });
    const ORIGIN_URL = `http://127.0.0.1:1,${origin.host.baseUrl}`;
    [edge, stranger] = await Promise.all([
      startEdgeHost({ ...settings, ORIGIN_URL }),
      startEdgeHost({ ...settings, ORIGIN_URL, INTERNAL_API_KEY: `${KEY}-of-another` }),
    ]);
  }, 90_000);
  afterAll(async () => {
    await Promise.all([edge?.close(), stranger?.close()]);
    await origin?.close();
  }, 30_000);

  const open = (host: RunningHost, name: string, prompt: string) =>
    openStream(host.baseUrl, name, {
      resumeUrl: origin.receiver.urlFor(name),
      prompt,
      model: 'ollama/llama3.2',
    });

  for (const where of ['origin', 'edge'] as const) {
    it(`HOST-5, PROV-3: the ${where} streams Ollama's answer with its own usage`, async () => {
      const host = where === 'origin' ? origin.host : edge;
      const prompt = scriptedPrompt({ bytesPerWrite: 5 });
      const { events } = await readStream(await open(host, where, prompt));
      expect(textOf(events)).toBe(FIXED_ANSWER);
      const usage = scriptedUsage(prompt);
      expect((await origin.receiver.attempt(where)).body).toMatchObject({
        answer: FIXED_ANSWER,
        provider: 'ollama',
        model: 'ollama/llama3.2',
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        usageSource: 'provider',
      });
    });
  }

  it('HOST-5, STREAM-12: a cut behind the origin is a failure at the edge', async () => {
    const prompt = scriptedPrompt({ tokens: 20, fault: 'cut', delayMs: 2 });
    const { events } = await readStream(await open(edge, 'relay-cut', prompt));
    expect(events.at(-1)?.event).toBe('error');
    expect((await origin.receiver.attempt('relay-cut')).body).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_failed' },
    });
  });

  it('HOST-5, STREAM-13: a cancel at the edge stops Ollama behind the origin', async () => {
    const prompt = scriptedPrompt({ tokens: 321, delayMs: 20 });
    const streamUrl = await open(edge, 'relay-cancel', prompt);
    const reading = readStream(streamUrl);
    await stateOnce(streamUrl, ({ text }) => String(text).length > 10);
    await fetch(streamUrl, { method: 'DELETE' });
    await reading;
    const asked = () =>
      origin.vendor.requests.filter(({ body }) => JSON.stringify(body).includes('321'));
    await expect.poll(() => asked().map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('HOST-3: the edge shows the origin’s Ollama as live, and that the origin is up', async () => {
    const health = await (await fetch(`${edge.baseUrl}/health`)).json();
    expect(health).toMatchObject({ origin: 'up', providers: { ollama: { live: true } } });
  });

  it('HOST-5: an edge without the origin’s key is told which setting to mend', async () => {
    const { events } = await readStream(await open(stranger, 'relay-key', 'Tell me.'));
    expect(JSON.parse(events.at(-1)?.data ?? '{}')).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('INTERNAL_API_KEY'),
    });
    const bare = await fetch(`${origin.host.baseUrl}/internal/model-stream`, { method: 'POST' });
    expect(bare.status).toBe(401);
  });
});
