import { describe, expect, it } from 'vitest';
import { parseSettings } from '../protocol/settings.ts';
import { signCallerToken } from '../security/caller-token.ts';
import { createAuthoriser } from './authorise.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const NONE = { authorization: null, apiKey: null };

const authoriserOf = (env: Record<string, unknown>) =>
  createAuthoriser(parseSettings({ JWT_SECRET: SECRET, ...env }));

const production = authoriserOf({ INTERNAL_API_KEY: 'the-internal-key' });
const dev = authoriserOf({ DEV_MODE: 'true' });

describe('who is calling', () => {
  it('AUTH-13: without a credential production refuses, and DEV_MODE says `dev`', async () => {
    await expect(production(NONE)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await dev(NONE)).toEqual({ subject: 'dev' });
  });

  it('AUTH-13: a credential that is shown must be good, also in DEV_MODE', async () => {
    for (const bad of [
      { ...NONE, token: 'not a token' },
      { ...NONE, authorization: 'Bearer not.a.token' },
      { ...NONE, apiKey: 'wrong' },
      { ...NONE, apiKey: '' },
    ]) {
      await expect(dev(bad)).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  it('AUTH-6: a token of the body or of the header names its subject', async () => {
    const token = await signCallerToken(SECRET, { subject: 'alice', ttlSeconds: 60 });
    expect(await production({ ...NONE, token })).toMatchObject({ subject: 'alice' });
    expect(await production({ ...NONE, authorization: `Bearer ${token}` })).toMatchObject({
      subject: 'alice',
    });
  });

  it('the token of the body goes before that of the header', async () => {
    const token = await signCallerToken(SECRET, { subject: 'alice', ttlSeconds: 60 });
    const caller = await production({ ...NONE, token, authorization: 'Bearer x.y.z' });
    expect(caller.subject).toBe('alice');
  });

  it('AUTH-12: INTERNAL_API_KEY opens, any other key does not, and without one none does', async () => {
    expect(await production({ ...NONE, apiKey: 'the-internal-key' })).toEqual({
      subject: 'internal',
    });
    for (const apiKey of ['the-internal-ke', 'the-internal-key ', '', 'undefined']) {
      await expect(production({ ...NONE, apiKey })).rejects.toMatchObject({ code: 'unauthorized' });
      await expect(authoriserOf({})({ ...NONE, apiKey })).rejects.toMatchObject({
        code: 'unauthorized',
      });
    }
  });
});
