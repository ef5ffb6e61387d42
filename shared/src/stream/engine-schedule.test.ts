import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AwkwardLog, createAwkwardLog, type Touch } from '../testing/awkward-log.ts';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import {
  createRecordingSubscriber,
  type RecordingSubscriber,
} from '../testing/recording-subscriber.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { type StreamEngine, startEngine } from './engine.ts';
import { parseEventId, type StreamEvent } from './event.ts';
import { createMemoryStore } from './memory-store.ts';

const SEED = 20_300_105;
const READERS = 3;

/** One thing that happens. */
type Happening =
  | { readonly type: 'say'; readonly chunks: number }
  | { readonly type: 'end' }
  | { readonly type: 'cancel' }
  | { readonly type: 'attach' | 'detach' | 'stall' | 'take'; readonly reader: number }
  | { readonly type: 'answer'; readonly index: number }
  | { readonly type: 'turns'; readonly count: number };

const reader = fc.nat(READERS - 1);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('say'), chunks: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('answer'), index: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('attach', 'detach'), reader }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('stall', 'take'), reader }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('turns'), count: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Happening>({ type: 'end' }, { type: 'cancel' }) },
);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await null;
}

/** A browser: it joins what its connections gave it, and resumes with its last id. */
function createVisitor(engine: StreamEngine, format: 'ws' | 'sse-json') {
  const seen: (StreamEvent & { id: string })[] = [];
  let line: RecordingSubscriber | undefined;

  function hangUp(): void {
    if (line === undefined) return;
    seen.push(...line.events());
    line = undefined;
  }

  return {
    attach() {
      if (line !== undefined && !line.ended) return;
      hangUp();
      const decision = engine.decide(parseEventId(seen.at(-1)?.id ?? ''));
      if (decision.type === 'nothing-left') return;
      expect(decision.type).toBe('read');
      line = createRecordingSubscriber(format);
      engine.attach(line, decision.type === 'read' ? decision.afterSeq : 0);
    },
    detach() {
      if (line === undefined || line.ended) return;
      engine.detach(line);
      hangUp();
    },
    stall: () => line?.stall(),
    take: () => line?.take(),
    finish() {
      if (line !== undefined) expect(line).toMatchObject({ ended: true, endError: undefined });
      hangUp();
      return seen.map(({ id, ...event }) => ({ seq: parseEventId(id)?.seq, event }));
    },
  };
}

async function play(
  log: AwkwardLog,
  happenings: readonly Happening[],
): Promise<{ seen: unknown[]; kept: unknown }> {
  const clock = createVirtualClock();
  const model = createScriptedModel();
  const outbox = createRecordingOutbox();
  const engine = await startEngine(
    aNewSession(clock.nowMs()),
    {
      log,
      store: createMemoryStore(),
      outbox,
      clock,
      alarm: clock.alarm(() => undefined),
      logger: createSilentLogger(),
      provider: () => model.provider,
      countTokens: async (text) => text.length,
      purged: () => undefined,
    },
    'created',
  );
  const visitors = Array.from({ length: READERS }, (_, at) =>
    createVisitor(engine, at % 2 === 0 ? 'ws' : 'sse-json'),
  );
  let said = 0;
  let isOver = false;
  const finish = () => {
    model.say({ type: 'finish', reason: 'stop' });
    model.end();
  };
  for (const it of happenings) {
    if (it.type === 'turns') await turns(it.count);
    else if (it.type === 'answer') log.answer(it.index);
    else if (it.type === 'cancel') void engine.cancel();
    else if (it.type === 'end') {
      if (!isOver) finish();
      isOver = true;
    } else if (it.type === 'say') {
      if (isOver) continue;
      const chunks = Array.from({ length: it.chunks }, () => `${said++} `);
      model.say(...chunks.map((text) => ({ type: 'text', text }) as const));
    } else visitors[it.reader]?.[it.type]();
  }
  // Whatever happened, everybody comes back, everything is answered, and the model finishes.
  for (const visitor of visitors) visitor.attach();
  if (!isOver) finish();
  log.flow();
  for (let round = 0; round < 12; round += 1) {
    for (const visitor of visitors) visitor.take();
    await turns(12);
  }
  await engine.idle();
  const seen = visitors.map((visitor) => visitor.finish());
  const events = await log.kept.read(0, 10_000);
  expect(outbox.payload().answer).toBe(
    events.map((event) => (event.type === 'delta' ? event.text : '')).join(''),
  );
  return { seen, kept: events.map((event, at) => ({ seq: at + 1, event })) };
}

it(`STREAM-6, STREAM-7: with a log that answers late and out of turn, no schedule of readers loses, repeats or reorders an event (seed ${SEED})`, async () => {
  const touches = fc.array(fc.constantFrom<Touch>('early', 'late'), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      touches,
      fc.array(happening, { maxLength: 40, size: 'max' }),
      async (touch, happenings) => {
        const log = createAwkwardLog((call) => touch[call % touch.length] ?? 'late');
        const { seen, kept } = await play(log, happenings);
        for (const events of seen) expect(events).toEqual(kept);
      },
    ),
    { seed: SEED, numRuns: 1200 },
  );
});
