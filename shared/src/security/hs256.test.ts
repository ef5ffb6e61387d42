import fc from 'fast-check';
import { errors, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createHs256Verifier } from './hs256.ts';
import { readTokenHeader } from './jwt-header.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const OLDER = 'older-secret-of-at-least-32-bytes!!';
const keyOf = (secret: string) => new TextEncoder().encode(secret);

const verify = createHs256Verifier([SECRET, OLDER]);
const claimsOf = (token: string, demands = {}) => verify(token, readTokenHeader(token), demands);

function sign(claims: Record<string, unknown>, secret = SECRET, header: object = {}) {
  const whole = { alg: 'HS256', ...header } as JWTHeaderParameters;
  return new SignJWT(claims).setProtectedHeader(whole).sign(keyOf(secret));
}

describe('HS256', () => {
  it('AUTH-1: the claims of what any of the secrets signed are given, and of nothing else', async () => {
    for (const secret of [SECRET, OLDER]) {
      expect(await claimsOf(await sign({ sub: 'ä', n: 1 }, secret))).toEqual({ sub: 'ä', n: 1 });
    }
    const strange = await sign({ sub: 'a' }, 'another-secret-of-at-least-32-bytes');
    await expect(claimsOf(strange)).rejects.toThrow(errors.JWSSignatureVerificationFailed);
  });

  it('AUTH-1: a token that differs in any character is refused, as jose refuses it', async () => {
    const good = await sign({ sub: 'a', exp: 4_000_000_000 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.constantFrom(...'AQgwz_-019.=+/ %'),
        async (at, char) => {
          const token = good.slice(0, at) + char + good.slice(at + 1);
          const isGood = (check: Promise<unknown>) =>
            check.then(
              () => true,
              () => false,
            );
          const ours = await isGood((async () => claimsOf(token))());
          expect(ours).toBe(token === good);
          if (ours) expect(await isGood(jwtVerify(token, keyOf(SECRET)))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('AUTH-1: a signature that is padded, too long, missing or followed by more is none', async () => {
    const good = await sign({ sub: 'a' });
    for (const token of [`${good}=`, `${good}A`, `${good}.`, `${good}.x`, good.slice(0, -43)]) {
      await expect((async () => claimsOf(token))()).rejects.toThrow();
    }
  });

  it('AUTH-2: what a header calls critical is refused, though the signature holds', async () => {
    const payload = Buffer.from('{"sub":"a"}').toString('base64url');
    const head = Buffer.from('{"alg":"HS256","crit":["x"],"x":1}').toString('base64url');
    const key = await crypto.subtle.importKey(
      'raw',
      keyOf(SECRET),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    );
    const text = new TextEncoder().encode(`${head}.${payload}`);
    const signature = Buffer.from(await crypto.subtle.sign('HMAC', key, text)).toString(
      'base64url',
    );
    await expect(claimsOf(`${head}.${payload}.${signature}`)).rejects.toThrow(errors.JWSInvalid);
  });

  it('AUTH-5, AUTH-7: claims are looked at as jose looks at them', async () => {
    const demands = { audience: 'us', issuer: 'them', clockTolerance: 30, requiredClaims: ['exp'] };
    const now = Math.floor(Date.now() / 1000);
    const whole = { aud: ['us'], iss: 'them', exp: now + 60 };
    const kinds = [
      whole,
      { ...whole, exp: now - 29 },
      { ...whole, exp: now - 31 },
      { ...whole, exp: 'soon' },
      { ...whole, nbf: now + 31 },
      { ...whole, iss: 'us' },
      { ...whole, aud: 'them' },
      { aud: 'us', iss: 'them' },
    ];
    const outcome = (check: Promise<unknown>) =>
      check.then(
        () => 'good',
        (thrown: Error) => `${thrown.name} ${thrown.message}`,
      );
    for (const claims of kinds) {
      const token = await sign(claims);
      const theirs = jwtVerify(token, keyOf(SECRET), demands);
      expect(await outcome(claimsOf(token, demands))).toBe(await outcome(theirs));
    }
  });
});
