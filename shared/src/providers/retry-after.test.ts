import { describe, expect, it } from 'vitest';
import { readRetryAfterSeconds } from './retry-after.ts';

const NOW_MS = Date.parse('2026-11-20T20:00:00Z');
const read = (headers: Record<string, string>) =>
  readRetryAfterSeconds(new Headers(headers), NOW_MS);

describe('Retry-After', () => {
  it.each([
    [{ 'retry-after': '2' }, 2],
    [{ 'retry-after': '1.2' }, 2],
    [{ 'retry-after': 'Fri, 20 Nov 2026 20:00:30 GMT' }, 30],
    [{ 'retry-after': 'Fri, 20 Nov 2026 19:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 2],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('PROV-11: %j is %s seconds', (headers, seconds) => {
    expect(read(headers)).toBe(seconds);
  });
});
