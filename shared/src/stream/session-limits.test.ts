import { describe, expect, it } from 'vitest';
import {
  COUNTED,
  ENDED,
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
import type { SessionState } from './session-state.ts';

const leaving = (onDisconnect: 'cancel' | 'drain' | 'continue', graceMs = 3000) =>
  feed(streaming({ onDisconnect, graceMs }), [source(text('a')), LEFT]);

const wakeAt = (state: SessionState, afterMs: number) => feed(state, [WAKE], NOW_MS + afterMs);

describe('readers that leave', () => {
  it('STREAM-15: change nothing by default', () => {
    const step = leaving('continue');
    expect(kinds(step)).toEqual(['append']);
    expect(step.state.abandonedAtMs).toBeUndefined();
    expect(wakeAt(step.state, 60_000).state.status).toBe('streaming');
  });

  it('STREAM-22: end the session as cancelled when the grace time is over, and not before', () => {
    const step = leaving('cancel');
    expect(step.effects.at(-1)).toEqual({ type: 'wake-at', atMs: NOW_MS + 3000 });
    expect(kinds(wakeAt(step.state, 2999))).toEqual(['wake-at']);
    const gone = wakeAt(step.state, 3000);
    expect(kinds(gone)).toEqual(['close-source', 'count-tokens']);
    expect(feed(gone.state, [COUNTED]).state.status).toBe('cancelled');
  });

  it('STREAM-22: a grace time longer than a watch is waited for in parts', () => {
    let { state } = leaving('cancel', 25_000);
    for (const afterMs of [10_000, 20_000]) state = wakeAt(state, afterMs).state;
    expect(state.wakeAtMs).toBe(NOW_MS + 25_000);
    expect(wakeAt(state, 25_000).state.ending).toEqual({ status: 'cancelled' });
  });

  it('STREAM-22: one that comes back in time changes nothing, and the next to leave has the whole grace', () => {
    const back = feed(leaving('cancel').state, [READ], NOW_MS + 2000).state;
    expect(wakeAt(back, 3000).state.ending).toBeUndefined();
    const left = feed(back, [LEFT], NOW_MS + 2500).state;
    expect(wakeAt(left, 5499).state.ending).toBeUndefined();
    expect(wakeAt(left, 5500).state.ending).toEqual({ status: 'cancelled' });
  });

  it('STREAM-22: hearing twice that nobody is there does not begin the grace time again', () => {
    const again = feed(leaving('cancel').state, [LEFT], NOW_MS + 2000).state;
    expect(wakeAt(again, 3000).state.ending).toEqual({ status: 'cancelled' });
  });

  it('STREAM-22: a session that nobody has read yet is not abandoned', () => {
    const state = pending({ start: 'now', onDisconnect: 'cancel', graceMs: 1000 });
    const step = feed(state, [LEFT, WAKE], NOW_MS + 30_000);
    expect(step.state).toMatchObject({ status: 'streaming' });
    expect(step.state.ending).toBeUndefined();
  });

  it('STREAM-23: leave a drained session with what was said, and with the numbers of the vendor', () => {
    const drained = wakeAt(leaving('drain').state, 3000);
    expect(kinds(drained)).toEqual(['save', 'wake-at']);
    const late = source(
      text('more'),
      { type: 'tool_call', index: 0, arguments: '{}' },
      USAGE,
      FINISH,
    );
    const end = feed(drained.state, [late, ENDED]);
    expect(eventsOf(end)).toEqual([
      { type: 'usage', inputTokens: 3, outputTokens: 4, source: 'provider' },
      { type: 'done', status: 'cancelled', finishReason: null },
    ]);
    expect(end.state.status).toBe('cancelled');
  });

  it('STREAM-23: a reader that comes while it drains sees the same end', () => {
    const drained = wakeAt(leaving('drain').state, 3000).state;
    const end = feed(drained, [READ, source(text('b'), USAGE), ENDED]);
    expect(eventsOf(end).map(({ type }) => type)).toEqual(['usage', 'done']);
  });

  it('STREAM-23: a vendor that fails while it drains ends it as cancelled, without another model', () => {
    const drained = wakeAt(leaving('drain').state, 3000).state;
    const targets = [drained.request.targets[0], drained.request.targets[0]] as const;
    const state: SessionState = { ...drained, request: { ...drained.request, targets } };
    const step = feed(state, [FAILED, COUNTED]);
    expect(kinds(step)).not.toContain('open-source');
    expect(step.state).toMatchObject({ status: 'cancelled', usage: { source: 'tokenizer' } });
    expect(step.state.error).toBeUndefined();
  });
});

describe('an answer that is too long', () => {
  const limited = (maxAnswerBytes: number) => streaming({ maxAnswerBytes });

  it.each([
    ['ASCII', ['abcd'], 4],
    ['two bytes each', ['éé'], 4],
    ['three bytes each', ['漢'], 3],
    ['a pair', ['\u{1F30A}'], 4],
    ['a pair cut in two', ['\ud83c', '\udf0a'], 4],
  ])(
    'STREAM-24: %s may be exactly as long as the limit, and not a byte longer',
    (_, pieces, bytes) => {
      const inputs = pieces.map((piece) => source(text(piece)));
      expect(feed(limited(bytes), inputs).state.ending).toBeUndefined();
      expect(feed(limited(bytes - 1), inputs).state.ending?.error?.code).toBe('payload_too_large');
    },
  );

  it('STREAM-24: fails, keeps what fitted, stops the model and falls back to none', () => {
    const state = limited(3);
    const targets = [state.request.targets[0], state.request.targets[0]] as const;
    const step = feed({ ...state, request: { ...state.request, targets } }, [
      source(text('ab'), text('cd'), text('e')),
      COUNTED,
    ]);
    expect(kinds(step)).toEqual([
      'append',
      'close-source',
      'count-tokens',
      'append',
      'settle',
      'wake-at',
    ]);
    expect(eventsOf(step)).toMatchObject([
      { type: 'delta', text: 'ab' },
      { type: 'usage' },
      { type: 'error', code: 'payload_too_large' },
    ]);
  });

  it('STREAM-24: the arguments of tool calls count', () => {
    const call = { type: 'tool_call', index: 0, arguments: '{"a":1}' } as const;
    expect(feed(limited(7), [source(call)]).state.ending).toBeUndefined();
    expect(feed(limited(7), [source(call, text('x'))]).state.ending?.status).toBe('failed');
  });

  it('STREAM-20, STREAM-24: an answer that begins again has the whole length again', () => {
    const state = limited(3);
    const targets = [state.request.targets[0], state.request.targets[0]] as const;
    const step = feed({ ...state, request: { ...state.request, targets } }, [
      source(text('abc')),
      FAILED,
      source(text('def')),
    ]);
    expect(step.state.ending).toBeUndefined();
  });
});

it('STREAM-27: the pieces of a tool call are events, in their order with the text', () => {
  const piece = { type: 'tool_call', index: 0, id: 'call_1', name: 'look', arguments: '' } as const;
  const more = { type: 'tool_call', index: 0, arguments: '{"a"' } as const;
  const step = feed(streaming(), [source(text('a'), piece), source(more, text('b'))]);
  expect(eventsOf(step)).toEqual([
    { type: 'delta', text: 'a' },
    piece,
    more,
    { type: 'delta', text: 'b' },
  ]);
});
