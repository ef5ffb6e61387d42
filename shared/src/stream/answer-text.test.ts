import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { releaseText, takeText } from './answer-text.ts';

const SEED = 20_300_101;

/** Everything a vendor's chunks become. */
function deltasOf(chunks: readonly string[]): string[] {
  const deltas: string[] = [];
  let held = '';
  for (const chunk of chunks) {
    const taken = takeText(held, chunk);
    held = taken.held;
    deltas.push(...taken.deltas);
  }
  return held === '' ? deltas : [...deltas, releaseText(held)];
}

/** Chunks out of the pieces that hurt: halves of pairs, line ends, the end marker. */
const awkwardChunks = fc.array(
  fc.oneof(
    fc.constantFrom('\ud83c', '\udf0a', '\r', '\n', '\r\n', '[DONE]', '[DO', 'NE]', '', ' ', 'a'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  ),
  { maxLength: 12 },
);

describe('answer text', () => {
  it('FRAME-6: a surrogate pair that was cut in two is put together again', () => {
    expect(deltasOf(['wave \ud83c', '\udf0a!'])).toEqual(['wave ', '\u{1F30A}!']);
  });

  it('FRAME-6: half a pair at the end becomes U+FFFD', () => {
    expect(deltasOf(['wave \ud83c'])).toEqual(['wave ', '\uFFFD']);
  });

  it('FRAME-3: a chunk that is exactly the end marker is split in two', () => {
    expect(deltasOf(['[DONE]'])).toEqual(['[DO', 'NE]']);
    expect(deltasOf([' [DONE]', '[DONE]\n'])).toEqual([' [DONE]', '[DONE]\n']);
  });

  it('FRAME-2: a CRLF that was cut in two stays in one delta', () => {
    expect(deltasOf(['a\r', '\nb'])).toEqual(['a', '\r\nb']);
    expect(deltasOf(['a\r'])).toEqual(['a', '\r']);
    expect(deltasOf(['a\r', '', 'b'])).toEqual(['a', '\rb']);
  });

  it('an empty chunk makes no delta', () => {
    expect(deltasOf(['', ''])).toEqual([]);
  });

  it(`FRAME-3, FRAME-6: deltas join to the text, and none is empty or the end marker, or parts a pair (seed ${SEED})`, () => {
    fc.assert(
      fc.property(awkwardChunks, (chunks) => {
        const deltas = deltasOf(chunks);
        const whole = chunks.join('');
        const endsInHalf = /[\ud800-\udbff]$/.test(whole);
        expect(deltas.join('')).toBe(endsInHalf ? `${whole.slice(0, -1)}\uFFFD` : whole);
        for (const [at, delta] of deltas.entries()) {
          expect(delta).not.toBe('');
          expect(delta).not.toBe('[DONE]');
          const seam = delta.slice(-1) + (deltas[at + 1]?.charAt(0) ?? '');
          expect(seam).not.toMatch(/^(?:[\ud800-\udbff][\udc00-\udfff]|\r\n)$/);
        }
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });
});
