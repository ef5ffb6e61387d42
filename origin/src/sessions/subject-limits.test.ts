import { expect, it } from 'vitest';
import { createSubjectLimits } from './subject-limits.ts';

it('INIT-6: each caller has its own rate, and is told how long to wait', () => {
  let now = Date.UTC(2030, 0, 1);
  const limits = createSubjectLimits(2, () => now);
  expect([limits.admit('a'), limits.admit('a')]).toEqual([0, 0]);
  expect(limits.admit('a')).toBe(60);
  expect(limits.admit('b')).toBe(0);
  now += 60_000;
  expect(limits.admit('a')).toBe(0);
});

it('RATE-1: forgetting callers that stayed away forgives none that is still within its minute', () => {
  let now = Date.UTC(2030, 0, 1);
  const limits = createSubjectLimits(1, () => now);
  expect(limits.admit('away')).toBe(0);
  now += 59_999;
  expect(limits.admit('late')).toBe(0);
  now += 59_999;
  expect(limits.admit('late')).toBeGreaterThan(0);
  expect(limits.admit('away')).toBe(0);
});
