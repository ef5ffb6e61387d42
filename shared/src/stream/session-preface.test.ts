import { describe, expect, it } from 'vitest';
import {
  batchesOf,
  EPOCH,
  eventsOf,
  FAILED,
  FINISH,
  feed,
  kinds,
  NOW_MS,
  pending,
  READ,
  source,
  streaming,
  text,
  USAGE,
} from '../testing/session-feed.ts';
import { aNewSession, anEchoTarget } from '../testing/session-fixtures.ts';
import type { StreamEvent } from './event.ts';
import type { StreamRequest } from './session-state.ts';

const preface: readonly StreamEvent[] = [
  { type: 'note', name: 'session', data: { session_id: 'c1' } },
  { type: 'note', name: 'sources', data: { sources: [] } },
];
const targets: StreamRequest['targets'] = [anEchoTarget('one'), anEchoTarget('two')];
const wish = { preface, targets };

describe('a preface', () => {
  it('ANSWER-5: stands before the first word, and the request does not wait for it', () => {
    const step = feed(pending(wish), [READ, source(text('a'))]);
    expect(eventsOf(step)).toEqual([...preface, { type: 'delta', text: 'a' }]);
    expect(kinds(step)).toEqual(['save', 'wake-at', 'open-source', 'append', 'append']);
    const atOnce = feed(aNewSession(NOW_MS, { ...wish, start: 'now' }), [{ type: 'created' }]);
    expect(eventsOf(atOnce)).toEqual(preface);
  });

  it('ANSWER-5: is no word of the model: the next one takes over without a restart, also where nothing may begin again', () => {
    const step = feed(streaming({ ...wish, mayRestart: false }), [FAILED, source(text('b'))]);
    expect(step.state.status).toBe('streaming');
    expect(eventsOf(step)).toEqual([{ type: 'delta', text: 'b' }]);
    expect(batchesOf(step)[0]).toMatchObject({ epoch: EPOCH, firstSeq: 3 });
  });

  it('ANSWER-5: stands behind the restart of an answer that begins again', () => {
    const step = feed(streaming(wish), [source(text('a')), FAILED, source(text('b'))]);
    expect(batchesOf(step).at(-2)).toEqual({
      epoch: EPOCH + 1,
      firstSeq: 1,
      events: [{ type: 'restart', reason: 'upstream_failed', model: 'two' }, ...preface],
    });
  });

  it('ANSWER-5: is shown again where its host died, and an answer that said nothing more can fail after it', () => {
    const died = streaming({ ...wish, targets: [anEchoTarget('one')] });
    const step = feed(died, [{ type: 'restored', log: { epoch: EPOCH, seq: 2 } }]);
    expect(eventsOf(step).map(({ type }) => type)).toEqual(['restart', 'note', 'note']);
    const failed = feed(step.state, [source(USAGE), FAILED]);
    expect(eventsOf(failed).map(({ type }) => type)).toEqual(['usage', 'error']);
  });

  it('ANSWER-5: after a whole answer that began in its place nothing is shown twice', () => {
    const step = feed(streaming(wish), [
      FAILED,
      source(text('b'), USAGE, FINISH),
      { type: 'source-ended' },
    ]);
    expect(eventsOf(step).map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
  });
});
