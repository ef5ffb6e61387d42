import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { mintCallerToken, signingSecret } from './mint.ts';

const FIRST = 'the-first-secret-has-32-bytes-or-more';
const LIST = `${FIRST} , the-second-secret-has-32-bytes-or-more`;

test('the first secret of a rotating list signs', async () => {
  expect(signingSecret(LIST)).toBe(FIRST);
  const token = await mintCallerToken(LIST, { subject: 'me', ttlSeconds: 60 });
  const { payload, protectedHeader } = await jwtVerify(token, new TextEncoder().encode(FIRST));
  expect(protectedHeader.alg).toBe('HS256');
  expect(payload.sub).toBe('me');
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
});
