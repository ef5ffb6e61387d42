import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import {
  aChange,
  aSubmission,
  aTask,
  TASK_TIME_MS as NOW_MS,
} from '@headwater/shared/testing/task-fixtures';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { connectRedis } from './redis-connection.ts';
import { createRedisTaskStore, type RedisTaskStore } from './redis-task-store.ts';

describeWithRedis('claims of many tasks with one call', () => {
  let server: RedisServer;
  let redis: Redis;
  let store: RedisTaskStore;
  let ids = 0;

  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    redis = connectRedis(server.url, () => undefined);
    await redis.flushall();
    store = createRedisTaskStore({ redis, retentionMs: 600_000, logger: createSilentLogger() });
    await store.beat('n1', NOW_MS + 60_000);
  });
  afterEach(() => {
    store.close();
    redis.disconnect();
  });
  afterAll(() => server.stop());

  /** Tasks of one caller, in the order in which they are to be served. */
  async function submit(owner: string, count: number): Promise<string[]> {
    const tasks = Array.from({ length: count }, (_, at) => {
      ids += 1;
      return aTask(`task_${ids}`, { type: 't', owner, createdAtMs: NOW_MS + at });
    });
    await store.submit(aSubmission(tasks));
    return tasks.map(({ spec }) => spec.id);
  }
  async function claim(limit: number) {
    return (await store.claim('t', 'n1', limit, NOW_MS + 1_000)).map(({ spec }) => spec);
  }
  const countOf = (specs: readonly { readonly owner: string }[], owner: string) =>
    specs.filter((spec) => spec.owner === owner).length;

  it('QUEUE-4: more callers than tasks of a call get one each, the next call goes on with the others', async () => {
    for (let at = 0; at < 10; at += 1) await submit(`caller-${at}`, 3);
    const calls = [await claim(4), await claim(4), await claim(4)];
    expect(calls.map(({ length }) => length)).toEqual([4, 4, 4]);
    const first = calls.flat().slice(0, 10);
    expect(new Set(first.map(({ owner }) => owner)).size).toBe(10);
  });

  it('QUEUE-4: fewer callers than tasks of a call take turns within it', async () => {
    const lines = new Map<string, string[]>();
    for (const owner of ['ann', 'bob', 'eve']) lines.set(owner, await submit(owner, 20));
    const claimed = await claim(31);
    for (let begun = 1; begun <= claimed.length; begun += 1) {
      const counts = [...lines.keys()].map((owner) => countOf(claimed.slice(0, begun), owner));
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    for (const [owner, line] of lines) {
      const own = claimed.filter((spec) => spec.owner === owner).map(({ id }) => id);
      expect(own).toEqual(line.slice(0, own.length));
    }
  });

  it('QUEUE-4: callers whose line has run empty cost nobody a task, and nobody gets ahead for them', async () => {
    for (let at = 0; at < 8; at += 1) {
      for (const id of await submit(`gone-${at}`, 1)) {
        const before = await store.get(id);
        if (before === undefined) throw new Error(`${id} is gone`);
        await store.commit([aChange(before, { type: 'cancel' })]);
      }
    }
    await submit('ann', 12);
    await submit('zoe', 12);
    const claimed = await claim(10);
    expect([countOf(claimed, 'ann'), countOf(claimed, 'zoe')]).toEqual([5, 5]);
    expect(await claim(50)).toHaveLength(14);
    expect(await claim(50)).toEqual([]);
  });

  it('QUEUE-7: calls of any size hand out each task once, and count it', async () => {
    const all = (
      await Promise.all(Array.from({ length: 40 }, (_, at) => submit(`caller-${at}`, (at % 7) + 1)))
    ).flat();
    const claimed: string[] = [];
    for (let limit = 1; claimed.length < all.length; limit += 1) {
      const some = await claim(limit);
      expect(some).toHaveLength(Math.min(limit, all.length - claimed.length));
      claimed.push(...some.map(({ id }) => id));
    }
    expect(claimed.toSorted()).toEqual(all.toSorted());
    expect((await store.held('n1')).toSorted()).toEqual(all.toSorted());
    expect((await store.counts(NOW_MS)).get('t')).toMatchObject({
      queued: 0,
      running: all.length,
    });
    expect(await redis.keys('hw:{tasks}:line:*')).toEqual([]);
  });
});
