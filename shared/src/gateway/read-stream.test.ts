import { describe, expect, it } from 'vitest';
import { createAccessTokens } from '../security/access-token.ts';
import { formatEventId } from '../stream/event.ts';
import { readWishes, requireAccess } from './read-stream.ts';

const EPOCH = 1_893_456_000;
const id = (seq: number) => formatEventId(EPOCH, seq);
const wishes = (query: string, header: string | null = null) =>
  readWishes(new URLSearchParams(query), header);

describe('what a reader asks for', () => {
  it('is the text form from the start by default', () => {
    expect(wishes('')).toEqual({ format: 'sse-text' });
    expect(wishes('format=text')).toEqual({ format: 'sse-text' });
  });

  it('FRAME-5: is the typed form with `format=json`; another format is refused', () => {
    expect(wishes('format=json')).toEqual({ format: 'sse-json' });
    for (const query of ['format=xml', 'format=', 'format=JSON']) {
      expect(() => wishes(query)).toThrowError(
        expect.objectContaining({ code: 'validation_failed' }),
      );
    }
  });

  it('STREAM-8: the header goes before the query', () => {
    expect(wishes(`last_event_id=${id(2)}`, id(5)).after).toEqual({ epoch: EPOCH, seq: 5 });
    expect(wishes(`last_event_id=${id(2)}`).after).toEqual({ epoch: EPOCH, seq: 2 });
    expect(wishes(`last_event_id=${id(2)}`, '').after).toEqual({ epoch: EPOCH, seq: 2 });
  });

  it('STREAM-8: what is no id stands for "nothing read yet"', () => {
    expect(wishes('last_event_id=x')).not.toHaveProperty('after');
    expect(wishes(`last_event_id=${id(2)}`, 'x')).not.toHaveProperty('after');
  });
});

describe('who may read', () => {
  const tokens = createAccessTokens({ secrets: ['first-secret-of-at-least-32-bytes!!'] });
  const access = (query: string, rest: { authorization?: string; cookie?: string } = {}) =>
    requireAccess(tokens, {
      streamId: 's1',
      query: new URLSearchParams(query),
      authorization: rest.authorization ?? null,
      cookie: rest.cookie ?? null,
    });

  it('AUTH-11: the token is taken from the query, the header or the cookie, in this order', async () => {
    const token = await tokens.issue('s1', Date.now() + 60_000);
    await access(`access_token=${token}`, {
      authorization: 'Bearer bad',
      cookie: 'access_token=bad',
    });
    await access('', { authorization: `Bearer ${token}`, cookie: 'access_token=bad' });
    await access('', { cookie: `access_token=${token}` });
  });

  it('HOST-4: no token is `unauthorized`, that of another stream `forbidden`', async () => {
    await expect(access('')).rejects.toMatchObject({ code: 'unauthorized' });
    const other = await tokens.issue('s2', Date.now() + 60_000);
    await expect(access(`access_token=${other}`)).rejects.toMatchObject({ code: 'forbidden' });
  });
});
