import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StreamEvent } from './event.ts';
import { packEvents, unpackEvents } from './event-packing.ts';

const SEED = 20_310_611;

const event: fc.Arbitrary<StreamEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary' }).map(asDelta) },
  fc.constantFrom<StreamEvent>(
    { type: 'tool_call', index: 0, id: 'c', name: 'f', arguments: '{"a":[1]}' },
    { type: 'restart', reason: 'unavailable', model: 'echo' },
    { type: 'usage', inputTokens: 3, outputTokens: 5, source: 'provider' },
    { type: 'error', code: 'upstream_failed', message: 'It broke.' },
    { type: 'done', status: 'cancelled', finishReason: null },
  ),
);

function asDelta(text: string): StreamEvent {
  return { type: 'delta', text };
}

it(`STREAM-6: packed events come back as they were (500 runs, seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      expect(unpackEvents(packEvents(events))).toEqual(events);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

it('a long answer of short tokens packs to less than half', () => {
  const events = Array.from({ length: 1000 }, (_, at) => asDelta(` word${at}`));
  expect(packEvents(events).length).toBeLessThan(JSON.stringify(events).length / 2);
});
