import { expect, it } from 'vitest';
import type { GatewayError } from '../protocol/errors.ts';
import { createOriginPool, type OriginAttempt, type OriginPool } from './origin-pool.ts';

const URLS = ['http://a', 'http://b', 'http://c'];

/** The origins that one request would try, each of which reports the same. */
function tryAll(pool: OriginPool, tell: (attempt: OriginAttempt) => void): string[] {
  const tried: string[] = [];
  try {
    for (const attempt of pool.attempts()) {
      tried.push(attempt.url);
      tell(attempt);
    }
  } catch (thrown) {
    expect((thrown as GatewayError).code).toBe('unavailable');
  }
  return tried;
}

it('EDGE-22: each request begins with another origin, and may try all of them', () => {
  const pool = createOriginPool(URLS, () => 0);
  const seen = [1, 2, 3, 4].map(() => tryAll(pool, (attempt) => attempt.answered()));
  expect(seen.map(([first]) => first)).toEqual(['http://a', 'http://b', 'http://c', 'http://a']);
  for (const tried of seen) expect([...tried].sort()).toEqual(URLS);
});

it('EDGE-22: an origin that keeps failing is left alone, then asked again, by one request at a time', () => {
  let nowMs = 0;
  const pool = createOriginPool(['http://a', 'http://b'], () => nowMs);
  const tell = (attempt: OriginAttempt) =>
    attempt.url === 'http://a' ? attempt.failed() : attempt.answered();
  for (let at = 0; at < 3; at += 1) expect(tryAll(pool, tell)).toContain('http://a');
  expect(tryAll(pool, tell)).toEqual(['http://b']);
  nowMs = 5_000;
  const probe = pool.attempts();
  const urls = [probe.next().value.url, probe.next().value.url];
  expect(urls.sort()).toEqual(['http://a', 'http://b']);
  expect(tryAll(pool, tell)).toEqual(['http://b']);
});

it('EDGE-22: an origin that answers again is one of them again', () => {
  let nowMs = 0;
  const pool = createOriginPool(['http://a'], () => nowMs);
  for (let at = 0; at < 3; at += 1) tryAll(pool, (attempt) => attempt.failed());
  expect(tryAll(pool, (attempt) => attempt.answered())).toEqual([]);
  nowMs = 6_000;
  expect(tryAll(pool, (attempt) => attempt.answered())).toEqual(['http://a']);
  expect(pool.attempts().next().value.answeredAtMs).toBe(6_000);
});

it('EDGE-22: with no origin left the caller is told when to come back; with none at all, what to set', () => {
  const pool = createOriginPool(['http://a'], () => 0);
  for (let at = 0; at < 3; at += 1) tryAll(pool, (attempt) => attempt.failed());
  expect(() => pool.attempts().next()).toThrow(
    expect.objectContaining({ code: 'unavailable', details: { retryAfterSeconds: 5 } }),
  );
  expect(() => createOriginPool([]).attempts().next()).toThrow(/ORIGIN_URL/);
});

it('EDGE-22: a caller that leaves says nothing about the origin', () => {
  const pool = createOriginPool(['http://a'], () => 0);
  for (let at = 0; at < 9; at += 1) tryAll(pool, (attempt) => attempt.abandoned());
  expect(tryAll(pool, (attempt) => attempt.answered())).toEqual(['http://a']);
});
