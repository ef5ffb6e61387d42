import { describe, expect, it } from 'vitest';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import { createRecordingSubscriber } from '../testing/recording-subscriber.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { type StreamEngine, startEngine } from './engine.ts';
import { parseEventId } from './event.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryStore } from './memory-store.ts';

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await null;
}

/** A host whose process can be lost; log, store and outbox stay. */
function createHost() {
  const clock = createVirtualClock();
  const kept = { log: createMemoryLog(), store: createMemoryStore() };
  const outbox = createRecordingOutbox();

  async function run(origin: 'created' | 'restored') {
    const model = createScriptedModel();
    let engine: StreamEngine | undefined;
    const state = origin === 'created' ? aNewSession(clock.nowMs()) : await kept.store.load();
    if (state === undefined) throw new Error('nothing was kept');
    engine = await startEngine(
      state,
      {
        ...kept,
        outbox,
        clock,
        alarm: clock.alarm(async () => engine?.wake()),
        logger: createSilentLogger(),
        provider: () => model.provider,
        countTokens: async (text) => text.length,
        purged: () => undefined,
      },
      origin,
    );
    await settle();
    return { engine, model };
  }
  return { clock, outbox, run, kept };
}

describe('a restart', () => {
  it('STREAM-16: a pending session goes on waiting, and answers the reader that comes', async () => {
    const host = createHost();
    await host.run('created');
    const { engine, model } = await host.run('restored');
    expect(engine.status).toBe('pending');
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.say({ type: 'text', text: 'hello' }, { type: 'finish', reason: 'stop' });
    model.end();
    await settle();
    expect(reader.text()).toBe('hello');
    expect(host.outbox.payload()).toMatchObject({ status: 'completed' });
  });

  it('STREAM-16, STREAM-20: one that was being answered begins again, and old ids are a gap', async () => {
    const host = createHost();
    const before = await host.run('created');
    const first = createRecordingSubscriber();
    before.engine.attach(first, 0);
    before.model.text('half');
    await settle();
    host.kept.log.drop();
    const { engine, model } = await host.run('restored');
    expect(model.requests).toHaveLength(1);
    const last = parseEventId(first.events().at(-1)?.id ?? '');
    expect(engine.decide(last)).toEqual({ type: 'gap' });
    const again = createRecordingSubscriber();
    engine.attach(again, 0, true);
    model.say({ type: 'text', text: 'whole' }, { type: 'finish', reason: 'stop' });
    model.end();
    await settle();
    expect(again.events().map(({ type }) => type)).toEqual(['restart', 'delta', 'usage', 'done']);
    expect(again.events()[0]).toMatchObject({ reason: 'unavailable', model: 'echo' });
    expect(again.events()[0]?.id).toMatch(/-1$/);
    expect(host.outbox.payload()).toMatchObject({ status: 'completed', answer: 'whole' });
  });

  it('STREAM-16: the third crash in mid-answer is a failure, told once', async () => {
    const host = createHost();
    const before = await host.run('created');
    before.engine.attach(createRecordingSubscriber(), 0);
    await settle();
    for (let crash = 1; crash <= 2; crash += 1) {
      expect((await host.run('restored')).engine.status).toBe('streaming');
    }
    const { engine, model } = await host.run('restored');
    expect(engine.status).toBe('failed');
    expect(model.requests).toHaveLength(0);
    expect(host.outbox.kept).toHaveLength(1);
    expect(host.outbox.payload()).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_failed' },
    });
  });

  it('STREAM-17: an end that was never in the log is told to its readers after a restart too', async () => {
    const host = createHost();
    const error = { code: 'processing_failed', message: 'Not kept.' } as const;
    await host.kept.store.save({ ...aNewSession(host.clock.nowMs()), status: 'failed', error });
    const { engine } = await host.run('restored');
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    await settle();
    expect(reader).toMatchObject({ ended: true, endError: error });
  });

  it('STREAM-16: an ended one is replayed as it was, and calls back no second time', async () => {
    const host = createHost();
    const before = await host.run('created');
    const first = createRecordingSubscriber();
    before.engine.attach(first, 0);
    before.model.say({ type: 'text', text: 'all' }, { type: 'finish', reason: 'stop' });
    before.model.end();
    await settle();
    const { engine } = await host.run('restored');
    const again = createRecordingSubscriber();
    engine.attach(again, 0);
    await settle();
    expect(again.events()).toEqual(first.events());
    expect(again.ended).toBe(true);
    expect(host.outbox.kept).toHaveLength(1);
  });

  it('STREAM-16: an end that is in the log but not in the store is kept, with the same callback id', async () => {
    const host = createHost();
    const before = await host.run('created');
    before.engine.attach(createRecordingSubscriber(), 0);
    await settle();
    const streaming = await host.kept.store.load();
    before.model.say({ type: 'text', text: 'all' }, { type: 'finish', reason: 'length' });
    before.model.end();
    await settle();
    if (streaming !== undefined) await host.kept.store.save(streaming);
    const { engine } = await host.run('restored');
    expect(await engine.view()).toMatchObject({ status: 'completed', finishReason: 'length' });
    expect(host.outbox.kept).toHaveLength(1);
    expect(host.outbox.calls).toEqual(['msg_s1', 'msg_s1']);
  });
});
