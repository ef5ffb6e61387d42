import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ModelEvent } from '../providers/contract.ts';
import { aNewSession, anEchoTarget } from '../testing/session-fixtures.ts';
import { type EventBatch, isFinal, type StreamEvent } from './event.ts';
import { stepSession } from './session.ts';
import {
  isEnded,
  type SessionInput,
  type SessionState,
  type SessionStep,
  type StreamRequest,
} from './session-state.ts';

const SEED = 20_300_104;
const RUNS = 6000;
const NOW_MS = Date.UTC(2030, 0, 1);

const modelEvent: fc.Arbitrary<ModelEvent> = fc.oneof(
  fc
    .constantFrom('a', '', '[DONE]', '\ud83c', '\udf0a', '\r', '\n', 'long '.repeat(8))
    .map((text): ModelEvent => ({ type: 'text', text })),
  fc.constantFrom<ModelEvent>(
    { type: 'tool_call', index: 0, id: 'call_1', name: 'look', arguments: '{}' },
    { type: 'usage', inputTokens: 1 },
    { type: 'usage', outputTokens: 2 },
    { type: 'usage', inputTokens: 3, outputTokens: 4 },
    { type: 'finish', reason: 'stop' },
  ),
);

/** A crash, and what is left after it: of the log all or nothing, of the end the save or not. */
interface Crash {
  readonly type: 'crash';
  readonly isLogLost: boolean;
  readonly isEndUnsaved: boolean;
}

const events = fc.array(modelEvent, { minLength: 1, maxLength: 4 });
const error = { code: 'upstream_timeout', message: 'Silent.' } as const;

const happening: fc.Arbitrary<SessionInput | Crash> = fc.oneof(
  {
    weight: 6,
    arbitrary: events.map((said): SessionInput => ({ type: 'source-events', events: said })),
  },
  {
    weight: 5,
    arbitrary: fc.oneof(
      fc.nat(2).map((count): SessionInput => ({ type: 'readers', count })),
      fc.constant<SessionInput>({ type: 'wake' }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<SessionInput>(
      { type: 'source-ended' },
      { type: 'source-failed', error },
      { type: 'tokens-counted', inputTokens: 5, outputTokens: 6 },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom<SessionInput>({ type: 'cancel' }, { type: 'interrupt', error }),
      fc.record({
        type: fc.constant('crash' as const),
        isLogLost: fc.boolean(),
        isEndUnsaved: fc.boolean(),
      }),
    ),
  },
);

const request: fc.Arbitrary<Partial<StreamRequest>> = fc.record({
  start: fc.constantFrom('connect', 'now'),
  onDisconnect: fc.constantFrom('continue', 'cancel', 'drain'),
  graceMs: fc.constantFrom(0, 3000, 30_000),
  maxAnswerBytes: fc.constantFrom(50, 1_000_000),
  targets: fc.constantFrom<StreamRequest['targets']>(
    [anEchoTarget()],
    [anEchoTarget('one'), anEchoTarget('two'), anEchoTarget('three')],
  ),
  mayRestart: fc.boolean(),
  preface: fc.constantFrom<readonly StreamEvent[]>(
    [],
    [{ type: 'note', name: 'one', data: {} }],
    [
      { type: 'note', name: 'one', data: {} },
      { type: 'note', name: 'two', data: {} },
    ],
  ),
});

const moment = fc.record({
  happening,
  waitMs: fc.constantFrom(0, 0, 1, 3000, 10_000, 60_000, 600_000),
});

/** Cheaper than `expect` in a loop of a hundred thousand steps. */
function claim(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

/** A log, a store and a vendor that only check what they are told. */
function createWitness(initial: SessionState) {
  let saved = initial;
  let savedBeforeEnd = initial;
  let epoch = initial.epoch;
  let latestEpoch = 0;
  let isSealed = false;
  let isAsked = false;
  let settles = 0;
  const log: StreamEvent[] = [];

  function take(batch: EventBatch): void {
    claim(!isSealed, 'appended after the end');
    if (batch.epoch !== epoch || latestEpoch === 0) {
      if (latestEpoch !== 0 || batch.epoch !== initial.epoch) {
        claim(batch.epoch > Math.max(latestEpoch, initial.epoch), 'an epoch that is not later');
        claim(batch.events[0]?.type === 'restart', 'an epoch without a restart');
      }
      log.length = 0;
      epoch = batch.epoch;
      latestEpoch = epoch;
    }
    claim(batch.firstSeq === log.length + 1, 'a hole in the numbers');
    log.push(...batch.events);
  }

  function observe({ state, effects }: SessionStep, before: SessionState): void {
    if (isEnded(before.status)) claim(state.status === before.status, 'an end that changed');
    for (const effect of effects) {
      if (effect.type === 'append') take(effect.batch);
      else if (effect.type === 'save') saved = state;
      else if (effect.type === 'close-source') isAsked = false;
      else if (effect.type === 'purge') claim(isEnded(before.status), 'forgotten while alive');
      else if (effect.type === 'open-source') {
        claim(!isEnded(state.status) && state.ending === undefined, 'asked at the end');
        claim(saved.targetAt === state.targetAt, 'asked before it was kept');
        isAsked = true;
      } else if (effect.type === 'settle') {
        settles += 1;
        isSealed = true;
        savedBeforeEnd = saved;
        saved = state;
      }
    }
    claim(!isAsked || !isEnded(state.status), 'still asked after the end');
    claim(!isSealed || isEnded(state.status), 'settled while alive');
  }

  return {
    log,
    observe,
    get settles() {
      return settles;
    },
    /** The state that a new host finds, and what it is told. */
    crash({ isLogLost, isEndUnsaved }: Crash): { state: SessionState; input: SessionInput } {
      isAsked = false;
      if (isSealed && isEndUnsaved) {
        saved = savedBeforeEnd;
        settles -= 1;
      }
      const isLeft = (isSealed || !isLogLost) && log.length > 0;
      if (!isLeft) log.length = 0;
      const head = isLeft ? { epoch, seq: log.length } : { epoch: 0, seq: 0 };
      const [usage, event] = log.slice(-2);
      const input: SessionInput =
        usage?.type === 'usage' && event !== undefined && isFinal(event)
          ? { type: 'restored', log: head, final: { usage, event } }
          : { type: 'restored', log: head };
      return { state: saved, input };
    },
  };
}

it(`STREAM-1, STREAM-2, STREAM-5, STREAM-16, STREAM-20, OUTBOX-1, ANSWER-5: whatever happens in whatever order, numbers have no hole, epochs grow and begin with a restart, and one end is final and settled once (${RUNS} runs, seed ${SEED})`, () => {
  fc.assert(
    fc.property(request, fc.array(moment, { maxLength: 40, size: 'max' }), (changes, moments) => {
      const initial = aNewSession(NOW_MS, changes);
      const witness = createWitness(initial);
      let nowMs = NOW_MS;
      let state = initial;
      const feed = (input: SessionInput) => {
        const before = state;
        const step = stepSession(before, input, nowMs);
        state = step.state;
        witness.observe(step, before);
      };
      feed({ type: 'created' });
      for (const it of moments) {
        nowMs += it.waitMs;
        if (it.happening.type !== 'crash') feed(it.happening);
        else {
          const found = witness.crash(it.happening);
          state = found.state;
          feed(found.input);
        }
        if (isEnded(state.status)) continue;
        claim(state.lastSeq === witness.log.length, 'another number than the log');
      }
      const { log, settles } = witness;
      const finals = log.filter(isFinal);
      const opening = log[0]?.type === 'restart' ? 1 : 0;
      const preface = changes.preface ?? [];
      const notes = log.filter(({ type }) => type === 'note');
      // Whatever was said stands behind all of it; a stream nobody read has none.
      expect([preface.length, 0]).toContain(notes.length);
      expect(log.slice(opening, opening + notes.length)).toEqual(notes);
      if (log.some(({ type }) => type === 'delta')) expect(notes).toEqual(preface);
      expect(settles).toBe(isEnded(state.status) ? 1 : 0);
      expect(finals).toHaveLength(settles);
      expect(log.slice(1).some(({ type }) => type === 'restart')).toBe(false);
      if (settles === 1) {
        expect(log.at(-1)).toBe(finals[0]);
        expect(log.at(-2)).toEqual({ type: 'usage', ...state.usage });
        expect(state.revivals).toBeLessThanOrEqual(3);
      }
      if (changes.onDisconnect === 'continue') expect(state.draining).toBeUndefined();
    }),
    { seed: SEED, numRuns: RUNS },
  );
}, 60_000);
