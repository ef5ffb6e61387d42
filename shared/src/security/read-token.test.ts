import { describe, expect, it } from 'vitest';
import { accessTokenFrom, bearerOf, cookieOf } from './read-token.ts';

describe('bearerOf', () => {
  it.each([
    ['Bearer abc.def', 'abc.def'],
    ['bearer abc', 'abc'],
    ['  BEARER   abc  ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('AUTH-11: the header %j holds the token %j', (header, token) => {
    expect(bearerOf(header)).toBe(token);
  });
});

describe('cookieOf', () => {
  it.each([
    ['access_token=abc', 'abc'],
    ['a=1; access_token=abc.def==; b=2', 'abc.def=='],
    ['access_token="abc"', 'abc'],
    ['xaccess_token=no; access_token = yes', 'yes'],
    ['access_token=', undefined],
    ['access_token', undefined],
    ['', undefined],
    [null, undefined],
  ])('AUTH-11: the cookie header %j holds the token %j', (header, token) => {
    expect(cookieOf(header, 'access_token')).toBe(token);
  });
});

describe('accessTokenFrom', () => {
  const authorization = 'Bearer from-header';
  const cookie = 'access_token=from-cookie';

  it('AUTH-11: the query goes before the header, and the header before the cookie', () => {
    expect(accessTokenFrom({ query: 'from-query', authorization, cookie })).toBe('from-query');
    expect(accessTokenFrom({ query: '', authorization, cookie })).toBe('from-header');
    expect(accessTokenFrom({ query: null, authorization: null, cookie })).toBe('from-cookie');
    expect(accessTokenFrom({})).toBeUndefined();
  });
});
