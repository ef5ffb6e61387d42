import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { createAccessTokens } from './access-token.ts';
import {
  type CallerVerifierOptions,
  createCallerVerifier,
  type FetchKeySet,
  signCallerToken,
} from './caller-token.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const OLDER_SECRET = 'older-secret-of-at-least-32-bytes!!';
const NOW_MS = Date.UTC(2030, 0, 1);
const NOW_SECONDS = NOW_MS / 1000;

const bytesOf = (text: string) => new TextEncoder().encode(text);

function sign(
  claims: Record<string, unknown>,
  { secret = SECRET, header = { alg: 'HS256' } as JWTHeaderParameters } = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(header).sign(bytesOf(secret));
}

function verify(token: string, options: Partial<CallerVerifierOptions> = {}) {
  return createCallerVerifier({ secrets: [SECRET], now: () => NOW_MS, ...options }).verify(token);
}

async function refusalOf(promise: Promise<unknown>): Promise<GatewayError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof GatewayError) return thrown;
  throw new Error('A GatewayError was expected.', { cause: thrown });
}

const soon = NOW_SECONDS + 60;

afterEach(() => vi.restoreAllMocks());

describe('caller tokens signed with a shared secret', () => {
  it('AUTH-1: a token signed by the gateway itself names its subject', async () => {
    const token = await signCallerToken(SECRET, { subject: 'user-7', ttlSeconds: 60 });
    await expect(verify(token, { now: Date.now })).resolves.toEqual({ subject: 'user-7' });
  });

  it('AUTH-1: a token signed with any secret of the list is taken', async () => {
    const token = await sign({ sub: 'a', exp: soon }, { secret: OLDER_SECRET });
    await expect(verify(token, { secrets: [SECRET, OLDER_SECRET] })).resolves.toEqual({
      subject: 'a',
    });
    await expect(verify(token)).rejects.toThrow('signature does not match');
  });

  it('AUTH-1: each secret is imported once, however many tokens are verified', async () => {
    const verifier = createCallerVerifier({
      secrets: [OLDER_SECRET, SECRET],
      now: () => NOW_MS,
    });
    const token = await sign({ sub: 'a', exp: soon });
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    for (let round = 0; round < 3; round += 1) await verifier.verify(token);
    expect(importKey).toHaveBeenCalledTimes(2);
  });

  it('AUTH-1: a verifier without a secret cannot be built', () => {
    expect(() => createCallerVerifier({ secrets: [] })).toThrow(RangeError);
  });

  it('AUTH-2: an unsigned token is refused', async () => {
    const refusal = await refusalOf(verify(new UnsecuredJWT({ sub: 'a', exp: soon }).encode()));
    expect(refusal.code).toBe('unauthorized');
    expect(refusal.message).toContain('not signed');
  });

  it.each(['HS384', 'HS512'])('AUTH-2: %s is refused, even with the right secret', async (alg) => {
    const header = { alg };
    const long = SECRET.repeat(3);
    const token = await sign({ sub: 'a', exp: soon }, { secret: long, header });
    const refusal = await refusalOf(verify(token, { secrets: [long] }));
    expect(refusal.message).toContain('Sign it with HS256');
  });

  it('AUTH-4: a token without an expiry is refused', async () => {
    const refusal = await refusalOf(verify(await sign({ sub: 'a' })));
    expect(refusal.code).toBe('unauthorized');
    expect(refusal.message).toContain('has no "exp"');
  });

  it("AUTH-4: a literal expiresIn is answered with the way out of n8n's form mode", async () => {
    const { message } = await refusalOf(verify(await sign({ sub: 'a', expiresIn: '5m' })));
    expect(message).toContain('"Use JSON to Build Payload"');
    expect(message).toContain('numeric "exp"');
  });

  it('AUTH-4: an expiry that is no number, or counts milliseconds, is refused', async () => {
    await expect(verify(await sign({ exp: String(soon) }))).rejects.toThrow(
      '"exp" is not a number',
    );
    await expect(verify(await sign({ exp: soon * 1000 }))).rejects.toThrow('counts milliseconds');
  });

  it('AUTH-5: an expired token is refused with the advice to sign a fresh one', async () => {
    const refusal = await refusalOf(verify(await sign({ exp: NOW_SECONDS - 30 })));
    expect(refusal.code).toBe('unauthorized');
    expect(refusal.message).toContain('has expired. Sign a fresh one');
  });

  it('AUTH-5: clocks may disagree by less than 30 seconds, either way', async () => {
    const late = await sign({ sub: 'a', exp: NOW_SECONDS - 29 });
    const early = await sign({ sub: 'a', exp: soon, nbf: NOW_SECONDS + 30 });
    const tooEarly = await sign({ sub: 'a', exp: soon, nbf: NOW_SECONDS + 31 });
    await expect(verify(late)).resolves.toEqual({ subject: 'a' });
    await expect(verify(early)).resolves.toEqual({ subject: 'a' });
    await expect(verify(tooEarly)).rejects.toThrow('not valid yet');
  });

  it.each([
    [{ sub: 'sub-1', userId: 'user-1' }, 'sub-1'],
    [{ userId: 'user-1' }, 'user-1'],
    [{ sub: '', userId: 42 }, '42'],
    [{ userId: { nested: true } }, 'n8n'],
    [{}, 'n8n'],
  ])('AUTH-6: the claims %j name the subject %s', async (claims, subject) => {
    await expect(verify(await sign({ ...claims, exp: soon }))).resolves.toEqual({ subject });
  });

  it('AUTH-6: a subject longer than 256 characters is refused', async () => {
    const token = await sign({ sub: 'x'.repeat(257), exp: soon });
    await expect(verify(token)).rejects.toThrow('longer than 256');
  });

  it('AUTH-6: a subject that storage does not keep apart from others is refused', async () => {
    for (const sub of ['a\0b', 'a\ud800', '\udc00']) {
      const token = await sign({ sub, exp: soon });
      await expect(verify(token)).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('NUL or half of a character'),
      });
    }
  });

  it('AUTH-7: issuer and audience are demanded when they are set', async () => {
    const demands = { issuer: 'https://issuer.example', audience: 'headwater' };
    const good = { sub: 'a', exp: soon, iss: demands.issuer, aud: ['other', 'headwater'] };
    await expect(verify(await sign(good), demands)).resolves.toEqual({ subject: 'a' });
    await expect(verify(await sign({ ...good, iss: 'x' }), demands)).rejects.toThrow('JWT_ISSUER');
    await expect(verify(await sign({ ...good, aud: 'x' }), demands)).rejects.toThrow(
      'JWT_AUDIENCE',
    );
    await expect(verify(await sign({ exp: soon }), demands)).rejects.toThrow('JWT_');
  });

  it('AUTH-8: no refusal repeats any part of the token', async () => {
    const expired = await sign({ sub: 'tell-nobody', exp: 1 });
    const forged = await sign({ sub: 'tell-nobody', exp: soon }, { secret: OLDER_SECRET });
    const tokens = [expired, forged, `${expired}.x`, 'tell-nobody', 'a.b.c', '', 'x'.repeat(9000)];
    for (const token of tokens) {
      const { code, message } = await refusalOf(verify(token));
      expect(code).toBe('unauthorized');
      expect(message).not.toContain('tell-nobody');
      const parts = token.split('.').filter((part) => part.length > 8);
      for (const part of parts) expect(message).not.toContain(part);
    }
  });

  it('AUTH-8: every way a token can be wrong has a message of its own', async () => {
    const good = await sign({ sub: 'a', exp: soon });
    const tokens = [
      '',
      'not-a-jwt',
      'x'.repeat(9000),
      await sign({ sub: 'a', exp: soon }, { secret: OLDER_SECRET }),
      await sign({ exp: 1 }),
      await sign({}),
      await sign({ exp: soon, nbf: soon }),
      `${good.split('.').slice(0, 2).join('.')}.%%%`,
    ];
    const refusals = await Promise.all(tokens.map((token) => refusalOf(verify(token))));
    expect(new Set(refusals.map(({ message }) => message)).size).toBe(tokens.length);
  });

  it('AUTH-10: the access token of a stream is no caller token', async () => {
    const accessTokens = createAccessTokens({ secrets: [SECRET], now: () => NOW_MS });
    const accessToken = await accessTokens.issue('s1', NOW_MS + 60_000);
    const dressedUp = await sign({ sub: 's1', exp: soon, aud: 'headwater:stream' });
    await expect(verify(accessToken)).rejects.toThrow('access token of one stream');
    await expect(verify(dressedUp)).rejects.toThrow('access token of one stream');
  });
});

describe('caller tokens signed with a key of a key set', () => {
  const URL_OF_KEYS = 'https://issuer.example/jwks.json';

  async function keySet(alg: string, kid: string) {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
  }

  const serve = (...keys: unknown[]) => vi.fn<FetchKeySet>(async () => Response.json({ keys }));

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('AUTH-3: a %s token is taken', async (alg) => {
    const { privateKey, jwk } = await keySet(alg, 'k1');
    const token = await new SignJWT({ sub: 'a', exp: soon })
      .setProtectedHeader({ alg, kid: 'k1' })
      .sign(privateKey);
    await expect(verify(token, { jwks: { url: URL_OF_KEYS, fetch: serve(jwk) } })).resolves.toEqual(
      { subject: 'a' },
    );
  });

  it('AUTH-3: the key set is fetched once for many tokens', async () => {
    const { privateKey, jwk } = await keySet('ES256', 'k1');
    const fetch = serve(jwk);
    const verifier = createCallerVerifier({
      secrets: [SECRET],
      jwks: { url: URL_OF_KEYS, fetch },
      now: () => NOW_MS,
    });
    const token = await new SignJWT({ exp: soon })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(privateKey);
    for (let round = 0; round < 3; round += 1) await verifier.verify(token);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('AUTH-2: a shared secret no longer verifies callers where a key set is named', async () => {
    const fetch = serve();
    const token = await sign({ sub: 'a', exp: soon });
    await expect(verify(token, { jwks: { url: URL_OF_KEYS, fetch } })).rejects.toThrow('RS256');
    expect(fetch).not.toHaveBeenCalled();
  });

  it('AUTH-2: the public key of the set is no HMAC secret', async () => {
    const { jwk } = await keySet('RS256', 'k1');
    const header = { alg: 'HS256', kid: 'k1' };
    const token = await sign({ exp: soon }, { secret: JSON.stringify(jwk), header });
    const refusal = await refusalOf(
      verify(token, { jwks: { url: URL_OF_KEYS, fetch: serve(jwk) } }),
    );
    expect(refusal.code).toBe('unauthorized');
  });

  it('AUTH-2: a token of an algorithm that its key does not name is refused', async () => {
    const { privateKey, jwk } = await keySet('RS256', 'k1');
    const token = await new SignJWT({ exp: soon })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .sign(privateKey);
    const pinnedToPs = { ...jwk, alg: 'PS256' };
    await expect(
      verify(token, { jwks: { url: URL_OF_KEYS, fetch: serve(pinnedToPs) } }),
    ).rejects.toThrow('No key of JWT_JWKS_URL fits');
  });

  it('AUTH-3: a token of an unknown key, or of several, is refused', async () => {
    const [one, two] = [await keySet('ES256', 'k1'), await keySet('ES256', 'k2')];
    const token = await new SignJWT({ exp: soon })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(one.privateKey);
    const stranger = await new SignJWT({ exp: soon })
      .setProtectedHeader({ alg: 'ES256', kid: 'k9' })
      .sign(one.privateKey);
    const jwks = { url: URL_OF_KEYS, fetch: serve(one.jwk, two.jwk) };
    await expect(verify(token, { jwks })).rejects.toThrow('Name one in its "kid"');
    await expect(verify(stranger, { jwks })).rejects.toThrow('No key of JWT_JWKS_URL fits');
  });

  it.each<[string, FetchKeySet]>([
    ['refuses', async () => Promise.reject(new TypeError('connect ECONNREFUSED'))],
    ['answers 500', async () => new Response('down', { status: 500 })],
    ['answers no JSON', async () => new Response('<html>')],
    ['answers no key set', async () => Response.json({ nothing: true })],
  ])('AUTH-3: a key set whose server %s makes the gateway unavailable', async (_, fetch) => {
    const { privateKey } = await keySet('ES256', 'k1');
    const token = await new SignJWT({ exp: soon })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(privateKey);
    const refusal = await refusalOf(verify(token, { jwks: { url: URL_OF_KEYS, fetch } }));
    expect(refusal.code).toBe('unavailable');
    expect(refusal.message).toContain('JWT_JWKS_URL');
    expect(refusal.message).not.toContain('ECONNREFUSED');
  });
});
