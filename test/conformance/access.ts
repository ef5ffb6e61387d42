/** Who may call, and from where. */

import { createAccessTokens } from '@headwater/shared/security/access-token';
import { signCallerToken } from '@headwater/shared/security/caller-token';
import { SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { callerToken, openStream, postInit, TEST_SECRET } from '../hosts/gateway-client.ts';
import { ALLOWED_PAGE, type World } from '../hosts/world.ts';

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Adds the tests. */
export function describeAccess(world: () => World): void {
  const body = () => ({ resumeUrl: world().receiver.urlFor('access'), prompt: 'Tell me.' });
  const now = () => Math.floor(Date.now() / 1000);

  const tokens: [string, () => Promise<string> | string, RegExp][] = [
    [
      'an expired token',
      () => signCallerToken(TEST_SECRET, { subject: 'x', ttlSeconds: -3600 }),
      /expired/i,
    ],
    [
      'a forged token',
      () => signCallerToken(`${TEST_SECRET}!`, { subject: 'x', ttlSeconds: 60 }),
      /./,
    ],
    [
      'alg none',
      () => `${base64url({ alg: 'none' })}.${base64url({ sub: 'x', exp: now() + 60 })}.`,
      /./,
    ],
    ['no token at all but text', () => 'hello', /./],
    [
      'n8n’s form-mode token with a literal expiresIn',
      () =>
        new SignJWT({ expiresIn: '1h' })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode(TEST_SECRET)),
      /Use JSON to Build Payload/,
    ],
    [
      'an access token',
      () => createAccessTokens({ secrets: [TEST_SECRET] }).issue('s', Date.now() + 60_000),
      /./,
    ],
  ];
  for (const [what, make, words] of tokens) {
    it(`AUTH-2, AUTH-5, AUTH-10: ${what} is 401`, async () => {
      const token = await make();
      const response = await postInit(world().host.baseUrl, { ...body(), n8nToken: token });
      const answer = (await response.json()) as { error: { code: string; message: string } };
      expect([response.status, answer.error.code]).toEqual([401, 'unauthorized']);
      expect(answer.error.message).toMatch(words);
      expect(answer.error.message).not.toContain(token);
    });
  }

  it('AUTH-13: without any token production refuses; a token as Bearer is as good as in the body', async () => {
    expect((await postInit(world().host.baseUrl, body())).status).toBe(401);
    const authorization = `Bearer ${await callerToken('bearer')}`;
    expect((await postInit(world().host.baseUrl, body(), { authorization })).status).toBe(200);
  });

  it('HOST-4, AUTH-9: a stream opens with its own token alone: by query, Bearer or cookie', async () => {
    const { host } = world();
    const url = new URL(await openStream(host.baseUrl, 'own', body()));
    const other = new URL(await openStream(host.baseUrl, 'other', body()));
    const token = url.searchParams.get('access_token') ?? '';
    const bare = `${url.origin}${url.pathname}/state`;
    expect((await fetch(bare)).status).toBe(401);
    expect((await fetch(bare, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await fetch(bare, { headers: { cookie: `access_token=${token}` } })).status).toBe(200);
    expect((await fetch(`${bare}${other.search}`)).status).toBe(403);
    expect((await fetch(`${bare}?access_token=${await callerToken('x')}`)).status).toBe(401);
    expect((await fetch(`${url.origin}${url.pathname}${other.search}`)).status).toBe(403);
    const cancel = await fetch(`${url.origin}${url.pathname}${other.search}`, { method: 'DELETE' });
    expect(cancel.status).toBe(403);
  });

  it('AUTH-9, STREAM-4: a good token of a stream that is no more is 404 or 410, never a hang', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    const token = await createAccessTokens({ secrets: [TEST_SECRET] }).issue(
      id,
      Date.now() + 60_000,
    );
    const response = await fetch(`${world().host.baseUrl}/stream/${id}?access_token=${token}`);
    expect([404, 410]).toContain(response.status);
  });

  it('CORS-1: a listed page may read, another may not', async () => {
    const { host } = world();
    const allowed = await fetch(`${host.baseUrl}/health`, { headers: { origin: ALLOWED_PAGE } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ALLOWED_PAGE);
    for (const origin of ['https://evil.example.com', 'http://localhost:3000', 'null']) {
      const refused = await fetch(`${host.baseUrl}/health`, { headers: { origin } });
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
    const url = await openStream(host.baseUrl, 'cors', body());
    const stream = await fetch(url, { headers: { origin: ALLOWED_PAGE } });
    expect(stream.headers.get('access-control-allow-origin')).toBe(ALLOWED_PAGE);
    await stream.body?.cancel();
    const error = await fetch(`${host.baseUrl}/nothing`, { headers: { origin: ALLOWED_PAGE } });
    expect(error.headers.get('access-control-allow-origin')).toBe(ALLOWED_PAGE);
  });

  it('CORS-4: a preflight states methods and headers', async () => {
    const preflight = await fetch(`${world().host.baseUrl}/init-stream`, {
      method: 'OPTIONS',
      headers: { origin: ALLOWED_PAGE, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('last-event-id');
  });

  it('INIT-6, RATE-2: the 61st stream in a minute is 429 with Retry-After, for this caller alone', async () => {
    const { host } = world();
    const n8nToken = await callerToken('greedy');
    const answers = await Promise.all(
      Array.from({ length: 65 }, () => postInit(host.baseUrl, { ...body(), n8nToken })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
    expect(refused).toHaveLength(5);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    const other = await postInit(host.baseUrl, {
      ...body(),
      n8nToken: await callerToken('modest'),
    });
    expect(other.status).toBe(200);
  });

  it('HOST-3: health names vendors and settings, and no value', async () => {
    const response = await fetch(`${world().host.baseUrl}/health`);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      status: 'ok',
      devMode: false,
      providers: { openai: { live: true, setting: 'OPENAI_API_KEY' }, echo: { simulated: true } },
    });
    expect(text).not.toContain('canary');
  });
}
