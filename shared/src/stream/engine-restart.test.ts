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

  it('STREAM-16: one that was being answered fails after what was kept, and its callback goes out', async () => {
    const host = createHost();
    const before = await host.run('created');
    const first = createRecordingSubscriber();
    before.engine.attach(first, 0);
    before.model.text('half');
    await settle();
    const { engine, model } = await host.run('restored');
    expect(model.requests).toHaveLength(0);
    const again = createRecordingSubscriber();
    engine.attach(again, first.events().length);
    await settle();
    expect(again.events().map(({ type }) => type)).toEqual(['usage', 'error']);
    expect(again.events()[0]?.id).toMatch(/-2$/);
    expect(host.outbox.payload()).toMatchObject({
      status: 'failed',
      answer: 'half',
      output_tokens: 4,
      error: { code: 'upstream_failed' },
    });
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
