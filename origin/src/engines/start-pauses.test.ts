import { createVirtualClock } from '@headwater/shared/testing/virtual-clock';
import { describe, expect, it } from 'vitest';
import { createStartPauses } from './start-pauses.ts';

describe('pauses after a failed start', () => {
  it('ENGINE-10: double with each failure up to 30 s, and are over once it worked', async () => {
    const clock = createVirtualClock();
    const pauses = createStartPauses(clock.nowMs);
    const taken: number[] = [];
    for (let failure = 0; failure < 9; failure += 1) {
      taken.push(pauses.failed('ocr'));
      await clock.advance(pauses.leftMs('ocr'));
    }
    expect(taken).toEqual([250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    expect(pauses.leftMs('other')).toBe(0);
    pauses.worked('ocr');
    expect(pauses.failed('ocr')).toBe(250);
  });

  it('ENGINE-10: failures of starts that were made together count as one', async () => {
    const clock = createVirtualClock();
    const pauses = createStartPauses(clock.nowMs);
    expect([pauses.failed('ocr'), pauses.failed('ocr')]).toEqual([250, 250]);
    await clock.advance(100);
    expect([pauses.failed('ocr'), pauses.leftMs('ocr')]).toEqual([150, 150]);
    await clock.advance(150);
    expect(pauses.failed('ocr')).toBe(500);
  });

  it('ENGINE-10: a clock that steps back prolongs none', async () => {
    const clock = createVirtualClock();
    const pauses = createStartPauses(clock.nowMs);
    pauses.failed('ocr');
    await clock.advance(-3_600_000);
    expect(pauses.leftMs('ocr')).toBe(250);
  });
});
