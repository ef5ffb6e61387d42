import { expect, it } from 'vitest';
import { createAuthoriser } from '../gateway/authorise.ts';
import { parseSettings } from '../protocol/settings.ts';
import { signCallerToken } from '../security/caller-token.ts';
import { authoriseClient } from './authorise-client.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const KEY = 'the-internal-key';

function ruleOf(env: Record<string, unknown>) {
  const settings = parseSettings({ JWT_SECRET: SECRET, ...env });
  return { authorise: createAuthoriser(settings), internalApiKey: settings.internalApiKey };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}`, apiKey: null });

it('OPENAI-9: a bearer token is a caller token, or the INTERNAL_API_KEY', async () => {
  const rule = ruleOf({ INTERNAL_API_KEY: KEY });
  const token = await signCallerToken(SECRET, { subject: 'alice', ttlSeconds: 60 });
  expect(await authoriseClient(rule, bearer(token))).toMatchObject({ subject: 'alice' });
  expect(await authoriseClient(rule, bearer(KEY))).toEqual({ subject: 'internal' });
  expect(await authoriseClient(rule, { authorization: null, apiKey: KEY })).toEqual({
    subject: 'internal',
  });
});

it('OPENAI-9, AUTH-13: anything else is refused, also beside a good one', async () => {
  const rule = ruleOf({ INTERNAL_API_KEY: KEY });
  for (const bad of [
    bearer('the-internal-kez'),
    bearer(''),
    { authorization: null, apiKey: null },
    { authorization: `Bearer ${KEY}`, apiKey: 'wrong' },
    { authorization: `Basic ${KEY}`, apiKey: null },
  ]) {
    await expect(authoriseClient(rule, bad)).rejects.toMatchObject({ code: 'unauthorized' });
  }
  const keyless = ruleOf({ DEV_MODE: 'true' });
  await expect(authoriseClient(keyless, bearer('undefined'))).rejects.toMatchObject({
    code: 'unauthorized',
  });
});
