import type { AttemptOutcome } from '@headwater/shared/callbacks/delivery';
import { GIVE_UP_AFTER_MS, newDelivery } from '@headwater/shared/callbacks/delivery';
import { createOutbox } from '@headwater/shared/callbacks/outbox';
import { CLAIMS_PER_HOST } from '@headwater/shared/callbacks/outbox-store';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { describeOutboxStoreContract } from '@headwater/shared/testing/outbox-store-contract';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { createRedisOutboxStore } from './redis-outbox-store.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const RETENTION_MS = 600_000;

const aDelivery = (id: string, dueMs = NOW_MS) =>
  newDelivery({ id, url: 'https://n8n.example/wait', body: '{}' }, dueMs);

describeWithRedis('on a real Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  const clients: Redis[] = [];

  /** A client of its own, as another process has one. */
  function connect(): Redis {
    const client = new Redis(server.url, { maxRetriesPerRequest: 5, commandTimeout: 5_000 });
    // Shown by the commands that fail; without a listener ioredis prints it.
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  }
  const open = (client = connect()) =>
    createRedisOutboxStore({ redis: client, retentionMs: RETENTION_MS });

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
    redis = connect();
  });
  afterEach(async () => {
    await redis.flushdb();
    for (const client of clients.splice(0)) if (client !== redis) client.disconnect();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  describeOutboxStoreContract(
    'Redis',
    (test) => test({ store: open(redis), reopen: () => open(), other: () => open() }),
    { durable: true, shared: true },
  );

  it('OUTBOX-7: what was acknowledged outlives a Redis that is killed', async () => {
    const store = open(redis);
    await store.add(aDelivery('m1'));
    await store.add(aDelivery('m2', NOW_MS + 1));
    const [claim] = await store.claim(NOW_MS, NOW_MS + 60_000, 1);
    await server.kill();
    await server.restart();
    const again = open();
    expect(
      (await again.claim(NOW_MS + 1, NOW_MS + 60_000, 9)).map(({ state }) => state.id),
    ).toEqual(['m2']);
    await again.put({ ...aDelivery('m1'), status: 'delivered' }, claim?.token ?? 0);
    expect(await again.get('m1')).toMatchObject({ status: 'delivered' });
  });

  it('OUTBOX-12: a Redis that is away is `unavailable`, and its address stays unsaid', async () => {
    const client = new Redis('redis://:secret@127.0.0.1:1', {
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    client.on('error', () => undefined);
    const store = open(client);
    await expect(store.add(aDelivery('m1'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.get('m1')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.nextDueMs()).rejects.not.toThrow(/secret|127\.0\.0\.1/);
  });

  it('OUTBOX-14: a delivery leaves Redis in the end, with everything that was kept for it', async () => {
    const store = open(redis);
    await store.add(aDelivery('m1'));
    const [claim] = await store.claim(NOW_MS, NOW_MS + 60_000, 1);
    await store.put({ ...aDelivery('m1'), status: 'failed' }, claim?.token ?? 0);
    const ttlMs = await redis.pttl('hw:{outbox}:delivery:m1');
    expect(ttlMs).toBeLessThanOrEqual(GIVE_UP_AFTER_MS + RETENTION_MS);
    expect(ttlMs).toBeGreaterThan(GIVE_UP_AFTER_MS + RETENTION_MS - 60_000);
    expect(await redis.keys('*')).toEqual(
      expect.arrayContaining(['hw:{outbox}:delivery:m1', 'hw:{outbox}:tokens']),
    );
    expect(await redis.dbsize()).toBe(2);
    await store.drop('m1');
    expect(await redis.keys('*')).toEqual(['hw:{outbox}:tokens']);
  });

  it('OUTBOX-14: what outlived its time is passed over, waiting or claimed', async () => {
    const store = open(redis);
    for (const id of ['m1', 'm2', 'm3']) await store.add(aDelivery(id));
    const [claim] = await store.claim(NOW_MS, NOW_MS + 10, 1);
    const waiting = ['m1', 'm2', 'm3'].filter((id) => id !== claim?.state.id);
    await redis.del(`hw:{outbox}:delivery:${claim?.state.id}`);
    await redis.del(`hw:{outbox}:delivery:${waiting[0]}`);
    const claims = await store.claim(NOW_MS + 10, NOW_MS + 20, 9);
    expect(claims.map(({ state }) => state.id)).toEqual([waiting[1]]);
    for (const { state, token } of claims) await store.put({ ...state, status: 'failed' }, token);
    expect(await redis.dbsize()).toBe(2);
  });

  it('OUTBOX-5, OUTBOX-13: instances on one Redis deliver each of many callbacks once', async () => {
    const sent = new Map<string, number>();
    const now = new Map<string, number>();
    let mostAtOnce = 0;
    const send = async ({ id, url }: { id: string; url: string }): Promise<AttemptOutcome> => {
      const tries = (sent.get(id) ?? 0) + 1;
      sent.set(id, tries);
      const { host } = new URL(url);
      now.set(host, (now.get(host) ?? 0) + 1);
      mostAtOnce = Math.max(mostAtOnce, now.get(host) ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
      now.set(host, (now.get(host) ?? 0) - 1);
      // Every third one is not taken at first.
      const isLate = Number(id.slice(1)) % 3 === 0 && tries === 1;
      return isLate ? { type: 'retry', status: 409 } : { type: 'delivered', status: 200 };
    };
    const instances = Array.from({ length: 3 }, () => {
      const alarm = createTimerAlarm(() => void outbox.wake());
      const outbox = createOutbox({
        store: open(),
        send,
        clock: { nowMs: () => Date.now() },
        alarm,
        logger: createSilentLogger(),
        random: () => 0,
        sharedPollMs: 100,
      });
      return { outbox, alarm };
    });
    const ids = Array.from({ length: 300 }, (_, index) => `m${index}`);
    const url = (index: number) => `https://r${index % 5}.example/`;
    await Promise.all(
      instances.flatMap(({ outbox }) =>
        ids.map((id, index) => outbox.enqueue({ id, url: url(index), body: '{}' })),
      ),
    );
    const store = open(redis);
    await expect.poll(() => store.nextDueMs(), { timeout: 10_000 }).toBeUndefined();
    for (const { alarm } of instances) alarm.set(undefined);
    expect([...sent.keys()].sort()).toEqual([...ids].sort());
    for (const [id, tries] of sent) expect(tries, id).toBe(Number(id.slice(1)) % 3 === 0 ? 2 : 1);
    expect(mostAtOnce).toBeLessThanOrEqual(CLAIMS_PER_HOST);
  });

  it('OUTBOX-13: what an instance was sending when it died is sent by another 10 s later', async () => {
    let nowMs = NOW_MS;
    const sent: string[] = [];
    const instance = (name: string, outcome: () => Promise<AttemptOutcome>) =>
      createOutbox({
        store: open(),
        send: ({ id }) => {
          sent.push(`${name}: ${id}`);
          return outcome();
        },
        clock: { nowMs: () => nowMs },
        // The test wakes them.
        alarm: { set: () => undefined },
        logger: createSilentLogger(),
        random: () => 0,
        sharedPollMs: 1_000,
      });
    const first = instance('first', () => new Promise(() => undefined));
    const second = instance('second', async () => ({ type: 'delivered', status: 200 }));
    const store = open(redis);
    await store.add(aDelivery('m1'));
    void first.wake();
    await expect.poll(() => sent).toEqual(['first: m1']);
    // Alive, however long its receiver takes.
    for (let time = 0; time < 4; time += 1) {
      nowMs += 9_000;
      void first.wake();
      await expect.poll(() => store.nextDueMs()).toBe(nowMs + 10_000);
      await second.wake();
    }
    nowMs += 9_999;
    await second.wake();
    expect(sent).toEqual(['first: m1']);
    nowMs += 1;
    await second.wake();
    expect(sent).toEqual(['first: m1', 'second: m1']);
    expect(await second.view('m1')).toMatchObject({ status: 'delivered' });
  });
});
