import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryTermsOf } from './query-terms.ts';
import { termsOf } from './terms.ts';

describe('terms', () => {
  it.each([
    ['Running runs RAN', ['run', 'run', 'ran']],
    ['Café CAFÉ cafe\u0301', ['cafe', 'cafe', 'cafe']],
    ['Straße, Œuvre & Łódź', ['strass', 'oeuvr', 'lodz']],
    ['İstanbul ΟΔΟΣ', ['istanbul', 'οδοσ']],
    ['Tesla’s l’eau', ['tesla', 'l', 'eau']],
    ['U.S. 711,988 2.4 ﬁne x-y', ['us', '711988', '2.4', 'fine', 'x', 'y']],
    ['東京タワー 京', ['東京', '京タ', 'タワ', 'ワー', '京']],
    ['대한민국 v2漢字', ['대한', '한민', '민국', 'v2', '漢字']],
    ['…!? — 👩‍👩‍👧', []],
  ])('FIND-5: of %j are %j', (text, terms) => {
    expect(termsOf(text)).toEqual(terms);
  });

  it('FIND-5: of scripts without blanks are the words of a dictionary', () => {
    expect(termsOf('ภาษาไทยง่าย').length).toBeGreaterThan(1);
    expect(termsOf('ภาษาไทย')).toEqual(termsOf('ภาษาไทยง่าย').slice(0, 2));
  });

  it('FIND-5: a diacritic on a character of another script is none', () => {
    expect(termsOf('日\u0300')).toEqual(termsOf('日'));
  });

  it('FIND-5: are the same for the same text, bounded, and never empty', () => {
    // Halves of surrogate pairs among them.
    const units = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
      .map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, (text) => {
        const terms = termsOf(text);
        expect(termsOf(text)).toEqual(terms);
        // Folding may make a little more of 64 characters.
        const isBounded = (term: string) => term.length > 0 && term.length <= 128;
        const isPlain = (term: string) => !/[\s\0]/.test(term) && term.isWellFormed();
        expect(terms.filter((term) => !isBounded(term) || !isPlain(term))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('FIND-5: of a megabyte without a blank are few', () => {
    expect(termsOf('x'.repeat(1_000_000))).toHaveLength(1);
    expect(termsOf('a.b'.repeat(300_000)).length).toBeGreaterThan(0);
  });

  it('FIND-6: of a question are what it asks about; of stop words alone, these', () => {
    expect([...queryTermsOf('What is the name of the river, the river?')]).toEqual([
      ['name', 1],
      ['river', 2],
    ]);
    expect([...queryTermsOf('to be or not to be').keys()]).toEqual(['to', 'be', 'or', 'not']);
    expect(queryTermsOf(' ?! ').size).toBe(0);
  });
});
