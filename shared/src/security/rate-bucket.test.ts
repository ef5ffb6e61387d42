import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RATE_WINDOW_MS, type RateBucket, takeFromBucket } from './rate-bucket.ts';

/** Calls at the given times, with the answers that were given. */
function play(timesMs: readonly number[], perMinute: number) {
  let state: RateBucket | undefined;
  return timesMs.map((atMs) => {
    const decision = takeFromBucket(state, atMs, perMinute);
    state = decision.state;
    return { atMs, decision };
  });
}

const scenario = fc.record({
  perMinute: fc.integer({ min: 1, max: 8 }),
  timesMs: fc
    .array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 })
    .map((gapsMs) => gapsMs.map((_, index) => gapsMs.slice(0, index + 1).reduce((a, b) => a + b))),
});

describe('takeFromBucket', () => {
  it('RATE-1: exactly as many calls as the limit are allowed at once', () => {
    const answers = play(Array(61).fill(1_000_000), 60);
    expect(answers.filter(({ decision }) => decision.allowed)).toHaveLength(60);
    expect(answers.at(-1)?.decision).toMatchObject({ allowed: false, retryAfterSeconds: 60 });
  });

  it('RATE-1: a call counts for 60 seconds to the millisecond', () => {
    const { state } = takeFromBucket(undefined, 0, 1);
    expect(takeFromBucket(state, 59_999, 1)).toMatchObject({
      allowed: false,
      retryAfterSeconds: 1,
    });
    expect(takeFromBucket(state, 60_000, 1).allowed).toBe(true);
  });

  it('RATE-1: a call is refused if and only if the limit was used in the 60 s before it', () => {
    fc.assert(
      fc.property(scenario, ({ perMinute, timesMs }) => {
        const allowedAtMs: number[] = [];
        for (const { atMs, decision } of play(timesMs, perMinute)) {
          const used = allowedAtMs.filter((takenAtMs) => takenAtMs > atMs - RATE_WINDOW_MS).length;
          expect(decision.allowed).toBe(used < perMinute);
          if (decision.allowed) allowedAtMs.push(atMs);
        }
      }),
    );
  });

  it('RATE-2: a refused call is allowed after the seconds it was told, and not a second sooner', () => {
    fc.assert(
      fc.property(scenario, ({ perMinute, timesMs }) => {
        for (const { atMs, decision } of play(timesMs, perMinute)) {
          if (decision.allowed) continue;
          const waitMs = decision.retryAfterSeconds * 1000;
          expect(takeFromBucket(decision.state, atMs + waitMs, perMinute).allowed).toBe(true);
          expect(takeFromBucket(decision.state, atMs + waitMs - 1000, perMinute).allowed).toBe(
            false,
          );
        }
      }),
    );
  });

  it('RATE-3: the state never holds more calls than the limit and survives JSON', () => {
    fc.assert(
      fc.property(scenario, ({ perMinute, timesMs }) => {
        for (const { decision } of play(timesMs, perMinute)) {
          expect(decision.state.takenAtMs.length).toBeLessThanOrEqual(perMinute);
          expect(JSON.parse(JSON.stringify(decision.state))).toEqual(decision.state);
        }
      }),
    );
  });

  it('RATE-4: a clock that steps back grants nothing', () => {
    const { state } = takeFromBucket(undefined, 1_000_000, 1);
    const decision = takeFromBucket(state, 900_000, 1);
    expect(decision).toMatchObject({ allowed: false, retryAfterSeconds: 160 });
  });

  it('RATE-4: a lowered limit holds at once', () => {
    const filled = play([0, 10_000, 20_000], 3).at(-1)?.decision.state;
    const decision = takeFromBucket(filled, 30_000, 1);
    expect(decision).toMatchObject({ allowed: false, retryAfterSeconds: 50 });
    expect(takeFromBucket(decision.state, 80_000, 1).allowed).toBe(true);
  });

  it('RATE-4: a limit that is no whole number of at least 1 is a fault of the caller', () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      expect(() => takeFromBucket(undefined, 0, limit)).toThrow(RangeError);
    }
  });
});
