import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import type { CallbackPayload } from '../protocol/init-stream.ts';
import type { Touch } from '../testing/awkward-log.ts';
import { createMortalHost, type HostKind } from '../testing/mortal-host.ts';
import { aNewSession, anEchoTarget } from '../testing/session-fixtures.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createVisitor } from '../testing/visitor.ts';
import { isEnded, type StreamRequest } from './session-state.ts';

const SEED = 20_300_105;
const READERS = 4;

/** Rounds in which everybody comes back at the end of a schedule; a few are enough. */
const LAST_ROUNDS = 60;

/** One thing that happens. */
type Happening =
  | { readonly type: 'say'; readonly chunks: number }
  | { readonly type: 'finish' | 'usage' | 'fail' | 'cancel' | 'crash' }
  | { readonly type: 'attach' | 'stall' | 'take'; readonly reader: number }
  | { readonly type: 'hang-up'; readonly reader: number; readonly frames: number }
  | { readonly type: 'answer'; readonly index: number }
  | { readonly type: 'turns'; readonly count: number }
  | { readonly type: 'wait'; readonly ms: number };

const reader = fc.nat(READERS - 1);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('say'), chunks: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('answer'), index: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('attach'), reader }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('hang-up'), reader, frames: fc.nat(8) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('stall', 'take'), reader }) },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('turns'), count: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('wait'), ms: fc.constantFrom(1000, 5000) }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Happening>({ type: 'fail' }, { type: 'cancel' }) },
  { weight: 2, arbitrary: fc.constant<Happening>({ type: 'crash' }) },
  { weight: 2, arbitrary: fc.constantFrom<Happening>({ type: 'finish' }, { type: 'usage' }) },
);

/** Moments at which the most is in flight: they are too short to be met by chance alone. */
const few = fc.integer({ min: 1, max: 16 }).map((count): Happening => ({ type: 'turns', count }));
const answers = fc
  .nat(2)
  .map((count) => Array<Happening>(count).fill({ type: 'answer', index: 0 }));
const arrival = reader.map((at): Happening => ({ type: 'attach', reader: at }));
const closeCall: fc.Arbitrary<readonly Happening[]> = fc
  .tuple(
    fc.constantFrom<Happening>({ type: 'finish' }, { type: 'fail' }),
    few,
    answers,
    few,
    arrival,
  )
  .chain(([first, before, answered, after, attach]) =>
    fc
      .constantFrom<Happening[]>([{ type: 'crash' }], [attach], [attach, before, { type: 'crash' }])
      .map((last) => [first, before, ...answered, after, ...last]),
  );

const moments = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: happening.map((one): readonly Happening[] => [one]) },
      { weight: 1, arbitrary: closeCall },
    ),
    { maxLength: 40, size: 'max' },
  )
  .map((parts) => parts.flat());

const schedule = fc.record({
  touches: fc.array(fc.constantFrom<Touch>('early', 'late'), { minLength: 1, maxLength: 6 }),
  onDisconnect: fc.constantFrom<StreamRequest['onDisconnect']>('continue', 'cancel', 'drain'),
  start: fc.constantFrom<StreamRequest['start']>('connect', 'now'),
  happenings: moments,
});

type Schedule = typeof schedule extends fc.Arbitrary<infer S> ? S : never;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await null;
}

const silence = new GatewayError('upstream_timeout', 'The model went silent.');

async function play(kind: HostKind, { touches, happenings, ...changes }: Schedule): Promise<void> {
  const clock = createVirtualClock();
  const targets = [anEchoTarget('one'), anEchoTarget('two'), anEchoTarget('three')] as const;
  const session = aNewSession(clock.nowMs(), { ...changes, targets, graceMs: 4000 });
  const touch = (call: number) => touches[call % touches.length] ?? 'late';
  const host = createMortalHost(kind, session, clock, touch);
  const visitors = Array.from({ length: READERS }, (_, at) =>
    createVisitor(at % 2 === 0 ? 'ws' : 'sse-json'),
  );
  let said = 0;
  for (const it of happenings) {
    const { engine } = host;
    if (it.type === 'turns') await turns(it.count);
    else if (it.type === 'wait') await clock.advance(it.ms);
    else if (it.type === 'answer') host.answer(it.index);
    else if (it.type === 'cancel') void engine?.cancel();
    else if (it.type === 'fail') host.model.fail(silence);
    else if (it.type === 'usage') {
      host.model.say({ type: 'usage', inputTokens: 1, outputTokens: 2 });
    } else if (it.type === 'finish') {
      host.model.say({ type: 'finish', reason: 'stop' });
      host.model.end();
    } else if (it.type === 'say') {
      const chunks = Array.from({ length: it.chunks }, () => `${said++} `);
      host.model.say(...chunks.map((text) => ({ type: 'text', text }) as const));
    } else if (it.type === 'crash') {
      for (const visitor of visitors) visitor.hangUp(undefined);
      host.crash();
    } else if (it.type === 'hang-up') visitors[it.reader]?.hangUp(engine, it.frames);
    else if (it.type === 'stall') visitors[it.reader]?.stall();
    else if (it.type === 'take') visitors[it.reader]?.take();
    else if (it.type === 'attach' && engine !== undefined) visitors[it.reader]?.attach(engine);
  }
  // Whatever happened, everybody comes back, everything is answered, and the model finishes.
  host.flow();
  for (let round = 0; round < LAST_ROUNDS; round += 1) {
    const { engine, model } = host;
    if (engine !== undefined) for (const visitor of visitors) visitor.attach(engine);
    if (engine !== undefined && !isEnded(engine.status)) {
      model.say({ type: 'finish', reason: 'stop' });
      model.end();
    }
    for (const visitor of visitors) visitor.take();
    await turns(10);
    for (const visitor of visitors) visitor.look();
    if (visitors.every(({ hasEnd }) => hasEnd)) break;
  }
  await host.engine?.idle();

  const [callback, ...repeated] = host.callbacks;
  if (callback === undefined) throw new Error('nobody was called back');
  for (const again of repeated) expect(again).toEqual(callback);
  const { answer, model } = JSON.parse(callback.body) as CallbackPayload;
  const chunks = answer.split(' ').slice(0, -1);
  const [author = '', first] = chunks[0]?.split(':') ?? [];
  expect(chunks).toEqual(chunks.map((_, at) => `${author}:${Number(first) + at}`));
  if (author !== '') expect(author.split('.')[0]).toBe(model);
  for (const { text, hasEnd } of visitors)
    expect({ text, hasEnd }).toEqual({ text: answer, hasEnd: true });
}

it.each<{ kind: HostKind; runs: number }>([
  { kind: 'at once', runs: 5000 },
  { kind: 'later', runs: 12_000 },
  { kind: 'durable', runs: 4000 },
])(
  `STREAM-6, STREAM-7, STREAM-16, STREAM-20, STREAM-21, OUTBOX-1: with a log that answers $kind, no schedule of readers, crashes, failing models and cancels loses, repeats or reorders an event, and each ends in one callback that says what every reader has ($runs runs, seed ${SEED})`,
  async ({ kind, runs }) => {
    await fc.assert(
      fc.asyncProperty(schedule, (happens) => play(kind, happens)),
      { seed: SEED, numRuns: runs },
    );
  },
  60_000,
);
