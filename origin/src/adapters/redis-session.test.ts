import { randomUUID } from 'node:crypto';
import type { StreamEvent } from '@headwater/shared/stream/event';
import { newSession } from '@headwater/shared/stream/session-state';
import { aStreamRequest } from '@headwater/shared/testing/session-fixtures';
import { describeSessionStoreContract } from '@headwater/shared/testing/session-store-contract';
import { describeStreamLogContract } from '@headwater/shared/testing/stream-log-contract';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { connectRedis } from './redis-connection.ts';
import { logKey, ownerKey, RETAINED_KEY, stateKey } from './redis-keys.ts';
import { createRedisScripts, type RedisScripts } from './redis-scripts.ts';
import { createRedisSessionStore, loadSession } from './redis-session-store.ts';
import { createRedisLogReader, createRedisStreamLog, type LiveLease } from './redis-stream-log.ts';

const EPOCH = 1_893_456_000;

const delta = (text: string): StreamEvent => ({ type: 'delta', text });

const batchAt = (firstSeq: number, ...texts: string[]) => ({
  epoch: EPOCH,
  firstSeq,
  events: texts.map(delta),
});

describeWithRedis('sessions in Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let scripts: RedisScripts;
  let streamId: string;

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
    redis = connectRedis(server.url, () => undefined);
    scripts = createRedisScripts(redis);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    streamId = randomUUID();
  });

  const stateOf = (id: string) =>
    newSession(
      aStreamRequest({ streamId: id }),
      { ttlMs: 60_000, retentionMs: 600_000 },
      Date.now(),
    );

  /** A new stream of an instance. */
  async function owned(instanceId = 'a', mayRewrite = true): Promise<LiveLease> {
    const fence = await scripts.create(streamId, instanceId, JSON.stringify(stateOf(streamId)));
    if (fence === undefined) throw new Error('the stream is there already');
    return { streamId, instanceId, fence, mayRewrite: () => mayRewrite };
  }

  /** Another instance takes it. */
  async function taken(from: string, to: string): Promise<LiveLease> {
    const fence = await scripts.claim(streamId, from, to);
    return { streamId, instanceId: to, fence, mayRewrite: () => true };
  }

  const logOf = (lease: LiveLease, isNew = true) =>
    createRedisStreamLog({ redis, scripts, lease }, isNew);

  describeStreamLogContract(
    'Redis Streams',
    async (test) => {
      const lease = await owned();
      await test({ log: logOf(lease), reopen: () => logOf(lease, false) });
    },
    { durable: true, goesOn: true },
  );

  describeSessionStoreContract(
    'Redis',
    async (test) => {
      const lease = await owned();
      await redis.del(stateKey(streamId));
      await test({
        store: createRedisSessionStore({ redis, scripts, lease }),
        reopen: () => createRedisSessionStore({ redis, scripts, lease }),
      });
    },
    { durable: true },
  );

  describe('a log that another instance reads', () => {
    it('CLUSTER-1: it has every event, from any place in a batch, in pages of any size', async () => {
      const log = logOf(await owned());
      const texts = Array.from({ length: 700 }, (_, at) => `t${at}`);
      for (let at = 0; at < 700; at += 7)
        await log.append(batchAt(at + 1, ...texts.slice(at, at + 7)));
      const reader = createRedisLogReader(redis, streamId);
      expect(await reader.head()).toEqual({ epoch: EPOCH, seq: 700 });
      for (const limit of [1, 5, 64, 1000]) {
        const seen: StreamEvent[] = [];
        for (;;) {
          const page = await reader.read({ epoch: EPOCH, seq: seen.length }, limit);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(limit);
          seen.push(...page);
        }
        expect(seen).toEqual(texts.map(delta));
      }
      await log.append({ ...batchAt(1, 'again'), epoch: EPOCH + 1 });
      expect(await reader.read({ epoch: EPOCH, seq: 0 }, 10)).toEqual([]);
      expect(await reader.read({ epoch: EPOCH + 1, seq: 0 }, 10)).toEqual([delta('again')]);
    });
  });

  describe('an owner that has lost its stream', () => {
    it('CLUSTER-2: neither appends nor saves, and changes nothing', async () => {
      const first = await owned('a');
      const log = logOf(first);
      const store = createRedisSessionStore({ redis, scripts, lease: first });
      await log.append(batchAt(1, 'a'));
      const second = logOf(await taken('a', 'b'), false);
      for (const refused of [
        async () => log.append(batchAt(2, 'x')),
        async () => log.append({ ...batchAt(1, 'x'), epoch: EPOCH + 5 }),
        async () => log.restore(),
        async () => store.save({ ...stateOf(streamId), lastSeq: 7 }),
      ]) {
        await expect(refused()).rejects.toMatchObject({ code: 'conflict' });
      }
      expect(await second.read({ epoch: EPOCH, seq: 0 }, 10)).toEqual([delta('a')]);
      await second.append({ ...batchAt(1, 'b'), epoch: EPOCH + 1 });
      expect((await loadSession(redis, streamId))?.lastSeq).toBe(0);
    });

    it('CLUSTER-2: fences rise with every owner, also where Redis has forgotten the last one', async () => {
      const first = await owned('a');
      const forgotten = await taken('a', 'b');
      await redis.hset(ownerKey(streamId), 'instance', 'a', 'fence', first.fence);
      const third = await taken('a', 'c');
      expect(Number(forgotten.fence)).toBeGreaterThan(Number(first.fence));
      expect(Number(third.fence)).not.toBe(Number(forgotten.fence));
    });
  });

  describe('a Redis that forgets', () => {
    const newest = async () => {
      const lease = await owned();
      const log = logOf(lease);
      const store = createRedisSessionStore({ redis, scripts, lease });
      const state = { ...stateOf(streamId), status: 'streaming', lastSeq: 1 } as const;
      await store.save(state);
      for (let seq = 1; seq <= 600; seq += 1) await log.append(batchAt(seq, `${seq}`));
      return { lease, log, store, state };
    };
    const whole = Array.from({ length: 600 }, (_, at) => delta(`${at + 1}`));
    const readAll = async () => {
      const reader = createRedisLogReader(redis, streamId);
      const seen: StreamEvent[] = [];
      for (;;) {
        const page = await reader.read({ epoch: EPOCH, seq: seen.length }, 1000);
        if (page.length === 0) return seen;
        seen.push(...page);
      }
    };

    it('CLUSTER-3: everything is written again before the next append', async () => {
      const { log } = await newest();
      await redis.flushall();
      await log.append(batchAt(601, 'next'));
      expect(await readAll()).toEqual([...whole, delta('next')]);
    });

    it('CLUSTER-3: a lost tail is written again, and nothing that was kept', async () => {
      const { log, store, state } = await newest();
      for (const [id] of await redis.xrange(logKey(streamId), `${EPOCH}-400`, '+')) {
        await redis.xdel(logKey(streamId), id);
      }
      // XDEL remembers the last id, which a crash does not: the key is made anew.
      const left = await redis.xrange(logKey(streamId), '-', '+');
      await redis.del(logKey(streamId), stateKey(streamId));
      for (const [id, fields] of left) await redis.xadd(logKey(streamId), id, ...fields);
      await log.restore();
      await store.restore();
      expect(await readAll()).toEqual(whole);
      expect(await loadSession(redis, streamId)).toEqual(state);
      await log.append(batchAt(601, 'next'));
      expect(await readAll()).toEqual([...whole, delta('next')]);
    });

    it('CLUSTER-3: an append that finds its log shorter than it was writes the lost part first', async () => {
      const { log } = await newest();
      await redis.del(logKey(streamId));
      await log.append(batchAt(601, 'next'));
      expect(await readAll()).toEqual([...whole, delta('next')]);
    });

    it('CLUSTER-3: an owner that was away for long writes nothing into a Redis that does not know it', async () => {
      const lease = await owned('a', false);
      const log = logOf(lease);
      await log.append(batchAt(1, 'a'));
      await redis.flushall();
      await expect(log.append(batchAt(2, 'b'))).rejects.toMatchObject({ code: 'conflict' });
      await expect(log.restore()).rejects.toMatchObject({ code: 'conflict' });
      expect(await redis.keys('*')).toEqual([]);
    });

    it('CLUSTER-3: a kill -9 of Redis loses no acknowledged append and fails none', async () => {
      const log = logOf(await owned());
      await log.append(batchAt(1, 'a'));
      await server.kill();
      const late = log.append(batchAt(2, 'b'));
      await server.restart();
      await late;
      await log.append(batchAt(3, 'c'));
      const reader = createRedisLogReader(redis, streamId);
      expect(await reader.read({ epoch: EPOCH, seq: 0 }, 10)).toEqual(['a', 'b', 'c'].map(delta));
    });
  });

  describe('what may come twice over a broken connection', () => {
    it('CLUSTER-4: an append, a save and a new stream, sent again, change nothing and succeed', async () => {
      const lease = await owned();
      const batch = { epoch: EPOCH, firstSeq: 1, lastSeq: 2, json: '[{"type":"delta"},{}]' };
      expect(await scripts.append(lease, batch)).toBe('held');
      expect(await scripts.append(lease, batch)).toBe('held');
      expect(await redis.xlen(logKey(streamId))).toBe(1);
      expect(await scripts.create(streamId, 'a', '{}')).toBe(lease.fence);
      expect(await scripts.create(streamId, 'b', '{}')).toBeUndefined();
      expect(await scripts.save(lease, '{"last":1}', 60_000, 5)).toBe('held');
      expect(await scripts.save(lease, '{"last":1}', 60_000, 5)).toBe('held');
      expect(await scripts.save(lease, '{"late":1}', 60_000)).toBe('lost');
      expect(await redis.get(stateKey(streamId))).toBe('{"last":1}');
    });
  });

  it('CLUSTER-5: every key of a stream ends by itself, an ended one after its retention', async () => {
    await redis.flushall();
    const lease = await owned();
    const log = logOf(lease);
    const store = createRedisSessionStore({ redis, scripts, lease });
    await log.append(batchAt(1, 'a'));
    for (const key of await redis.keys('*')) expect(await redis.pttl(key)).toBeGreaterThan(0);
    const ended = { ...stateOf(streamId), status: 'completed', wakeAtMs: 1_000 } as const;
    await store.save(ended);
    expect(store.isEndKept).toBe(true);
    for (const key of [stateKey(streamId), logKey(streamId), ownerKey(streamId)]) {
      expect(await redis.pttl(key)).toBeLessThanOrEqual(600_000 + 3_600_000);
    }
    expect(await redis.zscore(RETAINED_KEY, streamId)).toBe('1000');
    expect(await redis.keys('hw:owned:*')).toEqual([]);
    expect(await scripts.overdue(999, 5_000, 10)).toEqual([]);
    expect(await scripts.overdue(1_000, 5_000, 10)).toEqual([streamId]);
    expect(await scripts.overdue(1_000, 5_000, 10)).toEqual([]);
    await log.drop();
    await store.drop();
    expect(await redis.keys('*')).toEqual([ownerKey(streamId)]);
  });
});
