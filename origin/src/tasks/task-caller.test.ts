import { createAuthoriser } from '@headwater/shared/gateway/authorise';
import { parseSettings } from '@headwater/shared/protocol/settings';
import { expect, it } from 'vitest';
import { ownerOf } from './task-caller.ts';

const KEY = 'the-key-between-edge-and-origin';

const authorise = createAuthoriser(
  parseSettings({
    JWT_SECRET: 'a-secret-of-more-than-32-bytes-length',
    INTERNAL_API_KEY: KEY,
    DEV_MODE: 'true',
  }),
);

const ask = (shown: { apiKey?: string; subject?: string; authorization?: string }) =>
  ownerOf(authorise, { authorization: null, apiKey: null, subject: null, ...shown });

it('TASK-33: the holder of the internal key names the caller whom it has authenticated', async () => {
  expect(await ask({ apiKey: KEY, subject: 'alice' })).toBe('alice');
  expect(await ask({ apiKey: KEY, subject: encodeURIComponent('Zoë: a/b {c}') })).toBe(
    'Zoë: a/b {c}',
  );
  expect(await ask({ apiKey: KEY })).toBe('internal');
});

it('TASK-33: who does not hold the key names nobody', async () => {
  expect(await ask({ subject: 'alice' })).toBe('dev');
  await expect(ask({ apiKey: 'wrong', subject: 'alice' })).rejects.toMatchObject({
    code: 'unauthorized',
  });
  await expect(ask({ authorization: 'Bearer no', subject: 'alice' })).rejects.toMatchObject({
    code: 'unauthorized',
  });
});

it.each(['', ' ', 'a b', 'ü', '%', '%ff', '%0a', 'a%00', '%C2%85', 'x'.repeat(256)])(
  'TASK-33: the subject %j is refused, and nobody is taken for another',
  async (subject) => {
    await expect(ask({ apiKey: KEY, subject })).rejects.toMatchObject({
      code: 'validation_failed',
    });
  },
);
