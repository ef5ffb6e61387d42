import { describe, expect, it } from 'vitest';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import { createRecordingSubscriber } from '../testing/recording-subscriber.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { type StreamEngine, startEngine } from './engine.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryStore } from './memory-store.ts';
import type { SessionStore, StreamLog } from './ports.ts';

const FINISH = { type: 'finish', reason: 'stop' } as const;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 80; turn += 1) await null;
}

/** How a host says no: in the call, or later. */
type Manner = 'at once' | 'later';

function refuse(manner: Manner): Promise<never> {
  const error = new Error('disk full');
  if (manner === 'at once') throw error;
  return Promise.reject(error);
}

/** A log that takes `takes` appends and refuses the rest. */
function fillingLog(takes: number, manner: Manner): StreamLog {
  const log = createMemoryLog();
  let left = takes;
  return {
    ...log,
    append(batch) {
      if (left === 0) return refuse(manner);
      left -= 1;
      return manner === 'at once' ? log.append(batch) : Promise.resolve(log.append(batch));
    },
  };
}

async function start(ports: { readonly log?: StreamLog; readonly store?: SessionStore }) {
  const clock = createVirtualClock();
  const model = createScriptedModel();
  const outbox = createRecordingOutbox();
  let engine: StreamEngine | undefined;
  let purged = false;
  const alarm = clock.alarm(async () => engine?.wake());
  engine = await startEngine(
    aNewSession(clock.nowMs()),
    {
      log: ports.log ?? createMemoryLog(),
      store: ports.store ?? createMemoryStore(),
      outbox,
      clock,
      alarm,
      logger: createSilentLogger(),
      provider: () => model.provider,
      countTokens: async (text) => text.length,
      purged: () => {
        purged = true;
      },
    },
    'created',
  );
  return { engine, clock, model, outbox, isPurged: () => purged };
}

describe.each<Manner>(['at once', 'later'])('a host that refuses %s', (manner) => {
  it('STREAM-17: ends the readers, stops the model, and calls back `failed` with what was kept', async () => {
    const { engine, model, outbox } = await start({ log: fillingLog(1, manner) });
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.text('kept');
    model.text(' lost');
    model.text(' lost as well');
    await settle();
    expect(reader.text()).toBe('kept');
    expect(reader).toMatchObject({ ended: true, endError: { code: 'processing_failed' } });
    expect(model.aborted).toBe(true);
    expect(outbox.kept).toHaveLength(1);
    expect(outbox.payload()).toMatchObject({
      status: 'failed',
      answer: 'kept',
      error: { code: 'processing_failed' },
    });
    expect(await engine.view()).toMatchObject({ status: 'failed', text: 'kept', lastEventSeq: 1 });
  });

  it('STREAM-7, STREAM-17: an end that could not be kept is not shown, and is a failure', async () => {
    const { engine, model, outbox } = await start({ log: fillingLog(1, manner) });
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.text('kept');
    model.say(FINISH);
    model.end();
    await settle();
    expect(reader.events().map(({ type }) => type)).toEqual(['delta']);
    expect(reader.endError).toMatchObject({ code: 'processing_failed' });
    expect(outbox.payload()).toMatchObject({ status: 'failed', answer: 'kept' });
    expect(engine.status).toBe('failed');
  });

  it('STREAM-17: a reader that comes afterwards sees what was kept, and is told', async () => {
    const { engine, model } = await start({ log: fillingLog(1, manner) });
    engine.attach(createRecordingSubscriber(), 0);
    model.text('kept');
    model.text(' lost');
    await settle();
    const late = createRecordingSubscriber();
    engine.attach(late, 0);
    await settle();
    expect(late.text()).toBe('kept');
    expect(late).toMatchObject({ ended: true, endError: { code: 'processing_failed' } });
  });

  it('STREAM-17: a cancel of a broken session ends, and the session is forgotten in time', async () => {
    const { engine, clock, model, outbox, isPurged } = await start({ log: fillingLog(0, manner) });
    engine.attach(createRecordingSubscriber(), 0);
    model.text('lost');
    await settle();
    await engine.cancel();
    await engine.interrupt();
    outbox.report({ status: 'delivered', attempts: 1 });
    await clock.advance(599_999);
    await engine.idle();
    expect(isPurged()).toBe(false);
    await clock.advance(1);
    await engine.idle();
    expect(isPurged()).toBe(true);
  });

  it('STREAM-17: a store that refuses to keep the start keeps the model from being asked', async () => {
    const store = createMemoryStore();
    let saves = 0;
    const { engine, model, outbox } = await start({
      store: {
        ...store,
        save(state) {
          saves += 1;
          return saves === 1 ? store.save(state) : refuse(manner);
        },
      },
    });
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    await settle();
    expect(model.requests).toHaveLength(0);
    expect(reader.endError).toMatchObject({ code: 'processing_failed' });
    expect(outbox.payload()).toMatchObject({ status: 'failed', answer: '' });
  });

  it('STREAM-17: a log that cannot be read ends that reader alone', async () => {
    const log = createMemoryLog();
    let isReadable = true;
    const { engine, model } = await start({
      log: {
        ...log,
        read: (after, limit) => (isReadable ? log.read(after, limit) : refuse(manner)),
      },
    });
    const live = createRecordingSubscriber();
    engine.attach(live, 0);
    model.text('a');
    await settle();
    isReadable = false;
    const late = createRecordingSubscriber();
    engine.attach(late, 0);
    await settle();
    expect(late).toMatchObject({ ended: true, endError: { code: 'processing_failed' } });
    expect(live.ended).toBe(false);
    isReadable = true;
    model.text('b');
    await settle();
    expect(live.text()).toBe('ab');
  });
});
