import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../adapters/redis-connection.ts';
import { describeBlobStore } from '../testing/blob-store-contract.ts';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { withInputFolder } from '../testing/input-folder.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { createRedisBlobStore } from './redis-blob-store.ts';
import { openSpool } from './spool.ts';

async function* large(): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < 12; sent += 1) yield new Uint8Array(1_000_000).fill(sent);
}

describeWithRedis('files in Redis', () => {
  let server: RedisServer;
  let redis: ReturnType<typeof connectRedis>;

  beforeAll(async () => {
    server = await startRedis(['--maxmemory-policy', 'noeviction']);
    redis = connectRedis(server.url, () => undefined, 5_000);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  describeBlobStore('Redis', (test) =>
    withInputFolder(async ({ path }) => {
      await redis.flushall();
      const spool = await openSpool(path);
      await test({
        blobs: createRedisBlobStore({ redis, spool }),
        spool,
        stored: () => redis.dbsize(),
        spooled: async () => (await readdir(path)).length,
      });
    }),
  );

  describe('its own ways', () => {
    it('INPUT-24: every key ends by itself, and an attempt prolongs it', () =>
      withInputFolder(async ({ path }) => {
        await redis.flushall();
        const blobs = createRedisBlobStore({ redis, spool: await openSpool(path), ttlMs: 90_000 });
        const { blob } = await blobs.put(large(), 1e9);
        const keys = await redis.keys('*');
        expect(keys).toHaveLength(13);
        for (const key of keys) {
          const ttlMs = await redis.pttl(key);
          expect(ttlMs).toBeGreaterThan(60_000);
          await redis.pexpire(key, 30_000);
        }
        await (await blobs.lend(blob)).release();
        for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(60_000);
      }));

    it('INPUT-21: a Redis that is full is `unavailable`, and nothing is left', () =>
      withInputFolder(async ({ path, files }) => {
        await redis.flushall();
        const blobs = createRedisBlobStore({ redis, spool: await openSpool(path) });
        await redis.config('SET', 'maxmemory', '6mb');
        try {
          await expect(blobs.put(large(), 1e9)).rejects.toMatchObject({ code: 'unavailable' });
        } finally {
          await redis.config('SET', 'maxmemory', '0');
        }
        expect(await redis.dbsize()).toBe(0);
        expect(await files()).toEqual([]);
      }));

    it('INPUT-24: a file of which a chunk is gone is `not_found`, and no part of it is lent', () =>
      withInputFolder(async ({ path, files }) => {
        await redis.flushall();
        const blobs = createRedisBlobStore({ redis, spool: await openSpool(path) });
        const { blob } = await blobs.put(large(), 1e9);
        await redis.del(`hw:blob:${blob}:7`);
        await expect(blobs.lend(blob)).rejects.toMatchObject({ code: 'not_found' });
        expect(await files()).toEqual([]);
      }));
  });
});
