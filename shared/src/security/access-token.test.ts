import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAccessTokens } from './access-token.ts';
import { signCallerToken } from './caller-token.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const OLDER_SECRET = 'older-secret-of-at-least-32-bytes!!';
const NOW_MS = Date.UTC(2030, 0, 1);

const tokensAt = (nowMs: number, secrets: readonly string[] = [SECRET]) =>
  createAccessTokens({ secrets, now: () => nowMs });

describe('access tokens', () => {
  it('AUTH-9: an access token opens the stream it was issued for', async () => {
    const tokens = tokensAt(NOW_MS);
    const token = await tokens.issue('s1', NOW_MS + 60_000);
    await expect(tokens.verify(token, 's1')).resolves.toBeUndefined();
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'headwater-stream+jwt' });
  });

  it('AUTH-9: an access token is a JWT that any library verifies with the secret', async () => {
    const streamId = 'sé-🐎_"\\';
    const token = await tokensAt(NOW_MS).issue(streamId, NOW_MS + 1500);
    const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
      algorithms: ['HS256'],
      currentDate: new Date(NOW_MS),
    });
    expect(payload).toEqual({
      sub: streamId,
      aud: 'headwater:stream',
      iat: NOW_MS / 1000,
      exp: NOW_MS / 1000 + 2,
    });
  });

  it('AUTH-9: the access token of another stream is forbidden', async () => {
    const tokens = tokensAt(NOW_MS);
    const token = await tokens.issue('s1', NOW_MS + 60_000);
    await expect(tokens.verify(token, 's2')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('AUTH-9: an access token ends when it was to end, rounded up to a second', async () => {
    const token = await tokensAt(NOW_MS).issue('s1', NOW_MS + 1500);
    await expect(tokensAt(NOW_MS + 1999).verify(token, 's1')).resolves.toBeUndefined();
    await expect(tokensAt(NOW_MS + 2000).verify(token, 's1')).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('has expired'),
    });
  });

  it('AUTH-9: who issued a token knows it again, until it ends, and for its stream alone', async () => {
    let nowMs = NOW_MS;
    const tokens = createAccessTokens({ secrets: [SECRET], now: () => nowMs });
    const token = await tokens.issue('s1', NOW_MS + 1500);
    const other = await tokens.issue('s2', NOW_MS + 1500);
    await expect(tokens.verify(token, 's1')).resolves.toBeUndefined();
    await expect(tokens.verify(other, 's1')).rejects.toMatchObject({ code: 'forbidden' });
    nowMs += 2000;
    await expect(tokens.verify(token, 's1')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('AUTH-9: a forged, cut or empty access token is refused', async () => {
    const tokens = tokensAt(NOW_MS);
    const token = await tokens.issue('s1', NOW_MS + 60_000);
    const forged = await tokensAt(NOW_MS, [OLDER_SECRET]).issue('s1', NOW_MS + 60_000);
    const [header, , signature] = token.split('.');
    const swapped = `${header}.${btoa('{"sub":"s1","exp":9999999999}')}.${signature}`;
    for (const bad of [forged, swapped, token.slice(0, -4), token.slice(0, 20), '']) {
      await expect(tokens.verify(bad, 's1')).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  it('AUTH-1: the first secret signs and every secret of the list verifies', async () => {
    const before = await tokensAt(NOW_MS, [OLDER_SECRET]).issue('s1', NOW_MS + 60_000);
    const rotated = tokensAt(NOW_MS, [SECRET, OLDER_SECRET]);
    const after = await rotated.issue('s1', NOW_MS + 60_000);
    await expect(rotated.verify(before, 's1')).resolves.toBeUndefined();
    await expect(tokensAt(NOW_MS, [SECRET]).verify(after, 's1')).resolves.toBeUndefined();
    await expect(tokensAt(NOW_MS, [OLDER_SECRET]).verify(after, 's1')).rejects.toThrow();
  });

  it('AUTH-10: a caller token is no access token, whatever its subject and audience', async () => {
    const tokens = createAccessTokens({ secrets: [SECRET] });
    const callerToken = await signCallerToken(SECRET, { subject: 's1', ttlSeconds: 60 });
    const exp = Math.floor(Date.now() / 1000) + 60;
    const withAudience = await new SignJWT({ sub: 's1', aud: 'headwater:stream', exp })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(SECRET));
    const withType = await new SignJWT({ sub: 's1', exp })
      .setProtectedHeader({ alg: 'HS256', typ: 'headwater-stream+jwt' })
      .sign(new TextEncoder().encode(SECRET));
    for (const token of [callerToken, withAudience, withType]) {
      await expect(tokens.verify(token, 's1')).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  it('AUTH-1: without a secret there are no tokens', () => {
    expect(() => createAccessTokens({ secrets: [] })).toThrow(RangeError);
  });
});
