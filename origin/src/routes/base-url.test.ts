import { BASE_URL_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { baseUrlOf } from './base-url.ts';

const KEY = 'the-key-between-edge-and-origin';

async function baseFor(headers: Record<string, string>, publicUrl?: string): Promise<string> {
  const app = fastify();
  const settings = { internalApiKey: KEY, ...(publicUrl === undefined ? {} : { publicUrl }) };
  app.get('/', async (request) => baseUrlOf(request, settings));
  const { body } = await app.inject({ url: '/', headers: { host: 'origin.example', ...headers } });
  await app.close();
  return body;
}

describe('the base of URLs in an answer', () => {
  it('EDGE-27: is the edge’s where the edge shows its key', async () => {
    const forwarded = { [BASE_URL_HEADER]: 'https://edge.example', 'x-api-key': KEY };
    expect(await baseFor(forwarded)).toBe('https://edge.example');
    expect(await baseFor(forwarded, 'https://public.example/')).toBe('https://public.example');
  });

  it('EDGE-27: is not what somebody else claims', async () => {
    for (const headers of [
      { [BASE_URL_HEADER]: 'https://evil.example' },
      { [BASE_URL_HEADER]: 'https://evil.example', 'x-api-key': 'wrong' },
      { [BASE_URL_HEADER]: 'https://evil.example/path', 'x-api-key': KEY },
      { [BASE_URL_HEADER]: 'javascript:alert(1)', 'x-api-key': KEY },
    ]) {
      expect(await baseFor(headers as Record<string, string>)).toBe('http://origin.example');
    }
  });
});
