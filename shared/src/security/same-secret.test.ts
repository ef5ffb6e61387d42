import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameSecret } from './same-secret.ts';

describe('sameSecret', () => {
  it('AUTH-12: equal keys are equal, and a key that differs anywhere is not', async () => {
    await expect(sameSecret('key-1', 'key-1')).resolves.toBe(true);
    await expect(sameSecret('key-1', 'key-2')).resolves.toBe(false);
    await expect(sameSecret('key-1', 'key-1 ')).resolves.toBe(false);
    await expect(sameSecret('key-1', '')).resolves.toBe(false);
    await expect(sameSecret('', '')).resolves.toBe(true);
  });

  it('AUTH-12: the comparison agrees with equality for any two keys', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (a, b) => {
        expect(await sameSecret(a, b)).toBe(a === b);
        expect(await sameSecret(a, a)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
