import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { SessionState, StreamRequest } from '@headwater/shared/stream/session-state';
import { newSession } from '@headwater/shared/stream/session-state';
import { createRecordingOutbox } from '@headwater/shared/testing/recording-outbox';
import { createRecordingSubscriber } from '@headwater/shared/testing/recording-subscriber';
import { createScriptedModel } from '@headwater/shared/testing/scripted-model';
import { aStreamRequest } from '@headwater/shared/testing/session-fixtures';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { connectRedis } from '../adapters/redis-connection.ts';
import { logKey, ownedKey, ownerKey, RETAINED_KEY, stateKey } from '../adapters/redis-keys.ts';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { createClusterRegistry } from './cluster-registry.ts';
import type { SessionRegistry } from './session-registry.ts';

const FINISH = { type: 'finish', reason: 'stop' } as const;
const USAGE = { type: 'usage', inputTokens: 3, outputTokens: 4 } as const;

/** Longest wait for something that takes milliseconds, or a takeover. */
const SOON = { timeout: 9_000, interval: 20 };

describeWithRedis('a cluster of two', () => {
  let server: RedisServer;
  let control: Redis;
  const cleanUps: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
    control = connectRedis(server.url, () => undefined);
  });

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    await control.flushall();
  });

  afterAll(async () => {
    control.disconnect();
    await server.stop();
  });

  const outbox = createRecordingOutbox();

  /** An instance; its model is asked for whatever it answers. */
  async function join(commandTimeoutMs?: number, { url } = server) {
    const redis = connectRedis(url, () => undefined, commandTimeoutMs);
    cleanUps.push(() => redis.disconnect());
    const model = createScriptedModel();
    const ended: string[] = [];
    const logger = createSilentLogger();
    const clock = { aheadMs: 0, nowMs: () => Date.now() + clock.aheadMs };
    const registry: SessionRegistry = await createClusterRegistry({
      redis,
      registry: {
        resolve: (name) => ({ provider: model.provider, model: 'echo', name: name ?? '' }),
      },
      outbox,
      clock,
      logger,
      maxReaders: 100,
      maxBufferedBytes: 1024 * 1024,
      ended: ({ request }) => ended.push(request.streamId),
    });
    cleanUps.push(async () => {
      if (redis.status === 'ready') await registry.close(0);
    });
    return { redis, model, registry, ended, clock, logger };
  }

  type Instance = Awaited<ReturnType<typeof join>>;

  function aSession(changes: Partial<StreamRequest> = {}, retentionMs = 600_000): SessionState {
    const request = aStreamRequest({ streamId: randomUUID(), ...changes });
    return newSession(request, { ttlMs: 60_000, retentionMs }, Date.now());
  }

  /** Reads a stream on an instance, as a route does. */
  async function read({ registry }: Instance, streamId: string) {
    const handle = await registry.get(streamId);
    if (handle === undefined) throw new Error('no such stream');
    const reader = createRecordingSubscriber();
    const decision = handle.decide(undefined);
    if (decision.type === 'nothing-left') throw new Error('nothing left');
    handle.attach(reader, 0);
    return { reader, handle };
  }

  const asked = (instance: Instance) =>
    vi.waitFor(() => expect(instance.model.requests.length).toBeGreaterThan(0), SOON);

  const finish = ({ model }: Instance) => {
    model.say(USAGE, FINISH);
    model.end();
  };

  it('CLUSTER-1, CLUSTER-11: a reader on another instance starts the session and sees it to its end', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession();
    const { streamId } = session.request;
    await a.registry.create(session);
    const there = await read(b, streamId);
    await asked(a);
    const here = await read(a, streamId);
    for (const word of ['one ', 'two ', 'three']) a.model.text(word);
    await vi.waitFor(() => expect(there.reader.text()).toBe('one two three'), SOON);
    finish(a);
    await vi.waitFor(
      () => expect([here.reader.ended, there.reader.ended]).toEqual([true, true]),
      SOON,
    );
    expect(there.reader.frames).toEqual(here.reader.frames);
    expect(b.model.requests).toEqual([]);
    expect([a.ended, b.ended]).toEqual([[streamId], []]);
    const views = await Promise.all(
      [a, b].map(async ({ registry }) => (await registry.get(streamId))?.view()),
    );
    expect(views[0]).toEqual(views[1]);
    expect(views[0]).toMatchObject({ status: 'completed', text: 'one two three' });
    const late = await read(b, streamId);
    await vi.waitFor(() => expect(late.reader.frames).toEqual(here.reader.frames), SOON);
  });

  it('CLUSTER-13: an instance that finds no Redis does not join, and says why', async () => {
    const nowhere = { ...server, url: 'redis://127.0.0.1:1' };
    await expect(join(200, nowhere)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('CLUSTER-4: the same session, made on two instances at once, is one', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession({ start: 'now' });
    await Promise.all([
      a.registry.create(session),
      b.registry.create(session),
      a.registry.create(session),
    ]);
    await vi.waitFor(() => expect(a.model.requests.length + b.model.requests.length).toBe(1), SOON);
    await b.registry.create(session);
    await a.registry.create(session);
    expect(a.model.requests.length + b.model.requests.length).toBe(1);
  });

  it('CLUSTER-12: a cancel on another instance stops the model of the owner', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession({ start: 'now' });
    await a.registry.create(session);
    await asked(a);
    a.model.text('half');
    const { reader } = await read(b, session.request.streamId);
    await vi.waitFor(() => expect(reader.text()).toBe('half'), SOON);
    const handle = await b.registry.get(session.request.streamId);
    await handle?.cancel();
    expect(a.model.aborted).toBe(true);
    expect(await handle?.view()).toMatchObject({ status: 'cancelled', text: 'half' });
    await vi.waitFor(() => expect(reader.ended).toBe(true), SOON);
  });

  it('CLUSTER-11: with `cancel`, readers elsewhere keep a session, and their leaving ends it', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession({ onDisconnect: 'cancel', graceMs: 300 });
    await a.registry.create(session);
    const { reader, handle } = await read(b, session.request.streamId);
    await asked(a);
    a.model.text('kept');
    await vi.waitFor(() => expect(reader.text()).toBe('kept'), SOON);
    expect(a.model.aborted).toBe(false);
    handle.detach(reader);
    await vi.waitFor(() => expect(a.model.aborted).toBe(true), SOON);
  });

  it('CLUSTER-14: the limit of readers holds over both instances', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession();
    const { streamId } = session.request;
    await a.registry.create(session);
    for (let count = 0; count < 60; count += 1) await read(a, streamId);
    for (let count = 0; count < 39; count += 1) await read(b, streamId);
    const handles = await Promise.all([a, b].map(({ registry }) => registry.get(streamId)));
    for (const handle of handles) expect(handle?.decide(undefined)).toMatchObject({ type: 'read' });
    await read(b, streamId);
    for (const handle of handles) {
      await vi.waitFor(
        () =>
          expect(() => handle?.decide(undefined)).toThrow(
            expect.objectContaining({ code: 'rate_limited' }),
          ),
        SOON,
      );
    }
  });

  it('CLUSTER-6: when the owner is cut off, another one begins the answer again within 5 s', async () => {
    const [a, b] = [await join(), await join()];
    const sessions = [aSession({ start: 'now' }), aSession({ start: 'connect' })];
    for (const session of sessions) await a.registry.create(session);
    await asked(a);
    a.model.text('lost words');
    const { reader } = await read(b, sessions[0]?.request.streamId ?? '');
    await vi.waitFor(() => expect(reader.text()).toBe('lost words'), SOON);
    // Ready for longer than a heartbeat lives.
    b.clock.aheadMs = 3_200;
    a.redis.disconnect();
    const cutAtMs = Date.now();
    await asked(b);
    expect(Date.now() - cutAtMs).toBeLessThan(5_000);
    b.model.text('the whole answer');
    finish(b);
    await vi.waitFor(() => expect(reader.ended).toBe(true), SOON);
    const seen = reader.events();
    const restart = seen.findIndex(({ type }) => type === 'restart');
    expect(seen[restart]).toMatchObject({ type: 'restart', reason: 'unavailable' });
    expect(
      seen.slice(restart + 1).map((event) => (event.type === 'delta' ? event.text : event.type)),
    ).toEqual(['the whole answer', 'usage', 'done']);
    const told = outbox.kept.filter(({ id }) => id === `msg_${sessions[0]?.request.streamId}`);
    expect(told.map(({ body }) => JSON.parse(body).answer)).toEqual(['the whole answer']);
    const waiting = await b.registry.get(sessions[1]?.request.streamId ?? '');
    expect(waiting?.status).toBe('pending');
    expect(await control.smembers('hw:instances')).toHaveLength(1);
  }, 20_000);

  it('CLUSTER-7: an instance that closes hands its streams over within a second', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession({ start: 'now' });
    await a.registry.create(session);
    await asked(a);
    a.model.text('half');
    const here = await read(a, session.request.streamId);
    const there = await read(b, session.request.streamId);
    await vi.waitFor(() => expect(there.reader.text()).toBe('half'), SOON);
    const closedAtMs = Date.now();
    await a.registry.close(100);
    expect(here.reader).toMatchObject({ ended: true, endError: undefined });
    await expect(a.registry.create(aSession())).rejects.toMatchObject({ code: 'unavailable' });
    await asked(b);
    expect(Date.now() - closedAtMs).toBeLessThan(1_500);
    b.model.text('whole');
    finish(b);
    await vi.waitFor(() => expect(there.reader.ended).toBe(true), SOON);
    expect(there.reader.text()).toBe('halfwhole');
  });

  it('CLUSTER-3: a kill -9 of Redis in mid-answer costs no reader an event', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession({ start: 'now' });
    await a.registry.create(session);
    await asked(a);
    const { reader } = await read(b, session.request.streamId);
    a.model.text('before ');
    await vi.waitFor(() => expect(reader.text()).toBe('before '), SOON);
    await server.kill();
    a.model.text('during ');
    await server.restart();
    a.model.text('after');
    finish(a);
    await vi.waitFor(() => expect(reader.ended).toBe(true), SOON);
    expect(reader.text()).toBe('before during after');
    expect(reader.events().some(({ type }) => type === 'restart')).toBe(false);
    expect(b.model.requests).toEqual([]);
  }, 20_000);

  it('CLUSTER-3: a Redis that comes back empty is written again, state, log and owner', async () => {
    const a = await join();
    const session = aSession({ start: 'now' });
    const { streamId } = session.request;
    await a.registry.create(session);
    const waiting = aSession();
    await a.registry.create(waiting);
    await asked(a);
    a.model.text('before ');
    const here = await read(a, streamId);
    await vi.waitFor(() => expect(here.reader.text()).toBe('before '), SOON);
    await server.kill();
    await rm(`${server.folder}/appendonlydir`, { recursive: true });
    await server.restart();
    await vi.waitFor(async () => {
      expect(await control.exists(stateKey(streamId), logKey(streamId))).toBe(2);
      expect(await control.exists(stateKey(waiting.request.streamId))).toBe(1);
    }, SOON);
    const b = await join();
    const there = await read(b, streamId);
    a.model.text('after');
    finish(a);
    await vi.waitFor(() => expect(there.reader.ended).toBe(true), SOON);
    expect(there.reader.frames).toEqual(here.reader.frames);
  }, 20_000);

  it('CLUSTER-13: an answer that could not be kept while Redis was away for long begins again after it', async () => {
    const a = await join(300);
    const session = aSession({ start: 'now' });
    const { streamId } = session.request;
    await a.registry.create(session);
    await asked(a);
    const { reader } = await read(a, streamId);
    await server.kill();
    a.model.text('never kept');
    await vi.waitFor(() => expect(reader).toMatchObject({ ended: true, endError: {} }), SOON);
    expect(reader.text()).toBe('');
    const isGivenUp = () =>
      a.logger.lines.some(({ message }) => message.startsWith('callback could not'));
    await vi.waitFor(() => expect(isGivenUp()).toBe(true), SOON);
    await server.restart();
    await vi.waitFor(() => expect(a.model.requests).toHaveLength(2), SOON);
    const again = await read(a, streamId);
    a.model.text('kept');
    finish(a);
    await vi.waitFor(() => expect(again.reader.ended).toBe(true), SOON);
    expect(again.reader.events()[0]).toMatchObject({ type: 'restart' });
    const told = outbox.kept.filter(({ id }) => id === `msg_${streamId}`);
    expect(told.map(({ body }) => JSON.parse(body))).toMatchObject([
      { status: 'completed', answer: 'kept' },
    ]);
    expect(a.ended).toEqual([streamId]);
  }, 20_000);

  it('CLUSTER-2: an instance that has lost a stream does not tell its end', async () => {
    const a = await join();
    const session = aSession({ start: 'now' });
    const { streamId } = session.request;
    await a.registry.create(session);
    await asked(a);
    const { reader } = await read(a, streamId);
    a.model.text('old');
    await vi.waitFor(() => expect(reader.text()).toBe('old'), SOON);
    await control.hset(ownerKey(streamId), 'instance', 'other', 'fence', '9000000000000000');
    finish(a);
    await vi.waitFor(
      () => expect(reader).toMatchObject({ ended: true, endError: undefined }),
      SOON,
    );
    expect(outbox.kept.filter(({ id }) => id === `msg_${streamId}`)).toEqual([]);
    expect(reader.events().map(({ type }) => type)).toEqual(['delta']);
    expect(a.ended).toEqual([]);
  });

  it('STREAM-4: an ended stream is forgotten after its retention, by whoever is there', async () => {
    const [a, b] = [await join(), await join()];
    const session = aSession({ start: 'now', resumeUrl: '' }, 1_000);
    const { streamId } = session.request;
    await a.registry.create(session);
    await asked(a);
    outbox.report({ status: 'pending', attempts: 1 });
    finish(a);
    await vi.waitFor(
      async () => expect((await b.registry.get(streamId))?.status).toBe('completed'),
      SOON,
    );
    expect(await control.keys(ownedKey('*'))).toEqual([]);
    a.clock.aheadMs = 1_001;
    const forgetAtMs = async () => Number(await control.zscore(RETAINED_KEY, streamId));
    await vi.waitFor(
      async () => expect(await forgetAtMs()).toBeGreaterThan(Date.now() + 5_000),
      SOON,
    );
    // Its callback is on its way.
    expect(await b.registry.get(streamId)).toBeDefined();
    outbox.report({ status: 'delivered', attempts: 1 });
    b.clock.aheadMs = 25_000;
    await vi.waitFor(async () => expect(await b.registry.get(streamId)).toBeUndefined(), SOON);
    expect(await a.registry.get(streamId)).toBeUndefined();
    expect(await control.keys(`hw:{${streamId}}:[ls]*`)).toEqual([]);
  }, 30_000);
});
