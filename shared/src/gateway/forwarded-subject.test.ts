import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeSubject, encodeSubject } from './forwarded-subject.ts';

it('EDGE-20: a subject comes back as it was, whatever characters it has', () => {
  const subject = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(subject, (name) => {
      const encoded = encodeSubject(name);
      if (encoded === undefined) return;
      expect(encoded).toMatch(/^[!-~]{1,255}$/);
      expect(decodeSubject(encoded)).toBe(name);
    }),
    { seed: 20, numRuns: 500 },
  );
  expect(encodeSubject('https://issuer.example|用户 7')).toBeDefined();
});

it('EDGE-20: what would be no header, or too long a one, is none', () => {
  for (const name of ['', 'a'.repeat(256), 'line\nbreak', '\ud800']) {
    expect(encodeSubject(name), JSON.stringify(name)).toBeUndefined();
  }
  for (const text of ['', 'a b', '%', '%ff', 'a%0ab', 'ü']) {
    expect(decodeSubject(text), JSON.stringify(text)).toBeUndefined();
  }
});
