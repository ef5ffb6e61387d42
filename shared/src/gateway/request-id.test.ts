import { expect, it } from 'vitest';
import { rateLimited } from './rate-limited.ts';
import { requestIdOf } from './request-id.ts';

it("HOST-1: a plain id of the caller's is kept, any other is replaced by a new one", () => {
  expect(requestIdOf('abc-123_x.y:z')).toBe('abc-123_x.y:z');
  for (const header of [null, undefined, '', 'a b', 'a\nb', 'é', 'x'.repeat(129), '<script>']) {
    expect(requestIdOf(header)).toMatch(/^[0-9a-f-]{36}$/);
  }
  expect(requestIdOf(null)).not.toBe(requestIdOf(null));
});

it('INIT-6: the refusal of a caller that is too fast says how long to wait', () => {
  expect(rateLimited(2.2)).toMatchObject({
    code: 'rate_limited',
    message: expect.stringContaining('3 s'),
    details: { retryAfterSeconds: 2.2 },
  });
});
