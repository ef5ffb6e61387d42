import { describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { type AwkwardLog, createAwkwardLog } from '../testing/awkward-log.ts';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import { createRecordingSubscriber, parseSse } from '../testing/recording-subscriber.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { aNewSession, anEchoTarget } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { type EnginePorts, type StreamEngine, startEngine } from './engine.ts';
import { parseEventId } from './event.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryStore } from './memory-store.ts';
import type { SessionState, StreamRequest } from './session-state.ts';

const FINISH = { type: 'finish', reason: 'stop' } as const;
const SILENT = new GatewayError('upstream_timeout', 'The model went silent.');
const CONFLICT = new GatewayError('conflict', 'Another writer appended to this stream.');

async function settle(): Promise<void> {
  for (let turn = 0; turn < 80; turn += 1) await null;
}

async function start(request: Partial<StreamRequest> = {}, changes: Partial<EnginePorts> = {}) {
  const clock = createVirtualClock();
  const model = createScriptedModel();
  const outbox = createRecordingOutbox();
  const lost = vi.fn();
  const ended = vi.fn();
  let engine: StreamEngine | undefined;
  const alarm = clock.alarm(async () => engine?.wake());
  const targets = [anEchoTarget('first'), anEchoTarget('second')] as const;
  engine = await startEngine(
    aNewSession(clock.nowMs(), { targets, ...request }),
    {
      log: createMemoryLog(),
      store: createMemoryStore(),
      outbox,
      clock,
      alarm,
      logger: createSilentLogger(),
      provider: () => model.provider,
      countTokens: async (text) => text.length,
      purged: () => undefined,
      lost,
      ended,
      ...changes,
    },
    'created',
  );
  return { engine, clock, model, outbox, lost, ended, alarm };
}

describe('another model takes over', () => {
  it('STREAM-21: unnoticed before the first token; the callback and the state name the second', async () => {
    const { engine, model, outbox } = await start();
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.fail(SILENT);
    model.say({ type: 'text', text: 'b' }, FINISH);
    model.end();
    await settle();
    expect(model.requests.map((request) => request.model)).toEqual(['first', 'second']);
    expect(reader.events().map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
    expect(outbox.payload()).toMatchObject({ status: 'completed', model: 'second', answer: 'b' });
    expect(await engine.view()).toMatchObject({ model: 'second', text: 'b' });
  });

  it.each(['ws', 'sse-json', 'sse-text'] as const)(
    'STREAM-20, STREAM-21: after the first token a live reader (%s) is told to begin again',
    async (format) => {
      const { engine, model, outbox } = await start();
      const reader = createRecordingSubscriber(format);
      engine.attach(reader, 0);
      model.text('half');
      model.fail(SILENT);
      model.say({ type: 'text', text: 'whole' }, FINISH);
      model.end();
      await settle();
      const wire = reader.frames.join('');
      expect(wire.indexOf('half')).toBeLessThan(wire.indexOf('upstream_timeout'));
      expect(wire.indexOf('upstream_timeout')).toBeLessThan(wire.indexOf('whole'));
      expect(reader.ended).toBe(true);
      expect(outbox.payload()).toMatchObject({ model: 'second', answer: 'whole' });
      if (format !== 'sse-text') {
        const restart = reader.events()[1];
        expect(restart).toMatchObject({ type: 'restart', model: 'second' });
        const old = parseEventId(reader.events()[0]?.id ?? '');
        expect(parseEventId(restart?.id ?? '')).toEqual({ epoch: (old?.epoch ?? 0) + 1, seq: 1 });
        expect(engine.decide(old)).toEqual({ type: 'gap' });
      } else expect(parseSse(wire)[1]).toMatchObject({ name: 'restart' });
    },
  );

  it('STREAM-8: a gap is told without an id, but not twice where the epoch begins with a restart', async () => {
    const { engine, model } = await start();
    const before = createRecordingSubscriber();
    engine.attach(before, 0, true);
    model.text('half');
    await settle();
    expect(before.events()).toMatchObject([
      { type: 'restart', reason: 'not_found', model: 'first' },
      { type: 'delta' },
    ]);
    expect(before.events()[0]?.id).toBeUndefined();
    model.fail(SILENT);
    await settle();
    const after = createRecordingSubscriber();
    engine.attach(after, 0, true);
    await settle();
    expect(after.events()).toMatchObject([{ type: 'restart', reason: 'upstream_timeout' }]);
    expect(after.events()[0]?.id).toMatch(/-1$/);
  });

  it.each(['at once', 'later'])(
    'STREAM-20: a reader in mid-replay, with a log that answers %s, sees the restart and nothing old after it',
    async (manner) => {
      const log = manner === 'at once' ? createMemoryLog() : createAwkwardLog(() => 'early');
      const flow = (index = 0) => {
        if ('answer' in log) (log as AwkwardLog).answer(index);
      };
      const { engine, model } = await start({}, { log });
      engine.attach(createRecordingSubscriber(), 0);
      const turn = async () => {
        await settle();
        flow();
      };
      // More than a page, so that the reader must ask again.
      const chunk = { type: 'text', text: 'x'.repeat(200) } as const;
      for (let count = 0; count < 6; count += 1) model.say(...Array(100).fill(chunk));
      for (let count = 0; count < 12; count += 1) await turn();
      const late = createRecordingSubscriber();
      late.stall();
      engine.attach(late, 0);
      for (let count = 0; count < 4; count += 1) await turn();
      expect(late.events().length).toBeGreaterThan(0);
      expect(late.events().length).toBeLessThan(500);
      model.fail(SILENT);
      // The log has begun again; nobody has been shown it yet.
      await settle();
      late.take();
      await settle();
      // Its next page comes before the append is answered: the log has nothing of the old epoch.
      flow(1);
      for (let count = 0; count < 8; count += 1) await turn();
      model.say({ type: 'text', text: 'whole' }, FINISH);
      model.end();
      for (let count = 0; count < 20; count += 1) await turn();
      const types = late.events().map(({ type }) => type);
      const at = types.indexOf('restart');
      expect(types.slice(at)).toEqual(['restart', 'delta', 'usage', 'done']);
      expect(late.events()[at + 1]).toMatchObject({ text: 'whole' });
      expect(late).toMatchObject({ ended: true, endError: undefined });
    },
  );

  it('STREAM-24: an answer over the limit stops the model and keeps what fitted', async () => {
    const { engine, model, outbox } = await start({ maxAnswerBytes: 5 });
    engine.attach(createRecordingSubscriber(), 0);
    model.text('12345');
    model.text('6');
    await settle();
    expect(model.aborted).toBe(true);
    expect(model.requests).toHaveLength(1);
    expect(outbox.payload()).toMatchObject({
      status: 'failed',
      answer: '12345',
      error: { code: 'payload_too_large' },
    });
  });
});

describe('readers that leave', () => {
  it('STREAM-22: the last of them, here or on another host, ends the session after the grace time', async () => {
    const { engine, clock, model, outbox } = await start({ onDisconnect: 'cancel', graceMs: 2000 });
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    engine.countRemoteReaders(1);
    model.text('half');
    await settle();
    engine.detach(reader);
    await clock.advance(60_000);
    expect(engine.status).toBe('streaming');
    engine.countRemoteReaders(0);
    await clock.advance(1999);
    expect(model.aborted).toBe(false);
    await clock.advance(1);
    await settle();
    expect(model.aborted).toBe(true);
    expect(outbox.payload()).toMatchObject({ status: 'cancelled', answer: 'half' });
  });

  it('STREAM-25: one more reader than there may be is refused, and a place that is free is given', async () => {
    const { engine } = await start({}, { maxReaders: 2 });
    const [one, two] = [createRecordingSubscriber(), createRecordingSubscriber()];
    engine.attach(one, 0);
    engine.attach(two, 0);
    expect(() => engine.decide(undefined)).toThrowError(
      expect.objectContaining({ code: 'rate_limited', details: { retryAfterSeconds: 5 } }),
    );
    engine.detach(one);
    expect(engine.decide(undefined)).toEqual({ type: 'read', afterSeq: 0 });
  });
});

describe('another host takes over', () => {
  it.each(['append', 'seal', 'save'] as const)(
    'STREAM-26: a `conflict` from %s lets the readers go; no end, no callback, nothing after it',
    async (call) => {
      const log = createMemoryLog();
      const store = createMemoryStore();
      let isTaken = false;
      const refuse = () => {
        if (isTaken) throw CONFLICT;
      };
      const { engine, model, outbox, lost, ended, alarm } = await start(
        {},
        {
          log: {
            ...log,
            append(batch) {
              if (call === 'append') refuse();
              return log.append(batch);
            },
            seal() {
              if (call === 'seal') refuse();
            },
          },
          store: {
            ...store,
            save(state) {
              if (call === 'save') refuse();
              return store.save(state);
            },
          },
        },
      );
      const reader = createRecordingSubscriber();
      engine.attach(reader, 0);
      model.text('half');
      await settle();
      isTaken = true;
      if (call === 'save') model.fail(SILENT);
      else model.say({ type: 'text', text: 'more' }, FINISH);
      model.end();
      await settle();
      expect(lost).toHaveBeenCalledOnce();
      expect(ended).not.toHaveBeenCalled();
      expect(outbox.calls).toEqual([]);
      expect(reader).toMatchObject({ ended: true, endError: undefined });
      expect(reader.events().map(({ type }) => type)).not.toContain('done');
      expect(alarm.atMs).toBeUndefined();
      const seen = reader.frames.length;
      await engine.cancel();
      await engine.wake();
      expect(reader.frames).toHaveLength(seen);
      const late = createRecordingSubscriber();
      engine.attach(late, 0);
      expect(late.ended).toBe(true);
      expect(outbox.calls).toEqual([]);
    },
  );

  it('STREAM-18, STREAM-26: a session that is handed over stops its model and says nothing more', async () => {
    const { engine, model, outbox, ended, alarm } = await start();
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.text('half');
    await settle();
    engine.handOver();
    model.say(FINISH);
    model.end();
    await settle();
    expect(model.aborted).toBe(true);
    expect(reader).toMatchObject({ ended: true, endError: undefined });
    expect(reader.text()).toBe('half');
    expect(outbox.calls).toEqual([]);
    expect(ended).not.toHaveBeenCalled();
    expect(alarm.atMs).toBeUndefined();
  });

  it('STREAM-26: a hand-over while the end is being kept leaves the callback to the next host', async () => {
    const log = createAwkwardLog(() => 'early');
    const { engine, model, outbox, ended } = await start({}, { log });
    engine.attach(createRecordingSubscriber(), 0);
    model.say({ type: 'usage', inputTokens: 1, outputTokens: 1 }, FINISH);
    model.end();
    await settle();
    log.answer(0);
    await settle();
    expect(engine.status).toBe('completed');
    engine.handOver();
    log.flow();
    await settle();
    expect(outbox.calls).toEqual([]);
    expect(ended).not.toHaveBeenCalled();
  });
});

it('STREAM-7, STREAM-16: what is kept before the end does not say that it has ended', async () => {
  const log = createAwkwardLog(() => 'early');
  const saved: string[] = [];
  const store = {
    ...createMemoryStore(),
    save: ({ status }: SessionState) => void saved.push(status),
  };
  const { engine, model } = await start({ onDisconnect: 'drain', graceMs: 0 }, { log, store });
  const reader = createRecordingSubscriber();
  engine.attach(reader, 0);
  model.say({ type: 'text', text: 'a' }, { type: 'usage', inputTokens: 1, outputTokens: 1 });
  await settle();
  engine.detach(reader);
  void engine.wake();
  void engine.cancel();
  expect(engine.status).toBe('cancelled');
  log.answer(0);
  await settle();
  expect(saved).toEqual(['pending', 'streaming', 'streaming']);
  log.flow();
  await settle();
  expect(saved.at(-1)).toBe('cancelled');
});

it('STREAM-13: a cancel while the start is being kept leaves the model unasked', async () => {
  const gate = Promise.withResolvers<void>();
  let saves = 0;
  const store = {
    ...createMemoryStore(),
    save: () => {
      saves += 1;
      return saves === 2 ? gate.promise : undefined;
    },
  };
  const { engine, model, outbox } = await start({}, { store });
  engine.attach(createRecordingSubscriber(), 0);
  const cancelled = engine.cancel();
  gate.resolve();
  await cancelled;
  expect(model.requests).toHaveLength(0);
  expect(outbox.payload()).toMatchObject({ status: 'cancelled', answer: '' });
});

it('STREAM-17: a state that is not kept after the callback was takes no end from the readers', async () => {
  const store = createMemoryStore();
  let isFull = false;
  const { engine, model, outbox } = await start(
    {},
    {
      store: {
        ...store,
        save(state) {
          if (isFull) throw new Error('disk full');
          return store.save(state);
        },
      },
    },
  );
  const reader = createRecordingSubscriber();
  engine.attach(reader, 0);
  await settle();
  isFull = true;
  model.say({ type: 'text', text: 'a' }, FINISH);
  model.end();
  await settle();
  expect(outbox.payload()).toMatchObject({ status: 'completed' });
  expect(reader.events().at(-1)).toMatchObject({ type: 'done', status: 'completed' });
  expect(reader.ended).toBe(true);
});

it('STREAM-27: on a socket a tool call keeps its own id beside that of the event', async () => {
  const { engine, model } = await start();
  const reader = createRecordingSubscriber();
  engine.attach(reader, 0);
  model.say({ type: 'tool_call', index: 0, id: 'call_1', name: 'look', arguments: '{' });
  model.say({ type: 'tool_call', index: 0, arguments: '}' });
  await settle();
  expect(reader.events()).toMatchObject([
    { type: 'tool_call', callId: 'call_1', name: 'look', arguments: '{' },
    { type: 'tool_call', arguments: '}' },
  ]);
  expect(reader.events().map(({ id }) => id.split('-')[1])).toEqual(['1', '2']);
});
