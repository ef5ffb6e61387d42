import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../providers/contract.ts';
import {
  BROKE,
  COUNTED,
  ENDED,
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
  WAKE,
} from '../testing/session-feed.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { callbackPayload } from './callback-payload.ts';
import type { SessionInput } from './session-state.ts';

describe('a session begins', () => {
  it('STREAM-3: a new one waits for a reader until its TTL is over', () => {
    const step = feed(aNewSession(NOW_MS), [{ type: 'created' }]);
    expect(step.state.status).toBe('pending');
    expect(step.effects).toEqual([{ type: 'wake-at', atMs: NOW_MS + 60_000 }]);
  });

  it('STREAM-2: the first reader starts the model, and the state is kept before', () => {
    const step = feed(pending(), [READ]);
    expect(step.state.status).toBe('streaming');
    expect(kinds(step)).toEqual(['save', 'wake-at', 'open-source']);
  });

  it('STREAM-2: later readers start nothing', () => {
    expect(kinds(feed(streaming(), [READ]))).toEqual([]);
  });

  it('STREAM-2: with `start: "now"` it starts without a reader', () => {
    const step = feed(aNewSession(NOW_MS, { start: 'now' }), [{ type: 'created' }]);
    expect(step.state.status).toBe('streaming');
    expect(kinds(step)).toContain('open-source');
    expect(kinds(feed(step.state, [READ]))).toEqual([]);
  });
});

describe('a session streams', () => {
  it('STREAM-5: events are numbered from 1 without a hole, under its own epoch', () => {
    const step = feed(streaming(), [source(text('a'), text('b')), source(text('c'))]);
    expect(step.effects).toEqual([
      {
        type: 'append',
        batch: {
          epoch: NOW_MS / 1000,
          firstSeq: 1,
          events: [
            { type: 'delta', text: 'a' },
            { type: 'delta', text: 'b' },
          ],
        },
      },
      {
        type: 'append',
        batch: { epoch: NOW_MS / 1000, firstSeq: 3, events: [{ type: 'delta', text: 'c' }] },
      },
    ]);
  });

  it('a batch without text appends nothing', () => {
    expect(kinds(feed(streaming(), [source(USAGE, text(''), FINISH)]))).toEqual([]);
  });

  it('a pending session takes nothing from a model it never asked', () => {
    expect(kinds(feed(pending(), [source(text('a'))]))).toEqual([]);
  });

  it('STREAM-16: while it streams it goes on waking, so that a restarted host finds it', () => {
    const { state } = feed(streaming(), [WAKE], NOW_MS + 10_000);
    expect(state.status).toBe('streaming');
    expect(state.wakeAtMs).toBe(NOW_MS + 20_000);
  });
});

describe('a session ends', () => {
  it('STREAM-1, STREAM-14: a finished answer is `completed`, with the numbers of the vendor', () => {
    const step = feed(streaming(), [source(text('a'), USAGE, FINISH), ENDED]);
    expect(kinds(step)).toEqual(['append', 'close-source', 'append', 'settle', 'wake-at']);
    expect(eventsOf(step).slice(1)).toEqual([
      { type: 'usage', inputTokens: 3, outputTokens: 4, source: 'provider' },
      { type: 'done', status: 'completed', finishReason: 'stop' },
    ]);
    expect(step.state).toMatchObject({ status: 'completed', finishReason: 'stop' });
    expect(step.state.wakeAtMs).toBe(NOW_MS + 600_000);
  });

  it('STREAM-14: the last running total of each number counts', () => {
    const step = feed(streaming(), [
      source({ type: 'usage', inputTokens: 3, outputTokens: 1 }),
      source({ type: 'usage', outputTokens: 9 }, FINISH),
      ENDED,
    ]);
    expect(step.state.usage).toEqual({ inputTokens: 3, outputTokens: 9, source: 'provider' });
  });

  it('STREAM-14: where a number is missing the text is counted before the end is shown', () => {
    const counting = feed(streaming(), [source(text('a'), FINISH), ENDED]);
    expect(kinds(counting)).toEqual(['append', 'close-source', 'count-tokens']);
    expect(counting.state.status).toBe('streaming');
    const step = feed(counting.state, [COUNTED]);
    expect(kinds(step)).toEqual(['append', 'settle', 'wake-at']);
    expect(step.state.usage).toEqual({ inputTokens: 10, outputTokens: 20, source: 'tokenizer' });
    expect(step.state.status).toBe('completed');
  });

  it('STREAM-14: a vendor that said only the input keeps it, and the output is counted', () => {
    const usage: ModelEvent = { type: 'usage', inputTokens: 3 };
    const step = feed(streaming(), [source(usage, FINISH), ENDED, COUNTED]);
    expect(step.state.usage).toEqual({ inputTokens: 3, outputTokens: 20, source: 'tokenizer' });
  });

  it('STREAM-11: a stream that ends without its end marker is a failure', () => {
    const step = feed(streaming(), [source(text('half'), USAGE), ENDED]);
    expect(step.state).toMatchObject({ status: 'failed', error: { code: 'upstream_failed' } });
    expect(eventsOf(step).at(-1)).toMatchObject({ type: 'error', code: 'upstream_failed' });
  });

  it('STREAM-12: a failure ends with its own code and keeps what was said', () => {
    const step = feed(streaming(), [source(text('half')), FAILED, COUNTED]);
    expect(step.state).toMatchObject({ status: 'failed', error: BROKE, lastSeq: 3 });
    expect(eventsOf(step).map(({ type }) => type)).toEqual(['delta', 'usage', 'error']);
  });

  it('STREAM-13: a cancel stops the model and ends with `done`', () => {
    const step = feed(streaming(), [source(text('half')), { type: 'cancel' }, COUNTED]);
    expect(kinds(step)).toContain('close-source');
    expect(step.state.status).toBe('cancelled');
    expect(eventsOf(step).at(-1)).toEqual({
      type: 'done',
      status: 'cancelled',
      finishReason: null,
    });
  });

  it('STREAM-13: a pending session can be cancelled, and no model is asked', () => {
    const step = feed(pending(), [{ type: 'cancel' }, COUNTED, READ]);
    expect(step.state.status).toBe('cancelled');
    expect(kinds(step)).toEqual(['count-tokens', 'append', 'settle', 'wake-at']);
  });

  it('STREAM-3: one nobody connects to expires, and no model is asked', () => {
    const step = feed(pending(), [WAKE, COUNTED], NOW_MS + 60_000);
    expect(step.state).toMatchObject({ status: 'expired', error: { code: 'expired' } });
    expect(kinds(step)).toEqual(['count-tokens', 'append', 'settle', 'wake-at']);
  });

  it('STREAM-3: a call that comes too early changes nothing', () => {
    const step = feed(pending(), [WAKE], NOW_MS + 59_999);
    expect(step.state.status).toBe('pending');
    expect(step.effects).toEqual([{ type: 'wake-at', atMs: NOW_MS + 60_000 }]);
  });

  it('STREAM-3: a reader that comes while the expiry is counted starts nothing', () => {
    const step = feed(pending(), [WAKE, READ], NOW_MS + 60_000);
    expect(kinds(step)).toEqual(['count-tokens']);
  });

  it('STREAM-1: what comes first decides; what comes while tokens are counted is void', () => {
    const first: SessionInput[] = [source(text('a'), FINISH), ENDED];
    const late: SessionInput[] = [
      { type: 'cancel' },
      { type: 'source-failed', error: BROKE },
      source(text('b')),
      ENDED,
    ];
    const step = feed(streaming(), [...first, ...late, COUNTED, COUNTED, ...late]);
    expect(step.state.status).toBe('completed');
    expect(kinds(step).filter((kind) => kind === 'settle')).toHaveLength(1);
    expect(eventsOf(step).map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
  });

  it('FRAME-6: half a pair at the end becomes U+FFFD before the usage', () => {
    const step = feed(streaming(), [source(text('a\ud83c'), USAGE, FINISH), ENDED]);
    expect(eventsOf(step).slice(0, 2)).toEqual([
      { type: 'delta', text: 'a' },
      { type: 'delta', text: '\uFFFD' },
    ]);
  });

  it('STREAM-4: it is forgotten when its retention is over, and not before', () => {
    const { state } = feed(streaming(), [source(USAGE, FINISH), ENDED]);
    expect(kinds(feed(state, [WAKE], NOW_MS + 599_999))).toEqual(['wake-at']);
    expect(kinds(feed(state, [WAKE], NOW_MS + 600_000))).toEqual(['purge']);
  });
});

describe('the callback', () => {
  it('OUTBOX-1: says the six fields of the seed and how it ended', () => {
    const { state } = feed(streaming(), [source(text('a'), USAGE, FINISH), ENDED]);
    expect(callbackPayload(state, 'a')).toEqual({
      userId: 'u1',
      chatId: 'c1',
      prompt: 'Say hello.',
      answer: 'a',
      input_tokens: 3,
      output_tokens: 4,
      status: 'completed',
      streamId: 's1',
      model: 'echo',
      provider: 'echo',
      finishReason: 'stop',
      usageSource: 'provider',
    });
  });

  it('OUTBOX-1: says `error` after a failure', () => {
    const { state } = feed(streaming(), [FAILED, COUNTED]);
    expect(callbackPayload(state, '')).toMatchObject({ status: 'failed', error: BROKE });
  });
});
