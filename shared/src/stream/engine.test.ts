import { describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import { createRecordingSubscriber } from '../testing/recording-subscriber.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { type EnginePorts, type StreamEngine, startEngine } from './engine.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryStore } from './memory-store.ts';
import type { StreamRequest } from './session-state.ts';

const FINISH = { type: 'finish', reason: 'stop' } as const;
const USAGE = { type: 'usage', inputTokens: 3, outputTokens: 4 } as const;

/** Lets everything that can happen without time happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await null;
}

async function start(
  options: {
    readonly request?: Partial<StreamRequest>;
    readonly ports?: Partial<EnginePorts>;
    readonly retentionMs?: number;
  } = {},
) {
  const clock = createVirtualClock();
  const model = createScriptedModel();
  const outbox = createRecordingOutbox();
  const logger = createSilentLogger();
  const purged = vi.fn();
  let engine: StreamEngine | undefined;
  const alarm = clock.alarm(async () => engine?.wake());
  const ports: EnginePorts = {
    log: createMemoryLog(),
    store: createMemoryStore(),
    outbox,
    clock,
    alarm,
    logger,
    provider: () => model.provider,
    countTokens: async (text) => text.length,
    purged,
    ...options.ports,
  };
  const times = options.retentionMs === undefined ? {} : { retentionMs: options.retentionMs };
  const state = aNewSession(clock.nowMs(), options.request, times);
  engine = await startEngine(state, ports, 'created');
  return { engine, clock, model, outbox, logger, purged, alarm, ports };
}

describe('an end that is kept as one', () => {
  /** Ports whose writes come to nothing unless they are part of a whole that is kept. */
  async function startWhole(kept: Promise<void> | undefined) {
    const writes: string[] = [];
    const note = (name: string) => () => {
      writes.push(name);
    };
    const begun = await start({
      ports: {
        log: { ...createMemoryLog(), seal: note('events') },
        store: { ...createMemoryStore(), save: note('state') },
        asOne(work) {
          writes.push('begin');
          work();
          writes.push('end');
          return kept;
        },
      },
    });
    const reader = createRecordingSubscriber();
    begun.engine.attach(reader, 0);
    writes.length = 0;
    begun.model.say({ type: 'text', text: 'a' }, USAGE, FINISH);
    begun.model.end();
    await settle();
    return { ...begun, reader, writes };
  }

  it('STREAM-7: has its events, its callback and its state, and is shown once it is kept', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { engine, reader, writes, outbox } = await startWhole(promise);
    expect(writes).toEqual(['begin', 'events', 'state', 'end']);
    expect(outbox.payload()).toMatchObject({ answer: 'a', status: 'completed' });
    expect(reader.events().map(({ type }) => type)).toEqual(['delta']);
    expect(engine.isAtRest).toBe(false);
    resolve();
    await settle();
    expect(reader.events().map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
    expect(engine.isAtRest).toBe(true);
  });

  it('STREAM-17: that could not be kept is not shown, and what is kept by itself says `failed`', async () => {
    const { engine, reader, outbox } = await startWhole(Promise.reject(new Error('no')));
    expect(reader.endError).toMatchObject({ code: 'processing_failed' });
    expect(reader.events().map(({ type }) => type)).not.toContain('done');
    expect(outbox.calls).toHaveLength(2);
    expect(engine).toMatchObject({ status: 'failed', isAtRest: true });
  });
});

describe('readers of one stream', () => {
  it('STREAM-6: an early, a late and a resumed reader see the same events, once, in order', async () => {
    const { engine, model } = await start();
    const early = createRecordingSubscriber();
    engine.attach(early, 0);
    model.text('one ');
    model.text('two ');
    await settle();
    const late = createRecordingSubscriber('sse-json');
    engine.attach(late, 0);
    const resumed = createRecordingSubscriber();
    engine.attach(resumed, 1);
    model.say({ type: 'text', text: 'three' }, USAGE, FINISH);
    model.end();
    await settle();
    const afterEnd = createRecordingSubscriber();
    engine.attach(afterEnd, 0);
    await settle();
    expect(early.text()).toBe('one two three');
    expect(early.events().map(({ type }) => type)).toEqual([
      'delta',
      'delta',
      'delta',
      'usage',
      'done',
    ]);
    expect(late.events()).toEqual(early.events());
    expect(resumed.events()).toEqual(early.events().slice(1));
    expect(afterEnd.events()).toEqual(early.events());
    for (const reader of [early, late, resumed, afterEnd]) {
      expect(reader).toMatchObject({ ended: true, endError: undefined });
    }
  });

  it('STREAM-2: however many readers come, the model is asked once', async () => {
    const { engine, model } = await start();
    for (let count = 0; count < 5; count += 1) engine.attach(createRecordingSubscriber(), 0);
    await settle();
    expect(model.requests).toHaveLength(1);
    expect(model.requests[0]).toEqual({
      model: 'echo',
      messages: [{ role: 'user', content: 'Say hello.' }],
      maxTokens: 100,
      streamId: 's1',
    });
  });

  it('STREAM-9: a reader that has the final event has nothing left, others go on', async () => {
    const { engine, model } = await start();
    engine.attach(createRecordingSubscriber(), 0);
    model.say({ type: 'text', text: 'a' }, USAGE, FINISH);
    model.end();
    await settle();
    const { epoch } = aNewSession(Date.UTC(2030, 0, 1));
    expect(engine.decide({ epoch, seq: 3 })).toEqual({ type: 'nothing-left' });
    expect(engine.decide({ epoch, seq: 2 })).toEqual({ type: 'read', afterSeq: 2 });
    expect(engine.decide({ epoch: epoch + 1, seq: 3 })).toEqual({ type: 'gap' });
  });

  it('STREAM-15: a reader that leaves changes nothing for the session', async () => {
    const { engine, model, outbox } = await start();
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.text('a');
    await settle();
    engine.detach(reader);
    model.say({ type: 'text', text: 'b' }, USAGE, FINISH);
    model.end();
    await settle();
    expect(reader.text()).toBe('a');
    expect(outbox.payload()).toMatchObject({ status: 'completed', answer: 'ab' });
  });

  it('STREAM-10: a reader with more than 1 MiB untaken is cut, and no other notices', async () => {
    const { engine, model } = await start();
    const slow = createRecordingSubscriber();
    const quick = createRecordingSubscriber();
    engine.attach(slow, 0);
    engine.attach(quick, 0);
    slow.stall();
    const chunk = 'x'.repeat(200_000);
    for (let count = 0; count < 8; count += 1) model.text(chunk);
    model.say(USAGE, FINISH);
    model.end();
    await settle();
    expect(slow).toMatchObject({ ended: true, endError: { code: 'unavailable' } });
    expect(slow.events()).toHaveLength(6);
    expect(quick).toMatchObject({ ended: true, endError: undefined });
    expect(quick.text()).toHaveLength(1_600_000);
    const again = createRecordingSubscriber();
    engine.attach(again, slow.events().length);
    await settle();
    expect([...slow.events(), ...again.events()]).toEqual(quick.events());
  });

  it('STREAM-10: a replay waits for its reader, and cuts none that takes what it is given', async () => {
    const { engine, model } = await start();
    engine.attach(createRecordingSubscriber(), 0);
    for (let count = 0; count < 30; count += 1) model.text('y'.repeat(100_000));
    model.say(USAGE, FINISH);
    model.end();
    await settle();
    const late = createRecordingSubscriber();
    late.stall();
    engine.attach(late, 0);
    await settle();
    expect(late.ended).toBe(false);
    expect(late.frames.length).toBeLessThan(5);
    late.take();
    await settle();
    expect(late).toMatchObject({ ended: true, endError: undefined });
    expect(late.text()).toHaveLength(3_000_000);
  });
});

describe('the end of a session', () => {
  it('STREAM-13: a cancel stops the model, keeps what was said and calls back', async () => {
    const { engine, model, outbox } = await start();
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.text('half');
    await settle();
    await engine.cancel();
    model.text(' more');
    await settle();
    expect(model.aborted).toBe(true);
    expect(reader.text()).toBe('half');
    expect(reader.events().at(-1)).toMatchObject({ type: 'done', status: 'cancelled' });
    expect(outbox.payload()).toMatchObject({ status: 'cancelled', answer: 'half' });
    await engine.cancel();
    expect(outbox.calls).toHaveLength(1);
  });

  it('STREAM-12: a failure of the model is told to readers and to the callback, and its text is kept', async () => {
    const { engine, model, outbox } = await start();
    const reader = createRecordingSubscriber();
    engine.attach(reader, 0);
    model.text('half');
    model.fail(new GatewayError('upstream_timeout', 'The model went silent.'));
    await settle();
    const error = { code: 'upstream_timeout', message: 'The model went silent.' };
    expect(reader.events().at(-1)).toMatchObject({ type: 'error', ...error });
    expect(outbox.payload()).toMatchObject({ status: 'failed', answer: 'half', error });
    expect(await engine.view()).toMatchObject({ status: 'failed', text: 'half', error });
  });

  it('STREAM-12: what is not a GatewayError is told in general words', async () => {
    const broken = () => {
      throw new Error('key sk-secret in /srv/app');
    };
    const { engine, outbox } = await start({ ports: { provider: broken } });
    engine.attach(createRecordingSubscriber(), 0);
    await settle();
    expect(outbox.payload().error?.code).toBe('processing_failed');
    expect(outbox.kept[0]?.body).not.toContain('sk-secret');
  });

  it('STREAM-14: without numbers of the vendor the prompt and the answer are counted', async () => {
    const { engine, model, outbox } = await start();
    engine.attach(createRecordingSubscriber(), 0);
    model.say({ type: 'text', text: 'four' }, FINISH);
    model.end();
    await settle();
    expect(outbox.payload()).toMatchObject({
      input_tokens: 'Say hello.'.length,
      output_tokens: 4,
      usageSource: 'tokenizer',
    });
  });

  it('STREAM-14: a count that fails does not keep the stream from ending', async () => {
    const countTokens = async () => {
      throw new Error('no table');
    };
    const { engine, model, outbox } = await start({ ports: { countTokens } });
    engine.attach(createRecordingSubscriber(), 0);
    model.say({ type: 'text', text: 'four' }, FINISH);
    model.end();
    await settle();
    expect(outbox.payload()).toMatchObject({ status: 'completed', output_tokens: 0 });
  });

  it('STREAM-3, STREAM-14: one nobody connects to expires, asks no model, uses nothing, and calls back', async () => {
    const { engine, clock, model, outbox } = await start();
    await clock.advance(59_999);
    expect(engine.status).toBe('pending');
    await clock.advance(1);
    await settle();
    expect(engine.status).toBe('expired');
    expect(model.requests).toHaveLength(0);
    expect(outbox.payload()).toMatchObject({
      status: 'expired',
      input_tokens: 0,
      output_tokens: 0,
    });
  });

  it('STREAM-18: an interrupted session ends with `unavailable`, and its callback is kept by then', async () => {
    const { engine, model, outbox } = await start();
    engine.attach(createRecordingSubscriber(), 0);
    model.text('half');
    await settle();
    await engine.interrupt();
    expect(model.aborted).toBe(true);
    expect(outbox.payload()).toMatchObject({
      status: 'failed',
      answer: 'half',
      error: { code: 'unavailable' },
    });
    await engine.interrupt();
    expect(outbox.calls).toHaveLength(1);
  });

  it('OUTBOX-1: the callback goes where the caller said, under an id of the stream', async () => {
    const { engine, outbox } = await start();
    await engine.cancel();
    expect(outbox.kept).toHaveLength(1);
    expect(outbox.kept[0]).toMatchObject({
      id: 'msg_s1',
      url: 'https://n8n.example/webhook-waiting/1?signature=abc',
    });
  });
});

describe('forgetting', () => {
  it('STREAM-4: after its retention nothing of a session is left', async () => {
    const { engine, clock, outbox, purged, alarm, ports } = await start();
    await engine.cancel();
    outbox.report({ status: 'delivered', attempts: 1 });
    await clock.advance(599_999);
    expect(purged).not.toHaveBeenCalled();
    await clock.advance(1);
    await engine.idle();
    expect(purged).toHaveBeenCalledOnce();
    expect(await ports.log.head()).toEqual({ epoch: 0, seq: 0 });
    expect(await ports.store.load()).toBeUndefined();
    expect(outbox.kept).toEqual([]);
    expect(alarm.atMs).toBeUndefined();
  });

  it('STREAM-4: a session whose callback is on its way is kept', async () => {
    const { engine, clock, outbox, purged } = await start();
    await engine.cancel();
    await clock.advance(1_200_000);
    expect(purged).not.toHaveBeenCalled();
    expect(await engine.view()).toMatchObject({ callback: { status: 'pending' } });
    outbox.report({ status: 'failed', attempts: 9 });
    await clock.advance(600_000);
    await engine.idle();
    expect(purged).toHaveBeenCalledOnce();
  });

  it('STREAM-4: without any retention, waiting for a callback does not keep the host busy', async () => {
    const { engine, clock, alarm } = await start({ retentionMs: 0 });
    await engine.cancel();
    await clock.advance(0);
    await engine.idle();
    expect(alarm.atMs).toBeGreaterThan(clock.nowMs());
  });
});
