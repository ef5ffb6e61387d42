import { describe, expect, it } from 'vitest';
import {
  BROKE,
  batchesOf,
  COUNTED,
  ENDED,
  EPOCH,
  eventsOf,
  FAILED,
  FINISH,
  feed,
  kinds,
  LEFT,
  NOW_MS,
  pending,
  READ,
  source,
  streaming,
  text,
  USAGE,
  WAKE,
} from '../testing/session-feed.ts';
import { aNewSession, anEchoTarget } from '../testing/session-fixtures.ts';
import { callbackPayload } from './callback-payload.ts';
import type { StreamEvent } from './event.ts';
import type { SessionInput, SessionState } from './session-state.ts';

const LOST = { epoch: 0, seq: 0 };
const LATER_MS = NOW_MS + 5000;
const TWO = [anEchoTarget('first'), anEchoTarget('second')] as const;

const restored = (
  state: SessionState,
  input: Partial<Extract<SessionInput, { type: 'restored' }>> = {},
  nowMs = LATER_MS,
) => feed(state, [{ log: LOST, ...input, type: 'restored' }], nowMs);

describe('a restarted host', () => {
  it('STREAM-16: lets a pending one go on waiting for the rest of its TTL', () => {
    const step = restored(pending());
    expect(step.state.status).toBe('pending');
    expect(step.effects).toEqual([{ type: 'wake-at', atMs: NOW_MS + 60_000 }]);
  });

  it('STREAM-2, STREAM-16: asks for one that was to start at once, and died before it was noted', () => {
    const step = restored(aNewSession(NOW_MS, { start: 'now' }));
    expect(step.state).toMatchObject({ status: 'streaming', revivals: 0 });
    expect(step.effects).toContainEqual({ type: 'open-source' });
  });

  it('STREAM-16, STREAM-20: begins one again that was being answered, under a later epoch', () => {
    const step = restored(feed(streaming(), [source(text('a\ud83c'), USAGE)]).state);
    expect(kinds(step)).toEqual(['append', 'save', 'wake-at', 'open-source']);
    expect(batchesOf(step)).toEqual([
      {
        epoch: EPOCH + 5,
        firstSeq: 1,
        events: [{ type: 'restart', reason: 'unavailable', model: 'echo' }],
      },
    ]);
    expect(step.state).toMatchObject({ status: 'streaming', lastSeq: 1, heldText: '' });
    const end = feed(step.state, [source(text('b'), FINISH), ENDED, COUNTED], LATER_MS);
    expect(eventsOf(end).map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
    expect(end.state.usage?.source).toBe('tokenizer');
  });

  it('STREAM-5, STREAM-20: an epoch is later than every one before it, however the clock stands', () => {
    expect(restored(streaming(), {}, NOW_MS - 60_000).state.epoch).toBe(EPOCH + 1);
    const log = { epoch: EPOCH + 90, seq: 3 };
    expect(restored(streaming(), { log }).state.epoch).toBe(EPOCH + 91);
  });

  it('STREAM-16: begins again twice, and the third time it fails', () => {
    const twice = restored(restored(streaming()).state).state;
    expect(twice).toMatchObject({ status: 'streaming', revivals: 2 });
    const step = feed(restored(twice).state, [COUNTED], LATER_MS);
    expect(step.state).toMatchObject({ status: 'failed', error: { code: 'upstream_failed' } });
    const given = restored(twice);
    expect(kinds(given)).toEqual(['append', 'close-source', 'count-tokens']);
    expect(eventsOf(given)).toMatchObject([{ type: 'restart' }]);
  });

  it('STREAM-12, STREAM-16: where the log has what was said, giving up keeps it', () => {
    const state: SessionState = { ...streaming(), revivals: 2 };
    const given = restored(state, { log: { epoch: EPOCH, seq: 7 } });
    expect(kinds(given)).toEqual(['close-source', 'count-tokens']);
    expect(batchesOf(feed(given.state, [COUNTED]))).toMatchObject([{ epoch: EPOCH, firstSeq: 8 }]);
  });

  it('STREAM-16: an answer that was left for more than 15 minutes is not begun again', () => {
    const lastMs = streaming().wakeAtMs + 15 * 60_000;
    expect(kinds(restored(streaming(), {}, lastMs))).toContain('open-source');
    expect(kinds(restored(streaming(), {}, lastMs + 1))).not.toContain('open-source');
  });

  it('STREAM-16: a count that was on its way is void, and the answer begins again', () => {
    const { state } = feed(streaming(), [source(FINISH), ENDED]);
    const step = restored(state);
    expect(step.state.ending).toBeUndefined();
    expect(kinds(step)).toContain('open-source');
  });

  it('STREAM-16: keeps the end that the log has, and calls home again', () => {
    const usage = { inputTokens: 3, outputTokens: 4, source: 'provider' } as const;
    const step = restored(streaming(), {
      log: { epoch: EPOCH, seq: 7 },
      final: { usage, event: { type: 'done', status: 'completed', finishReason: 'length' } },
    });
    expect(step.state).toMatchObject({ status: 'completed', usage, finishReason: 'length' });
    expect(kinds(step)).toEqual(['settle', 'wake-at']);
  });

  it('STREAM-16: takes an expiry in the log for an expiry, and any other error for a failure', () => {
    const usage = { inputTokens: 0, outputTokens: 0, source: 'tokenizer' } as const;
    const expired: StreamEvent = { type: 'error', code: 'expired', message: 'Nobody came.' };
    const broke: StreamEvent = { type: 'error', ...BROKE };
    const found = (state: SessionState, event: StreamEvent) =>
      restored(state, { log: { epoch: EPOCH, seq: 2 }, final: { usage, event } }).state;
    expect(found(pending(), expired)).toMatchObject({
      status: 'expired',
      error: { code: 'expired' },
    });
    expect(found(streaming(), broke)).toMatchObject({ status: 'failed', error: BROKE });
  });

  it('STREAM-4, STREAM-16: keeps an ended one for the rest of its retention', () => {
    const { state } = feed(streaming(), [source(USAGE, FINISH), ENDED]);
    const step = restored(state, { log: { epoch: EPOCH, seq: 2 } });
    expect(step.state.status).toBe('completed');
    expect(step.effects).toEqual([{ type: 'wake-at', atMs: NOW_MS + 600_000 }]);
  });

  it('STREAM-22: looks for its readers within the grace time, and gives up one that nobody came back to', () => {
    const state = streaming({ onDisconnect: 'cancel', graceMs: 2000 });
    const step = restored(state);
    expect(step.state.wakeAtMs).toBe(LATER_MS + 2000);
    expect(kinds(feed(step.state, [WAKE], LATER_MS + 2000))).toContain('close-source');
    expect(feed(step.state, [READ, WAKE], LATER_MS + 2000).state.ending).toBeUndefined();
  });

  it('STREAM-22: one that nobody ever read is not abandoned by a restart, one that was read is', () => {
    const changes = { start: 'now', onDisconnect: 'cancel' } as const;
    const unread = pending(changes);
    expect(restored(unread).state.abandonedAtMs).toBeUndefined();
    const read = feed(unread, [READ]);
    expect(kinds(read)).toEqual(['save']);
    expect(restored(read.state).state.abandonedAtMs).toBe(LATER_MS);
  });

  it('STREAM-23: what was drained is the answer where the log has it, and else begins again', () => {
    const state: SessionState = { ...streaming({ onDisconnect: 'drain' }), draining: true };
    const kept = restored(state, { log: { epoch: EPOCH, seq: 3 } });
    expect(kept.state.ending).toEqual({ status: 'cancelled' });
    const lost = restored(state);
    expect(lost.state.draining).toBeUndefined();
    expect(eventsOf(feed(lost.state, [source(text('b'))]))).toEqual([{ type: 'delta', text: 'b' }]);
  });
});

describe('a model that fails', () => {
  it('STREAM-21: before a word of it was shown, the next one takes over unnoticed', () => {
    const before = source({ type: 'usage', inputTokens: 9, outputTokens: 9 }, text('\ud83c'));
    const step = feed(streaming({ targets: TWO }), [before, FAILED]);
    expect(kinds(step)).toEqual(['save', 'wake-at', 'open-source']);
    expect(step.state).toMatchObject({ epoch: EPOCH, targetAt: 1, heldText: '', answerBytes: 0 });
    const end = feed(step.state, [source(text('b'), FINISH), ENDED, COUNTED]);
    expect(batchesOf(end)[0]).toMatchObject({ epoch: EPOCH, firstSeq: 1 });
    expect(end.state.usage).toMatchObject({ source: 'tokenizer' });
    expect(callbackPayload(end.state, 'b')).toMatchObject({ model: 'second' });
  });

  it('STREAM-20, STREAM-21: after a word of it, the next one begins again', () => {
    const step = feed(streaming({ targets: TWO }), [source(text('a'), USAGE), FAILED]);
    expect(kinds(step)).toEqual(['append', 'append', 'save', 'wake-at', 'open-source']);
    expect(batchesOf(step)[1]).toEqual({
      epoch: EPOCH + 1,
      firstSeq: 1,
      events: [{ type: 'restart', reason: 'upstream_failed', model: 'second' }],
    });
    expect(step.state.vendorInputTokens).toBeUndefined();
  });

  it('STREAM-11, STREAM-21: one that stops without its end marker is followed by the next', () => {
    const step = feed(streaming({ targets: TWO }), [source(text('half')), ENDED]);
    expect(step.state).toMatchObject({ status: 'streaming', targetAt: 1, epoch: EPOCH + 1 });
  });

  it('STREAM-28: what must not begin again fails after a word of it, and asks nobody else', () => {
    const asked = pending({ targets: TWO, mayRestart: false });
    const unseen = feed(asked, [READ, FAILED]);
    expect(kinds(unseen)).toContain('open-source');
    expect(unseen.state).toMatchObject({ status: 'streaming', targetAt: 1 });
    const seen = feed(asked, [READ, source(text('a')), FAILED, COUNTED]);
    expect(seen.state).toMatchObject({ status: 'failed', targetAt: 0, error: BROKE });
  });

  it('STREAM-28: what is not kept is not begun again by another host', () => {
    const answering = feed(pending({ isKept: false }), [READ, source(text('a'))]).state;
    const step = restored(answering);
    expect(kinds(step)).not.toContain('open-source');
    expect(feed(step.state, [COUNTED]).state).toMatchObject({ status: 'failed' });
  });

  it('STREAM-12, STREAM-21: the failure of the last one is the end, with what it said', () => {
    const states = feed(streaming({ targets: TWO }), [source(text('a')), FAILED]).state;
    const end = feed(states, [source(text('b')), FAILED, COUNTED]);
    expect(end.state).toMatchObject({ status: 'failed', error: BROKE });
    expect(eventsOf(end).map(({ type }) => type)).toEqual(['delta', 'usage', 'error']);
  });

  it('STREAM-18: an interrupt does not fall back', () => {
    const step = feed(streaming({ targets: TWO }), [{ type: 'interrupt', error: BROKE }]);
    expect(kinds(step)).toEqual(['close-source', 'count-tokens']);
  });

  it('STREAM-22: the grace time of its readers goes on while another takes over', () => {
    const state = streaming({ targets: TWO, onDisconnect: 'cancel', graceMs: 3000 });
    const left = feed(state, [LEFT]).state;
    expect(feed(left, [FAILED], NOW_MS + 2000).state.wakeAtMs).toBe(NOW_MS + 3000);
  });
});
