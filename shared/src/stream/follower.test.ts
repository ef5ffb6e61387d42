import { describe, expect, it } from 'vitest';
import { createRecordingSubscriber } from '../testing/recording-subscriber.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { EventPosition, StreamEvent } from './event.ts';
import { createFollower, type Follower, type FollowerPorts } from './follower.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryStore } from './memory-store.ts';
import type { SessionState } from './session-state.ts';

/** Lets everything that can happen without time happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await null;
}

const delta = (text: string): StreamEvent => ({ type: 'delta', text });
const USAGE: StreamEvent = { type: 'usage', inputTokens: 1, outputTokens: 2, source: 'provider' };
const DONE: StreamEvent = { type: 'done', status: 'completed', finishReason: 'stop' };

/** An owner somewhere else: what it writes, and the hints it may give or lose. */
async function follow(changes: Partial<FollowerPorts> = {}, status?: SessionState['status']) {
  const clock = createVirtualClock();
  const log = createMemoryLog();
  const store = createMemoryStore();
  const session = aNewSession(clock.nowMs());
  const first: SessionState = status === undefined ? session : { ...session, status };
  let state = first;
  await store.save(state);
  let epoch = state.epoch;
  let seq = 0;
  let hint: ((head?: EventPosition) => void) | undefined;
  const readerCounts: number[] = [];
  const cancels: number[] = [];
  const reads = { count: 0 };
  let follower: Follower | undefined;
  const alarm = clock.alarm(async () => follower?.wake());
  const ports: FollowerPorts = {
    log: {
      head: () => log.head(),
      read(after, limit) {
        reads.count += 1;
        return log.read(after, limit);
      },
    },
    store,
    delivery: () => ({ status: 'pending', attempts: 1 }),
    clock,
    alarm,
    logger: createSilentLogger(),
    watch(onHint) {
      hint = onHint;
      return () => {
        hint = undefined;
      };
    },
    readers: (count) => readerCounts.push(count),
    askToCancel: () => cancels.push(clock.nowMs()),
    ...changes,
  };
  const owner = {
    say(...events: StreamEvent[]) {
      log.append({ epoch, firstSeq: seq + 1, events });
      seq += events.length;
    },
    again() {
      epoch += 1;
      seq = 0;
      owner.say({ type: 'restart', reason: 'unavailable', model: 'echo' });
    },
    tell: () => hint?.({ epoch, seq }),
    save(next: Partial<SessionState>) {
      state = { ...state, epoch, lastSeq: seq, ...next };
      store.save(state);
    },
    tellState: () => hint?.(),
    drop() {
      log.drop();
      store.drop();
    },
  };
  async function open(): Promise<Follower> {
    follower = await createFollower(ports);
    if (follower === undefined) throw new Error('no such stream');
    return follower;
  }
  return {
    clock,
    log,
    store,
    owner,
    open,
    ports,
    readerCounts,
    cancels,
    reads,
    alarm,
    isWatched: () => hint !== undefined,
  };
}

describe('a follower', () => {
  it('CLUSTER-1: early, late and resumed readers have the same events, once, in order', async () => {
    const { owner, open, clock } = await follow();
    owner.say(delta('one '), delta('two '));
    const follower = await open();
    const early = createRecordingSubscriber();
    follower.attach(early, 0);
    await settle();
    owner.say(delta('three '));
    owner.tell();
    await settle();
    expect(early.text()).toBe('one two three ');
    const late = createRecordingSubscriber('sse-json');
    follower.attach(late, 0);
    expect(follower.decide({ epoch: aNewSession(clock.nowMs()).epoch, seq: 2 })).toEqual({
      type: 'read',
      afterSeq: 2,
    });
    const resumed = createRecordingSubscriber();
    follower.attach(resumed, 2);
    owner.say(delta('four'), USAGE, DONE);
    owner.save({ status: 'completed' });
    owner.tell();
    await settle();
    expect(early.text()).toBe('one two three four');
    expect(early.events().map(({ type }) => type)).toEqual([
      ...Array(4).fill('delta'),
      'usage',
      'done',
    ]);
    expect(late.events()).toEqual(early.events());
    expect(resumed.events()).toEqual(early.events().slice(2));
    for (const reader of [early, late, resumed]) {
      expect(reader).toMatchObject({ ended: true, endError: undefined });
    }
    expect(follower.status).toBe('completed');
  });

  it('CLUSTER-9: the final event is shown only once the end is kept', async () => {
    const { owner, open } = await follow();
    owner.say(delta('a'));
    const follower = await open();
    const reader = createRecordingSubscriber();
    follower.attach(reader, 0);
    await settle();
    owner.say(USAGE, DONE);
    owner.tell();
    await settle();
    expect(reader.events().map(({ type }) => type)).toEqual(['delta', 'usage']);
    const during = await open();
    const other = createRecordingSubscriber();
    during.attach(other, 0);
    await settle();
    expect(other.ended).toBe(false);
    owner.save({ status: 'completed' });
    owner.tellState();
    await settle();
    expect(other.ended).toBe(true);
    expect(other.events().map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
  });

  it('CLUSTER-10: a lost hint costs a second, not an event', async () => {
    const { owner, open, clock } = await follow();
    const follower = await open();
    const reader = createRecordingSubscriber();
    follower.attach(reader, 0);
    await settle();
    owner.say(delta('silent'));
    await settle();
    expect(reader.text()).toBe('');
    await clock.advance(1_000);
    expect(reader.text()).toBe('silent');
    owner.say(USAGE, DONE);
    owner.save({ status: 'completed' });
    await clock.advance(1_000);
    expect(reader.ended).toBe(true);
  });

  it('CLUSTER-10: a hint that says where the log ends costs one read', async () => {
    const { owner, open, reads } = await follow();
    const follower = await open();
    follower.attach(createRecordingSubscriber(), 0);
    await settle();
    const before = reads.count;
    for (let at = 0; at < 10; at += 1) {
      owner.say(delta('x'));
      owner.tell();
      await settle();
    }
    expect(reads.count - before).toBe(10);
  });

  it('STREAM-20: after a restart every reader goes on from the first event of the new epoch', async () => {
    const { owner, open } = await follow();
    owner.say(delta('old '), delta('words'));
    const follower = await open();
    const live = createRecordingSubscriber();
    follower.attach(live, 0);
    await settle();
    owner.again();
    owner.say(delta('new'));
    owner.tell();
    const late = createRecordingSubscriber();
    follower.attach(late, 2);
    await settle();
    owner.say(USAGE, DONE);
    owner.save({ status: 'completed' });
    owner.tell();
    await settle();
    expect(live.events().map(({ type }) => type)).toEqual([
      'delta',
      'delta',
      'restart',
      'delta',
      'usage',
      'done',
    ]);
    expect(late.events()).toEqual(live.events().slice(2));
    expect(live.events().at(-1)?.id).toMatch(/-4$/);
  });

  it('CLUSTER-3: a late reader waits for events that a crash has lost and the owner writes again', async () => {
    const { owner, open, log, clock } = await follow();
    owner.say(delta('a'), delta('b'), delta('c'));
    const { epoch } = await log.head();
    const follower = await open();
    const live = createRecordingSubscriber();
    follower.attach(live, 0);
    await settle();
    log.drop();
    log.append({ epoch, firstSeq: 1, events: [delta('a')] });
    const late = createRecordingSubscriber();
    follower.attach(late, 0);
    await settle();
    await clock.advance(2_000);
    expect(late.ended).toBe(false);
    log.append({ epoch, firstSeq: 2, events: [delta('b'), delta('c')] });
    await clock.advance(1_000);
    await settle();
    owner.say(delta('d'));
    owner.tell();
    await settle();
    expect(late.text()).toBe('abcd');
    expect(live.text()).toBe('abcd');
  });

  it('CLUSTER-11: tells how many readers it has, and rests without any', async () => {
    const { open, readerCounts, alarm, isWatched } = await follow();
    const follower = await open();
    expect(isWatched()).toBe(false);
    const readers = [createRecordingSubscriber(), createRecordingSubscriber()];
    for (const reader of readers) follower.attach(reader, 0);
    await settle();
    expect([isWatched(), follower.readerCount]).toEqual([true, 2]);
    for (const reader of readers) follower.detach(reader);
    expect(readerCounts).toEqual([1, 2, 1, 0]);
    expect([isWatched(), alarm.atMs]).toEqual([false, undefined]);
  });

  it('CLUSTER-12: a cancel is asked for until the end is kept', async () => {
    const { owner, open, clock, cancels } = await follow({}, 'streaming');
    owner.say(delta('a'));
    const follower = await open();
    let isOver = false;
    const over = follower.cancel().then(() => {
      isOver = true;
    });
    for (let second = 0; second < 3; second += 1) {
      await settle();
      await clock.advance(1_000);
    }
    expect(cancels.length).toBeGreaterThanOrEqual(3);
    expect(isOver).toBe(false);
    owner.say(USAGE, { type: 'done', status: 'cancelled', finishReason: null });
    owner.save({ status: 'cancelled' });
    owner.tellState();
    await over;
    expect(follower.status).toBe('cancelled');
    const asked = cancels.length;
    await follower.cancel();
    expect(cancels).toHaveLength(asked);
  });

  it('CLUSTER-12: a cancel that no owner hears of fails with `unavailable`', async () => {
    const { open, clock, alarm } = await follow({}, 'streaming');
    const follower = await open();
    const refused = expect(follower.cancel()).rejects.toMatchObject({ code: 'unavailable' });
    for (let second = 0; second < 12; second += 1) {
      await settle();
      await clock.advance(1_000);
    }
    await refused;
    expect(alarm.atMs).toBeUndefined();
  });

  it('CLUSTER-9: a stream that ended without a final event ends its readers with its error', async () => {
    const { owner, open, clock } = await follow({}, 'streaming');
    owner.say(delta('a'));
    const follower = await open();
    const reader = createRecordingSubscriber();
    follower.attach(reader, 0);
    await settle();
    const error = { code: 'processing_failed', message: 'Not kept.' } as const;
    owner.save({ status: 'failed', error });
    await clock.advance(1_000);
    expect(reader).toMatchObject({ ended: true, endError: error });
    const late = createRecordingSubscriber();
    (await open()).attach(late, 0);
    await settle();
    expect(late.text()).toBe('a');
    expect(late).toMatchObject({ ended: true, endError: error });
  });

  it('STREAM-9: an ended stream is served from the log, and has nothing left after its end', async () => {
    const { owner, open, isWatched } = await follow();
    owner.say(delta('a'), USAGE, DONE);
    owner.save({ status: 'completed' });
    const follower = await open();
    const reader = createRecordingSubscriber();
    follower.attach(reader, 0);
    await settle();
    expect(reader).toMatchObject({ ended: true, endError: undefined });
    expect(reader.text()).toBe('a');
    expect(isWatched()).toBe(false);
    expect(follower.decide({ epoch: 1, seq: 1 })).toEqual({ type: 'gap' });
    expect(await follower.view()).toMatchObject({
      status: 'completed',
      text: 'a',
      lastEventSeq: 3,
      callback: { status: 'pending' },
    });
    const { epoch } = aNewSession(Date.UTC(2030, 0, 1));
    expect(follower.decide({ epoch, seq: 3 })).toEqual({ type: 'nothing-left' });
  });

  it('STREAM-4: a forgotten stream has no follower, and one that it had finds nothing', async () => {
    const { owner, open, ports } = await follow();
    owner.say(delta('a'), USAGE, DONE);
    owner.save({ status: 'completed' });
    const follower = await open();
    expect(await follower.refresh()).toBe(true);
    owner.drop();
    expect(await follower.refresh()).toBe(false);
    expect(await createFollower(ports)).toBeUndefined();
  });

  it('CLUSTER-1: a follower that is full of readers says so', async () => {
    const { open } = await follow({ maxReaders: 1 });
    const follower = await open();
    follower.attach(createRecordingSubscriber(), 0);
    expect(() => follower.decide(undefined)).toThrow(
      expect.objectContaining({ code: 'rate_limited' }),
    );
  });
});
