import { describe, expect, it } from 'vitest';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import { createRecordingSubscriber } from '../testing/recording-subscriber.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts';
import { type EnginePorts, type StreamEngine, startEngine } from './engine.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryStore } from './memory-store.ts';
import { RESUME_WAIT_MS, serveSocketReader } from './socket-reader.ts';

/** Lets everything that can happen without time happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await null;
}

async function start(ports: Partial<EnginePorts> = {}) {
  const clock = createVirtualClock();
  const model = createScriptedModel();
  let engine: StreamEngine | undefined;
  engine = await startEngine(
    aNewSession(clock.nowMs()),
    {
      log: createMemoryLog(),
      store: createMemoryStore(),
      outbox: createRecordingOutbox(),
      clock,
      alarm: clock.alarm(async () => engine?.wake()),
      logger: createSilentLogger(),
      provider: () => model.provider,
      countTokens: async (text) => text.length,
      purged: () => undefined,
      ...ports,
    },
    'created',
  );
  return { engine, clock, model };
}

function connect(
  session: Parameters<typeof serveSocketReader>[0],
  clock: VirtualClock,
  after?: { epoch: number; seq: number },
) {
  const subscriber = createRecordingSubscriber();
  const failures: unknown[] = [];
  const reader = serveSocketReader(
    session,
    {
      subscriber,
      nowMs: clock.nowMs,
      later(ms, run) {
        const alarm = clock.alarm(run);
        alarm.set(clock.nowMs() + ms);
        return () => alarm.set(undefined);
      },
      failed: (thrown) => failures.push(thrown),
    },
    after,
  );
  const say = (message: object) => reader.received(JSON.stringify(message));
  /** Numbers of the events; a word to this reader alone, as a pong, has none. */
  const seqs = () =>
    subscriber.events().flatMap(({ id = '' }) => (id === '' ? [] : [Number(id.split('-')[1])]));
  return { subscriber, reader, failures, say, seqs };
}

/** A stream with three events, of which the first reader has seen all. */
async function startSpeaking() {
  const stream = await start();
  const first = connect(stream.engine, stream.clock);
  for (const text of ['one ', 'two ', 'three ']) stream.model.text(text);
  await settle();
  const epoch = Number.parseInt(first.subscriber.events()[0]?.id.split('-')[0] ?? '', 36);
  return { ...stream, first, epoch, idOf: (seq: number) => `${epoch.toString(36)}-${seq}` };
}

describe('beginning', () => {
  it('SOCKET-3: a fresh stream starts at once', async () => {
    const { engine, clock, model } = await start();
    connect(engine, clock);
    await settle();
    expect(model.requests).toHaveLength(1);
  });

  it('SOCKET-3: a reader with an id goes on after it at once', async () => {
    const { engine, clock, epoch } = await startSpeaking();
    const { seqs } = connect(engine, clock, { epoch, seq: 1 });
    expect(seqs()).toEqual([2, 3]);
  });

  it('SOCKET-3: a reader without an id gets everything, 100 ms after it came to a stream under way', async () => {
    const { engine, clock, model } = await startSpeaking();
    const { subscriber, seqs } = connect(engine, clock);
    await clock.advance(RESUME_WAIT_MS - 1);
    expect(seqs()).toEqual([]);
    model.text('four');
    await settle();
    await clock.advance(1);
    expect(seqs()).toEqual([1, 2, 3, 4]);
    expect(subscriber.text()).toBe('one two three four');
  });

  it('SOCKET-3: a resume within 100 ms brings what comes after its id, and nothing before', async () => {
    const { engine, clock, model, idOf } = await startSpeaking();
    const { say, seqs } = connect(engine, clock);
    say({ type: 'ping' });
    say({ type: 'resume', after: idOf(2) });
    await clock.advance(RESUME_WAIT_MS);
    model.text('four');
    await settle();
    expect(seqs()).toEqual([3, 4]);
  });

  it('SOCKET-3: a reader that leaves while it waits is never attached', async () => {
    const { engine, clock } = await startSpeaking();
    const { reader } = connect(engine, clock);
    reader.left();
    await clock.advance(RESUME_WAIT_MS);
    expect(engine.readerCount).toBe(1);
  });
});

describe('resuming', () => {
  it('SOCKET-4: in mid-stream it repeats what was asked for, then goes on without a seam', async () => {
    const { engine, model, first, idOf } = await startSpeaking();
    first.say({ type: 'resume', after: idOf(1) });
    model.text('four');
    await settle();
    expect(first.seqs()).toEqual([1, 2, 3, 2, 3, 4]);
    expect(engine.readerCount).toBe(1);
  });

  it('SOCKET-4: while a replay waits for the reader, only the newest resume is served', async () => {
    const { engine, clock, model, idOf } = await startSpeaking();
    model.text('x'.repeat(100_000));
    await settle();
    const { subscriber, say, seqs } = connect(engine, clock, { epoch: 0, seq: 0 });
    subscriber.stall();
    say({ type: 'resume', after: idOf(0) });
    say({ type: 'resume', after: idOf(2) });
    subscriber.take();
    await settle();
    expect(seqs().slice(-2)).toEqual([3, 4]);
    const before = seqs().length;
    model.text('five');
    await settle();
    expect(seqs().slice(before)).toEqual([5]);
  });

  it('SOCKET-4: an id of another epoch, or one that does not exist, starts again from the first event', async () => {
    const { first, idOf, epoch } = await startSpeaking();
    for (const after of [idOf(99), `${(epoch + 1).toString(36)}-2`]) {
      first.say({ type: 'resume', after });
      await settle();
      expect(first.seqs().slice(-3)).toEqual([1, 2, 3]);
      expect(first.subscriber.events().at(-4)).toMatchObject({ type: 'restart' });
    }
  });

  it('SOCKET-5: after the final event there is nothing left, and the socket is closed in order', async () => {
    const { engine, clock, model, idOf } = await startSpeaking();
    model.say({ type: 'finish', reason: 'stop' });
    model.end();
    await settle();
    const { subscriber, say } = connect(engine, clock);
    say({ type: 'resume', after: idOf(5) });
    expect(subscriber).toMatchObject({ ended: true, endError: undefined, frames: [] });
  });
});

describe('cancelling', () => {
  it('SOCKET-5: it stops the model, and every reader gets `done` with status cancelled', async () => {
    const { engine, clock, model, first } = await startSpeaking();
    const { subscriber, say } = connect(engine, clock);
    say({ type: 'cancel' });
    say({ type: 'cancel' });
    await settle();
    expect(model.aborted).toBe(true);
    for (const reader of [subscriber, first.subscriber]) {
      expect(reader.text()).toBe('one two three ');
      expect(reader.events().at(-1)).toMatchObject({ type: 'done', status: 'cancelled' });
      expect(reader).toMatchObject({ ended: true, endError: undefined });
    }
  });

  it('SOCKET-5: a cancel that fails ends the reader with an error', async () => {
    const { engine, clock } = await startSpeaking();
    const cancel = async () => {
      throw new Error('no');
    };
    const session = { ...engine, status: engine.status, cancel };
    const { subscriber, say, failures } = connect(session, clock);
    say({ type: 'cancel' });
    await settle();
    expect(subscriber.endError).toMatchObject({ code: 'processing_failed' });
    expect(failures).toHaveLength(1);
  });
});

describe('refusing', () => {
  it('SOCKET-6: a bad message ends its reader with its code, and no other reader notices', async () => {
    const { engine, clock, model, first } = await startSpeaking();
    for (const message of [undefined, 'hello', '{"type":"dance"}', 'x'.repeat(5000)]) {
      const { subscriber, reader } = connect(engine, clock, { epoch: 0, seq: 0 });
      reader.received(message);
      expect(subscriber.endError?.code).toBe('validation_failed');
      reader.received('{"type":"resume"}');
    }
    expect(engine.readerCount).toBe(1);
    model.text('four');
    await settle();
    expect(first.seqs()).toEqual([1, 2, 3, 4]);
  });

  it('SOCKET-7: the 21st message of a second ends its reader', async () => {
    const { first } = await startSpeaking();
    for (let sent = 0; sent < 20; sent += 1) first.say({ type: 'ping' });
    expect(first.subscriber.frames.filter((frame) => frame.includes('pong'))).toHaveLength(20);
    first.say({ type: 'ping' });
    expect(first.subscriber.endError?.code).toBe('rate_limited');
  });

  it('SOCKET-6: a stream that has no room for the reader tells it so', async () => {
    const { engine, clock } = await start({ maxReaders: 1 });
    const first = connect(engine, clock);
    const { subscriber } = connect(engine, clock);
    await clock.advance(RESUME_WAIT_MS);
    expect(subscriber.endError?.code).toBe('rate_limited');
    first.say({ type: 'resume' });
    expect(first.subscriber.ended).toBe(false);
  });
});

it('SOCKET-5: a session that another host takes over does not pass for one that has ended', async () => {
  const { engine, first } = await startSpeaking();
  engine.handOver();
  expect(first.subscriber.endError?.code).toBe('unavailable');
});
