import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ModelEvent } from '../providers/contract.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { isFinal, type StreamEvent } from './event.ts';
import { isEnded, type SessionInput, type StreamRequest, stepSession } from './session.ts';

const SEED = 20_300_104;
const NOW_MS = Date.UTC(2030, 0, 1);

const modelEvent: fc.Arbitrary<ModelEvent> = fc.oneof(
  fc
    .constantFrom('a', '', '[DONE]', '\ud83c', '\udf0a', '\r', '\n')
    .map((text): ModelEvent => ({ type: 'text', text })),
  fc.constantFrom<ModelEvent>(
    { type: 'usage', inputTokens: 1 },
    { type: 'usage', outputTokens: 2 },
    { type: 'usage', inputTokens: 3, outputTokens: 4 },
    { type: 'finish', reason: 'stop' },
  ),
);

const input: fc.Arbitrary<SessionInput> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(modelEvent, { minLength: 1, maxLength: 4 })
      .map((events): SessionInput => ({ type: 'source-events', events })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom<SessionInput>(
      { type: 'created' },
      { type: 'reader-attached' },
      { type: 'reader-attached' },
      { type: 'wake' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<SessionInput>(
      { type: 'source-ended' },
      { type: 'source-failed', error: { code: 'upstream_timeout', message: 'Silent.' } },
      { type: 'cancel' },
      { type: 'tokens-counted', inputTokens: 5, outputTokens: 6 },
    ),
  },
);

const step = fc.record({ input, waitMs: fc.constantFrom(0, 1, 10_000, 60_000, 600_000) });

it(`STREAM-1, STREAM-2, STREAM-5, OUTBOX-1: whatever happens in whatever order, numbers have no hole, one end is final, and it is settled once (seed ${SEED})`, () => {
  const startWith = fc.constantFrom<StreamRequest['start']>('connect', 'now');
  fc.assert(
    fc.property(startWith, fc.array(step, { maxLength: 40, size: 'max' }), (start, steps) => {
      let state = aNewSession(NOW_MS, { start });
      let nowMs = NOW_MS;
      const events: StreamEvent[] = [];
      let settles = 0;
      let opened = 0;
      for (const { input, waitMs } of steps) {
        // Only the first `created` is one; the engine gives it once.
        if (input.type === 'created' && nowMs !== NOW_MS) continue;
        nowMs += waitMs;
        const before = state;
        const { state: after, effects } = stepSession(before, input, nowMs);
        state = after;
        if (isEnded(before.status)) expect(after.status).toBe(before.status);
        for (const effect of effects) {
          if (effect.type === 'append') {
            expect(effect.batch.firstSeq).toBe(events.length + 1);
            expect(effect.batch.epoch).toBe(NOW_MS / 1000);
            events.push(...effect.batch.events);
          } else if (effect.type === 'settle') settles += 1;
          else if (effect.type === 'open-source') opened += 1;
          else if (effect.type === 'purge') expect(isEnded(before.status)).toBe(true);
        }
        expect(state.lastSeq).toBe(events.length);
      }
      const finals = events.filter(isFinal);
      expect(settles).toBe(isEnded(state.status) ? 1 : 0);
      expect(finals).toHaveLength(settles);
      if (settles === 1) {
        expect(events.at(-1)).toBe(finals[0]);
        expect(events.at(-2)?.type).toBe('usage');
        expect(state.usage).toBeDefined();
      }
      // `created` may come twice before time moves; a running session is never opened by it here.
      expect(opened).toBeLessThanOrEqual(start === 'now' ? steps.length : 1);
      if (state.status === 'expired') expect(opened).toBe(0);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});
