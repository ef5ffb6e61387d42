import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEventId, isFinal, parseEventId } from './event.ts';

const SEED = 20_300_102;

describe('event ids', () => {
  it('STREAM-5: an id is the epoch in base 36 and the number', () => {
    expect(formatEventId(36 * 36 + 35, 12)).toBe('10z-12');
  });

  it(`STREAM-5: every id that is written is read back (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(4_102_444_800), fc.nat(1_000_000_000), (epoch, seq) => {
        expect(parseEventId(formatEventId(epoch, seq))).toEqual({ epoch, seq });
      }),
      { seed: SEED },
    );
  });

  it('STREAM-8: what is no id is read as none', () => {
    const bad = ['', 'x', '1-', '-1', '1-2-3', 'A-1', '1-01', ' 1-1', '1-1\n', '1-1e3', '1--1'];
    const tooLong = ['zzzzzzzzzz-1', `1-${'9'.repeat(16)}`];
    for (const id of [...bad, ...tooLong, '[DONE]', 'null']) {
      expect(parseEventId(id), JSON.stringify(id)).toBeUndefined();
    }
  });

  it(`STREAM-8: no text makes the reader of ids throw (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const read = parseEventId(text);
        if (read !== undefined) expect(Number.isSafeInteger(read.seq)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it('nothing follows `done` and `error`, and anything may follow the others', () => {
    expect(isFinal({ type: 'done', status: 'completed', finishReason: 'stop' })).toBe(true);
    expect(isFinal({ type: 'error', code: 'expired', message: '' })).toBe(true);
    expect(isFinal({ type: 'delta', text: '' })).toBe(false);
    expect(isFinal({ type: 'usage', inputTokens: 0, outputTokens: 0, source: 'provider' })).toBe(
      false,
    );
  });
});
