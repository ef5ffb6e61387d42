import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestOrigin, type TestOrigin } from '../testing/open-test-origin.ts';

const KEY = 'the-key-between-edge-and-origin';
const LIMIT = 20;

let vendor: ScriptedVendor;
let origin: TestOrigin;

beforeAll(async () => {
  vendor = await startScriptedVendor();
  origin = await openTestOrigin({
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
    UPSTREAM_MAX_RETRIES: '0',
    INTERNAL_API_KEY: KEY,
    RATE_LIMIT_PER_MINUTE: String(LIMIT),
  });
}, 60_000);
afterAll(async () => {
  await origin?.close();
  await vendor?.close();
});

let callers = 0;
/** Asks as somebody who has not asked before. */
function post(body: unknown, subject = `caller-${callers++}`) {
  return origin.app.inject({
    method: 'POST',
    url: '/ai/generate',
    headers: {
      'content-type': 'application/json',
      'x-api-key': KEY,
      'x-headwater-subject': subject,
    },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const prompt = '[[script {"text":" one two"}]] Count.';

describe('POST /ai/generate', () => {
  it('ANSWER-4: a caller who leaves is no failure of the gateway, whatever it waited for', async () => {
    const address = await origin.app.listen({ host: '127.0.0.1', port: 0 });
    const slowly = '[[script {"tokens":500,"delayMs":20}]]';
    const waits: readonly (readonly [string, object])[] = [
      ['/ai/chat', { message: slowly }],
      ['/ai/generate', { prompt: slowly }],
      ['/generate-response', { user_query: slowly, persona_context: 'c', rules: [] }],
    ];
    for (const [path, body] of waits) {
      const requests = vendor.requests.length;
      const leaving = new AbortController();
      const left = fetch(`${address}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-api-key': KEY,
          'x-headwater-subject': `caller-${callers++}`,
        },
        body: JSON.stringify({ ...body, model: 'gpt-4' }),
        signal: leaving.signal,
      });
      await expect.poll(() => vendor.requests.length).toBeGreaterThan(requests);
      leaving.abort();
      await expect(left).rejects.toThrow();
      // A conversation goes on without its caller.
      if (path !== '/ai/chat') await expect.poll(() => vendor.requests.at(-1)?.aborted).toBe(true);
    }
    expect(origin.logged.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  it('ANSWER-11: answers with the text under both names, the tokens, the cost and the time', async () => {
    const response = await post({
      prompt,
      system_prompt: 'Be brief.',
      model: 'gpt-4',
      max_tokens: 64,
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    const body = response.json();
    expect(body).toEqual({
      text: ' one two',
      response: ' one two',
      model: 'gpt-4',
      provider: 'openai',
      usage: {
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        source: 'provider',
      },
      cost: {
        input_usd: expect.any(Number),
        output_usd: expect.any(Number),
        total_usd: expect.any(Number),
        source: 'table',
      },
      finish_reason: 'stop',
      cached: false,
      processing_time: expect.any(Number),
    });
    expect(vendor.requests.at(-1)?.body).toMatchObject({
      max_tokens: 64,
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }],
    });
  });

  it('ANSWER-11: says so where the simulation answers', async () => {
    const { simulated, cost, provider } = (await post({ prompt: 'Hi', model: 'echo' })).json();
    expect({ simulated, provider, total: cost.total_usd }).toEqual({
      simulated: true,
      provider: 'echo',
      total: 0,
    });
  });

  it('ANSWER-7: with `stream` sends the events as JSON, and names where a cut reader goes on', async () => {
    const response = await post({ messages: [{ role: 'user', content: prompt }], stream: true });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
    const events = [...response.body.matchAll(/^data: (.*)$/gm)].map(([, json]) =>
      JSON.parse(json ?? ''),
    );
    const said = events.filter(({ type }) => type === 'delta').map(({ text }) => text);
    expect(said.join('')).toBe(' one two');
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'completed' });
    const [, firstId = ''] = /^id: (\S+)$/m.exec(response.body) ?? [];
    const { pathname, search } = new URL(String(response.headers['x-stream-url']));
    expect(pathname).toMatch(/^\/ai\/stream\//);
    const rest = await origin.app.inject({
      url: `${pathname}${search}&format=json`,
      headers: { 'last-event-id': firstId },
    });
    expect(rest.body.match(/^data: /gm)).toHaveLength(events.length - 1);
  });

  it('ANSWER-12: refuses what it cannot answer, with every faulty field', async () => {
    const faultsOf = async (body: unknown) => {
      const response = await post(body);
      const { code, details } = response.json().error;
      const paths = details?.fields?.map(({ path }: { path: string }) => path);
      return [response.statusCode, code, paths];
    };
    const invalid = (...paths: string[]) => [400, 'validation_failed', paths];
    expect(await faultsOf({})).toEqual(invalid('prompt'));
    expect(await faultsOf({ prompt: 'a', messages: [{ role: 'user', content: 'b' }] })).toEqual(
      invalid('prompt'),
    );
    expect(await faultsOf({ messages: [{ role: 'assistant', content: 'b' }] })).toEqual(
      invalid('messages'),
    );
    expect(await faultsOf({ prompt: 'a', system: 'b', system_prompt: 'c' })).toEqual(
      invalid('system_prompt'),
    );
    expect(await faultsOf({ prompt: 1, max_tokens: 0, temperature: 3, policy: 'x' })).toEqual(
      invalid('prompt', 'policy', 'temperature', 'max_tokens'),
    );
    expect(await faultsOf({ prompt: 'a', cache: { ttl_seconds: 0 } })).toEqual(
      invalid('cache.ttl_seconds'),
    );
    expect(await faultsOf({ prompt: 'a', model: 'phi4' })).toEqual(invalid('model'));
    expect(await faultsOf({ prompt: 'a', fallback_models: ['what'] })).toEqual(
      invalid('fallback_models.0'),
    );
    expect(await faultsOf('{')).toEqual([400, 'validation_failed', undefined]);
    expect(await faultsOf({ prompt: 'a'.repeat(1_100_000) })).toEqual([
      413,
      'payload_too_large',
      undefined,
    ]);
    expect(await faultsOf({ prompt: 'a', model: 'claude-opus-5-5' })).toEqual([
      503,
      'unavailable',
      undefined,
    ]);
    const form = await origin.app.inject({
      method: 'POST',
      url: '/ai/generate',
      headers: { 'content-type': 'text/plain' },
      payload: 'a',
    });
    expect(form.statusCode).toBe(415);
  });

  it('ANSWER-12: tells what the vendor failed with', async () => {
    const response = await post({ prompt: '[[script {"status":500}]] Fail.', model: 'gpt-4' });
    expect([response.statusCode, response.json().error.code]).toEqual([502, 'upstream_failed']);
  });

  it('ANSWER-1: counts against the rate of its caller', async () => {
    const statuses: number[] = [];
    for (let at = 0; at <= LIMIT; at += 1) {
      statuses.push((await post({ prompt, model: 'gpt-4' }, 'busy')).statusCode);
    }
    expect(statuses).toEqual([...Array.from({ length: LIMIT }, () => 200), 429]);
  });
});
