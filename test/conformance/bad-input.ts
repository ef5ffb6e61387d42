/** Bad input: its code, words that say what to do, and nothing left behind. */

import { expect, it } from 'vitest';
import { callerToken, postInit } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly requestId: string;
    readonly details?: { readonly fields?: readonly { readonly path: string }[] };
  };
}

/** Adds the tests. */
export function describeBadInput(world: () => World): void {
  const good = () => ({ resumeUrl: world().receiver.urlFor('bad'), prompt: 'Tell me.' });
  const send = async (body: unknown, headers?: Record<string, string>) => {
    const authorization = `Bearer ${await callerToken('bad-input')}`;
    const response = await postInit(world().host.baseUrl, body, { authorization, ...headers });
    return { status: response.status, body: (await response.json()) as ErrorBody };
  };

  const faults: [string, () => unknown, string][] = [
    ['resumeUrl missing', () => ({ prompt: 'x' }), 'resumeUrl'],
    ['prompt missing', () => ({ resumeUrl: good().resumeUrl }), 'prompt'],
    [
      'prompt and messages',
      () => ({ ...good(), messages: [{ role: 'user', content: 'x' }] }),
      'prompt',
    ],
    ['prompt of a wrong type', () => ({ ...good(), prompt: 7 }), 'prompt'],
    ['prompt empty', () => ({ ...good(), prompt: '' }), 'prompt'],
    [
      'messages without a user',
      () => ({ resumeUrl: good().resumeUrl, messages: [{ role: 'assistant', content: 'x' }] }),
      'messages',
    ],
    ['max_tokens 0', () => ({ ...good(), max_tokens: 0 }), 'max_tokens'],
    ['max_tokens a fraction', () => ({ ...good(), max_tokens: 1.5 }), 'max_tokens'],
    ['temperature 9', () => ({ ...good(), temperature: 9 }), 'temperature'],
    ['start unknown', () => ({ ...good(), start: 'later' }), 'start'],
    ['onDisconnect unknown', () => ({ ...good(), onDisconnect: 'wait' }), 'onDisconnect'],
    [
      'fallbackModels too many',
      () => ({ ...good(), fallbackModels: Array(6).fill('echo') }),
      'fallbackModels',
    ],
    [
      'a fallback model unknown',
      () => ({ ...good(), fallbackModels: ['echo', 'no-such-model'] }),
      'fallbackModels.1',
    ],
    ['model unknown', () => ({ ...good(), model: 'no-such-model' }), 'model'],
    ['resumeUrl no URL', () => ({ ...good(), resumeUrl: 'nowhere' }), 'resumeUrl'],
    ['resumeUrl by ftp', () => ({ ...good(), resumeUrl: 'ftp://example.com/x' }), 'resumeUrl'],
    ['resumeUrl private', () => ({ ...good(), resumeUrl: 'http://10.0.0.1/x' }), 'resumeUrl'],
    [
      'resumeUrl private, decimal',
      () => ({ ...good(), resumeUrl: 'http://167772161/x' }),
      'resumeUrl',
    ],
    [
      'resumeUrl private, IPv6',
      () => ({ ...good(), resumeUrl: 'http://[::ffff:10.0.0.1]/x' }),
      'resumeUrl',
    ],
    [
      'resumeUrl metadata',
      () => ({ ...good(), resumeUrl: 'http://169.254.169.254/latest' }),
      'resumeUrl',
    ],
  ];
  for (const [what, body, path] of faults) {
    it(`INIT-3: ${what} is 400 and names ${path}`, async () => {
      const answer = await send(body());
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe('validation_failed');
      expect(answer.body.error.details?.fields?.map((field) => field.path)).toContain(path);
      expect(answer.body.error.message.length).toBeGreaterThan(10);
    });
  }

  it('INIT-3: all faults are named together', async () => {
    const { body } = await send({ prompt: 7, max_tokens: -1 });
    const paths = body.error.details?.fields?.map((field) => field.path);
    expect(paths).toEqual(expect.arrayContaining(['resumeUrl', 'prompt', 'max_tokens']));
  });

  it('INIT-4: not JSON, not an object, not declared, too large: each has its code', async () => {
    expect((await send('{"prompt":')).body.error.code).toBe('validation_failed');
    expect((await send('[1]')).body.error.code).toBe('validation_failed');
    expect((await send('')).body.error.code).toBe('validation_failed');
    const text = await send(good(), { 'content-type': 'text/plain' });
    expect([text.status, text.body.error.code]).toEqual([415, 'unsupported_media_type']);
    const large = await send({ ...good(), prompt: 'x'.repeat(10 * 1024 * 1024) });
    expect([large.status, large.body.error.code]).toEqual([413, 'payload_too_large']);
  });

  it('INIT-5: a known model without its vendor is 503 and names the setting', async () => {
    const { status, body } = await send({ ...good(), model: 'ollama/llama3' });
    expect([status, body.error.code]).toEqual([503, 'unavailable']);
    expect(body.error.message).toMatch(/ORIGIN_URL|OLLAMA_HOST/);
  });

  it('INIT-2: after all these refusals no vendor was asked and nothing was called back', () => {
    const { receiver, vendor } = world();
    expect(receiver.received('bad')).toEqual([]);
    expect(vendor.requests.filter(({ body }) => JSON.stringify(body).includes('xxxx'))).toEqual([]);
  });

  it('HOST-2: an unknown path is 404 in the same shape', async () => {
    const response = await fetch(`${world().host.baseUrl}/no/such/path`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  });

  it('HOST-6: /openapi.json describes the routes, and its paths exist', async () => {
    const { baseUrl } = world().host;
    const document = (await (await fetch(`${baseUrl}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/health', '/init-stream', '/stream/{id}', '/stream/{id}/state']),
    );
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) {
        const url = baseUrl + path.replace('{id}', 'x');
        const { status } = await fetch(url, { method: method.toUpperCase() });
        expect([path, method, status]).not.toEqual([path, method, 404]);
      }
    }
  });

  it('HOST-1: the request id is the caller’s where it is plain, and the error shows it', async () => {
    const plain = await postInit(world().host.baseUrl, {}, { 'x-request-id': 'req-42' });
    expect(plain.headers.get('x-request-id')).toBe('req-42');
    expect(((await plain.json()) as ErrorBody).error.requestId).toBe('req-42');
    const odd = await postInit(world().host.baseUrl, {}, { 'x-request-id': 'a b"c' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
  });
}
