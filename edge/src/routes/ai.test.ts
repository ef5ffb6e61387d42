import { env } from 'cloudflare:workers';
import { BASE_URL_HEADER, SUBJECT_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import { signCallerToken } from '@headwater/shared/security/caller-token';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import worker from '../index.ts';

const SECRET = 'a-secret-for-tests-of-at-least-32-bytes';
const KEY = 'the-internal-key';
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined };

let sent: Request[] = [];
let answer: Response;

beforeEach(() => {
  sent = [];
  answer = Response.json(
    { text: 'Hi' },
    { headers: { 'x-stream-url': 'https://edge/ai/stream/1' } },
  );
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    sent.push(new Request(input as string, init as RequestInit));
    return answer;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

let callers = 0;

async function call(method: string, path: string, more: { auth?: string } = {}) {
  callers += 1;
  const subject = `reader ${callers}`;
  const token = await signCallerToken(SECRET, { subject, ttlSeconds: 60 });
  const own = {
    ...env,
    INTERNAL_API_KEY: KEY,
    ORIGIN_URL: 'http://origin.example',
    DEV_MODE: 'false',
  };
  const headers = new Headers({ 'content-type': 'application/json' });
  const authorization = more.auth ?? `Bearer ${token}`;
  if (authorization !== '') headers.set('authorization', authorization);
  const hasBody = method === 'POST' || method === 'PUT';
  if (hasBody) headers.set('content-length', '2');
  const request = new Request(`https://edge.example${path}`, {
    method,
    headers,
    ...(hasBody ? { body: '{}' } : {}),
  });
  const response = await worker.fetch(request, own as never, context as never);
  return { response, subject };
}

const OPEN_TO_CALLERS = [
  'POST /ai/generate',
  'POST /ai/chat',
  'GET /ai/chat',
  'DELETE /ai/chat/chat_1',
  'POST /ai/rag',
  'POST /ai/rag/documents',
  'DELETE /ai/rag/documents/doc_1',
  'POST /api/v1/generate',
  'GET /api/v1/generate/gen_1',
  'DELETE /api/v1/generate/gen_1',
  'GET /api/v1/generate/gen_1/events',
  'GET /api/v1/templates',
  'PUT /api/v1/templates/mine',
  'POST /generate-context',
  'POST /generate-response',
  'POST /interact',
  'GET /characters',
];

describe('text services at the edge', () => {
  it.each(OPEN_TO_CALLERS)(
    'EDGE-25: %s goes to the origin with who asks, and the edge’s own base',
    async (line) => {
      const [method = '', path = ''] = line.split(' ');
      const { response, subject } = await call(method, path);
      expect(response.status).toBe(200);
      expect(response.headers.get('x-stream-url')).toBe('https://edge/ai/stream/1');
      expect(sent).toHaveLength(1);
      const [{ url, headers } = new Request('https://none.example')] = sent;
      expect(url).toBe(`http://origin.example${path}`);
      expect(headers.get(SUBJECT_HEADER)).toBe(encodeURIComponent(subject));
      expect(headers.get(BASE_URL_HEADER)).toBe('https://edge.example');
      expect(headers.get('x-api-key')).toBe(KEY);
      expect(headers.get('authorization')).toBeNull();
    },
  );

  it.each(OPEN_TO_CALLERS)('EDGE-25: %s is nobody’s who does not say who it is', async (line) => {
    const [method = '', path = ''] = line.split(' ');
    expect((await call(method, path, { auth: '' })).response.status).toBe(401);
    expect(sent).toHaveLength(0);
  });

  it.each([
    'GET /ai/stream/1?access_token=t',
    'GET /ai/stream/1/state',
    'DELETE /ai/stream/1?access_token=t',
    'GET /api/v1/generate/gen_1/events?access_token=t',
    'GET /ai/health',
  ])(
    'EDGE-26: %s shows a token that the origin judges, and never has the edge’s key',
    async (line) => {
      const [method = '', path = ''] = line.split(' ');
      const { response } = await call(method, path, { auth: 'Bearer one-stream' });
      expect(response.status).toBe(200);
      const [{ url, headers } = new Request('https://none.example')] = sent;
      expect(url).toBe(`http://origin.example${path}`);
      expect(headers.get('authorization')).toBe('Bearer one-stream');
      expect(headers.get('x-api-key')).toBeNull();
      expect(headers.get(SUBJECT_HEADER)).toBeNull();
    },
  );

  it('EDGE-25: what costs the origin work counts against the caller’s rate, a look does not', async () => {
    const subject = 'one who asks a lot';
    const token = await signCallerToken(SECRET, { subject, ttlSeconds: 60 });
    const auth = `Bearer ${token}`;
    expect((await call('POST', '/ai/generate', { auth })).response.status).toBe(200);
    // The object reads the settings of the test's own env: its limit is the default there.
    const object = env.SUBJECTS.getByName(subject);
    await Promise.all(Array.from({ length: 600 }, () => object.takeTaskRate()));
    answer = Response.json({});
    const { response } = await call('POST', '/ai/chat', { auth });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).not.toBeNull();
    expect((await call('GET', '/ai/chat', { auth })).response.status).toBe(200);
  });
});
