import { env } from 'cloudflare:workers';
import { SUBJECT_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import { signCallerToken } from '@headwater/shared/security/caller-token';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import worker from '../index.ts';

const SECRET = 'a-secret-for-tests-of-at-least-32-bytes';
const KEY = 'the-internal-key';
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined };

/** What the edge sent to an origin. */
interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}

let sent: Sent[] = [];
let answer: (sent: Sent) => Response | Promise<Response> = () => accepted();

const accepted = () =>
  Response.json({ task_id: 't' }, { status: 202, headers: { location: '/api/v1/tasks/t' } });
const refusal = (status: number, code: string, message = 'No.') =>
  Response.json({ error: { code, message, requestId: 'inner' } }, { status });

beforeEach(() => {
  sent = [];
  answer = () => accepted();
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    const body = request.body === null ? '' : await request.text();
    sent.push({ url: request.url, method: request.method, headers: request.headers, body });
    return answer(sent.at(-1) as Sent);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

let callers = 0;

/** A host of its own for each test: what is known of its origins is its own too. */
function host(settings: Record<string, string> = {}) {
  callers += 1;
  const subject = `tasks ${callers}`;
  const own = {
    ...env,
    INTERNAL_API_KEY: KEY,
    ORIGIN_URL: 'http://one.example,http://two.example',
    DEV_MODE: 'false',
    ...settings,
  };
  async function send(path: string, init: RequestInit & { auth?: boolean } = {}) {
    const { auth = true, ...rest } = init;
    const headers = new Headers(rest.headers);
    if (auth && !headers.has('x-api-key')) {
      const token = await signCallerToken(SECRET, { subject, ttlSeconds: 60 });
      headers.set('authorization', `Bearer ${token}`);
    }
    const request = new Request(`https://edge.example${path}`, { ...rest, headers });
    return worker.fetch(request, own as never, context as never);
  }
  const post = (body: string, headers: Record<string, string> = {}) =>
    send('/api/v1/tasks/ocr', {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'content-length': String(body.length),
        ...headers,
      },
    });
  return { subject, send, post };
}

const codeOf = async (response: Response) =>
  (await response.json<{ error: { code: string } }>()).error.code;

it('EDGE-20: an origin hears who the caller is, by the edge’s own key, and nothing else of it', async () => {
  const { subject, post } = host();
  const response = await post('{"a":1}', {
    [SUBJECT_HEADER]: 'somebody-else',
    cookie: 'c=1',
    prefer: 'wait=3',
    'x-request-id': 'r-20',
  });
  expect(response.status).toBe(202);
  expect(response.headers.get('location')).toBe('/api/v1/tasks/t');
  expect(response.headers.get('x-request-id')).toBe('r-20');
  expect(sent).toHaveLength(1);
  const [{ headers, body, method } = {} as Sent] = sent;
  expect([method, body]).toEqual(['POST', '{"a":1}']);
  expect(decodeURIComponent(headers.get(SUBJECT_HEADER) ?? '')).toBe(subject);
  expect(headers.get('x-api-key')).toBe(KEY);
  expect(headers.get('prefer')).toBe('wait=3');
  expect(headers.get('x-request-id')).toBe('r-20');
  for (const name of ['authorization', 'cookie']) expect(headers.has(name)).toBe(false);
});

it('EDGE-20: only who shows the INTERNAL_API_KEY may name the caller', async () => {
  const { send } = host();
  await send('/api/v1/tasks/t', { headers: { 'x-api-key': KEY, [SUBJECT_HEADER]: 'ann' } });
  expect(sent[0]?.headers.get(SUBJECT_HEADER)).toBe('ann');
  const wrong = await send('/api/v1/tasks/t', { headers: { 'x-api-key': 'wrong' } });
  expect([wrong.status, sent.length]).toEqual([401, 1]);
  expect((await send('/api/v1/tasks/t', { auth: false })).status).toBe(401);
});

it('EDGE-21: a subject’s submissions are limited exactly, also when they come at once', async () => {
  const { post, send } = host({ TASK_RATE_LIMIT_PER_MINUTE: '5' });
  // The object reads the settings of the test's own env: its limit is the default there.
  const stub = env.SUBJECTS.getByName('rate of tasks');
  const taken = await Promise.all(Array.from({ length: 650 }, () => stub.takeTaskRate()));
  expect(taken.filter(({ allowed }) => allowed)).toHaveLength(600);
  expect((await post('{}')).status).toBe(202);
  expect((await send('/api/v1/tasks/t')).status).toBe(202);
});

it('EDGE-22: a request goes to the next origin when one is down, with one key for all', async () => {
  const { post } = host();
  answer = ({ url }) => {
    if (url.startsWith('http://one')) throw new TypeError('refused');
    return accepted();
  };
  expect((await post('{"a":1}')).status).toBe(202);
  expect((await post('{"a":1}')).status).toBe(202);
  const tried = sent.map(({ url }) => new URL(url).host);
  expect(tried.filter((name) => name.startsWith('two'))).toHaveLength(2);
  expect(tried).toContain('one.example');
  const [first, second] = sent.map(({ headers }) => headers.get('idempotency-key'));
  expect(first).toMatch(/^edge-/);
  expect(second).toBe(tried[0] === 'one.example' ? first : second);
  for (const { body } of sent) expect(body).toBe('{"a":1}');
});

it('EDGE-22: the caller’s own Idempotency-Key stays, and one origin alone needs none', async () => {
  await host().post('{}', { 'idempotency-key': 'mine' });
  expect(sent[0]?.headers.get('idempotency-key')).toBe('mine');
  await host({ ORIGIN_URL: 'http://one.example' }).post('{}');
  expect(sent[1]?.headers.has('idempotency-key')).toBe(false);
});

it('EDGE-22: what stands in front of a dead origin is not taken for it', async () => {
  const { send } = host();
  answer = ({ url }) =>
    url.startsWith('http://one') ? new Response('<h1>secret</h1>', { status: 503 }) : accepted();
  const statuses = [];
  for (let at = 0; at < 6; at += 1) statuses.push((await send('/api/v1/tasks/t')).status);
  expect(statuses).toEqual([202, 202, 202, 202, 202, 202]);
  // Three failures in a row, and it is left alone.
  expect(sent.filter(({ url }) => url.startsWith('http://one'))).toHaveLength(3);
});

it('EDGE-23: an origin’s error keeps its code and words; anything else shows nothing of it', async () => {
  const { send } = host({ ORIGIN_URL: 'http://one.example' });
  answer = () => refusal(404, 'not_found', 'There is no such task.');
  const known = await send('/api/v1/tasks/t', { headers: { 'x-request-id': 'r-23' } });
  expect(await known.json()).toEqual({
    error: { code: 'not_found', message: 'There is no such task.', requestId: 'r-23' },
  });
  answer = () => new Response('stack at /srv/secret.js', { status: 500 });
  const unknown = await send('/api/v1/tasks/t');
  expect(unknown.status).toBe(502);
  expect(await unknown.text()).not.toContain('secret');
  answer = () => refusal(401, 'unauthorized');
  const refused = await send('/api/v1/tasks/t');
  expect(refused.status).toBe(503);
  expect(await refused.text()).toContain('INTERNAL_API_KEY');
});

it('EDGE-23: an engine that one origin lacks is looked for at the others', async () => {
  const { post } = host();
  answer = ({ url }) =>
    url.startsWith('http://one') ? refusal(503, 'unavailable', 'No OCR here.') : accepted();
  expect([(await post('{}')).status, (await post('{}')).status]).toEqual([202, 202]);
  answer = () => refusal(503, 'unavailable', 'No OCR here.');
  const nowhere = await post('{}');
  expect(nowhere.status).toBe(503);
  expect(await nowhere.text()).toContain('No OCR here.');
});

it('EDGE-24: a long body is sent once, to an origin that answers', async () => {
  const { send } = host();
  const long = () => 'x'.repeat(1024 * 1024 + 1);
  const post = () => {
    const body = long();
    const headers = { 'content-length': String(body.length) };
    return send('/api/v1/tasks/ocr', { method: 'POST', body, headers });
  };
  answer = ({ url }) => {
    if (url.startsWith('http://one')) throw new TypeError('refused');
    return url.endsWith('/health') ? Response.json({}) : accepted();
  };
  expect([(await post()).status, (await post()).status]).toEqual([202, 202]);
  const bodies = sent.filter(({ method }) => method === 'POST');
  expect(bodies).toHaveLength(2);
  for (const { body, headers } of bodies) {
    expect(body).toHaveLength(1024 * 1024 + 1);
    expect(headers.has('idempotency-key')).toBe(false);
  }
  answer = ({ url }) => {
    if (url.endsWith('/health')) return Response.json({});
    throw new TypeError('broke off');
  };
  const broken = await post();
  expect([broken.status, await codeOf(broken)]).toEqual([502, 'upstream_failed']);
});

it('EDGE-22: without an origin the caller is told which setting is missing', async () => {
  const response = await host({ ORIGIN_URL: '' }).send('/api/v1/queue/status');
  expect(response.status).toBe(503);
  expect(await response.text()).toContain('ORIGIN_URL');
});
