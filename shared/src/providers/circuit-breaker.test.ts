import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AttemptReport,
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED_CIRCUIT,
  lookAt,
  report,
} from './circuit-breaker.ts';

const POLICY: CircuitPolicy = { failures: 3, openMs: 1000, probeMs: 5000 };

/** Admits an attempt, which must be possible, and reports. */
function attempt(state: CircuitState, nowMs: number, ...inputs: AttemptReport[]): CircuitState {
  const admission = admit(state, nowMs, POLICY);
  if (!('era' in admission)) throw new Error('not admitted');
  return inputs.reduce(
    (next, input) => report(next, admission.era, input, nowMs, POLICY),
    admission.state,
  );
}

function fail(state: CircuitState, nowMs: number, times: number): CircuitState {
  let next = state;
  for (let count = 0; count < times; count += 1) next = attempt(next, nowMs, 'failed');
  return next;
}

const opened = fail(CLOSED_CIRCUIT, 0, 3);

describe('a circuit', () => {
  it('PROV-23: opens after so many failures in a row, and not before', () => {
    expect(lookAt(fail(CLOSED_CIRCUIT, 0, 2), 0)).toBe('closed');
    expect(lookAt(opened, 0)).toBe('open');
    expect(admit(opened, 400, POLICY)).toEqual({ state: opened, retryAfterMs: 600 });
  });

  it('PROV-23: a whole answer forgets the failures, a begun or abandoned one does not', () => {
    const two = fail(CLOSED_CIRCUIT, 0, 2);
    expect(lookAt(fail(attempt(two, 0, 'succeeded'), 0, 2), 0)).toBe('closed');
    expect(lookAt(fail(attempt(two, 0, 'spoke'), 0, 1), 0)).toBe('open');
    expect(lookAt(fail(attempt(two, 0, 'abandoned'), 0, 1), 0)).toBe('open');
    expect(lookAt(attempt(two, 0, 'spoke', 'failed'), 0)).toBe('open');
  });

  it('PROV-23: lets one probe through once its time is over', () => {
    const probing = admit(opened, 1000, POLICY);
    expect(probing).toMatchObject({ era: 1, state: { kind: 'half-open' } });
    expect(lookAt(opened, 1000)).toBe('half-open');
    expect(admit(probing.state, 1000, POLICY)).toMatchObject({ retryAfterMs: 1000 });
  });

  it('PROV-23: a probe that fails opens it again, one that is abandoned makes way for the next', () => {
    const again = attempt(opened, 1000, 'failed');
    expect(admit(again, 1500, POLICY)).toMatchObject({ retryAfterMs: 500 });
    const next = attempt(opened, 1000, 'abandoned');
    expect(admit(next, 1000, POLICY)).toHaveProperty('era');
  });

  it('PROV-23: a probe that speaks lets others in, and one more failure opens it again', () => {
    const spoke = attempt(opened, 1000, 'spoke');
    expect(lookAt(spoke, 1000)).toBe('closed');
    expect(lookAt(fail(spoke, 1000, 1), 1000)).toBe('open');
    const whole = attempt(opened, 1000, 'spoke', 'succeeded');
    expect(lookAt(fail(whole, 1000, 2), 1000)).toBe('closed');
  });

  it('PROV-23: what began before it opened says nothing of the vendor after it', () => {
    expect(report(opened, 0, 'succeeded', 500, POLICY)).toBe(opened);
    const { state } = admit(opened, 1000, POLICY);
    expect(report(state, 0, 'succeeded', 1000, POLICY)).toBe(state);
    expect(report(state, 0, 'failed', 1000, POLICY)).toBe(state);
  });

  it('PROV-23: a probe that never reports is given up, and its late word is not heard', () => {
    const first = admit(opened, 1000, POLICY);
    expect(admit(first.state, 5999, POLICY)).not.toHaveProperty('era');
    const second = admit(first.state, 6000, POLICY);
    expect(second).toMatchObject({ era: 2 });
    expect(report(second.state, 1, 'failed', 6000, POLICY)).toBe(second.state);
  });

  it('PROV-23: a clock that steps back keeps nobody out for longer than the policy says', () => {
    expect(admit(opened, -1_000_000, POLICY)).toMatchObject({ retryAfterMs: 1000 });
  });

  it('PROV-23: whatever happens, it holds at most one probe, and comes back by itself', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 2000 }),
      input: fc.constantFrom<AttemptReport | 'silent'>(
        'spoke',
        'succeeded',
        'failed',
        'abandoned',
        'silent',
      ),
      late: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = CLOSED_CIRCUIT;
        let nowMs = 0;
        const eras: number[] = [];
        for (const { waitMs, input, late } of steps) {
          nowMs += waitMs;
          const before = lookAt(state, nowMs);
          const admission = admit(state, nowMs, POLICY);
          state = admission.state;
          if (before === 'open') expect(admission).not.toHaveProperty('era');
          if (before === 'closed') expect(admission).toHaveProperty('era');
          if (!('era' in admission)) {
            expect(admission.retryAfterMs).toBeGreaterThan(0);
            expect(admission.retryAfterMs).toBeLessThanOrEqual(POLICY.openMs);
            continue;
          }
          // While a probe is on its way, nobody else gets in.
          if (state.kind === 'half-open') {
            expect(admit(state, nowMs, POLICY)).not.toHaveProperty('era');
          }
          eras.push(admission.era);
          if (input === 'silent') continue;
          const era = late ? (eras[0] ?? 0) : admission.era;
          const wasClosed = state.kind === 'closed';
          state = report(state, era, input, nowMs, POLICY);
          // It never opens out of the blue.
          if (wasClosed && state.kind === 'open') expect(input).toBe('failed');
        }
        expect(admit(state, nowMs + POLICY.probeMs, POLICY)).toHaveProperty('era');
      }),
      { numRuns: 300 },
    );
  });
});
