import { createMemoryStore } from '@headwater/shared/stream/memory-store';
import { createRecordingOutbox } from '@headwater/shared/testing/recording-outbox';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectRedis } from '../adapters/redis-connection.ts';
import { createRedisScripts, type RedisScripts } from '../adapters/redis-scripts.ts';
import type { LiveLease } from '../adapters/redis-stream-log.ts';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { fenceEnd } from './fence-end.ts';

const CALLBACK = { id: 'msg_s1', url: 'https://n8n.example/', body: '{}' };

describeWithRedis('the end of a session of a cluster', () => {
  let server: RedisServer;
  let redis: Redis;
  let scripts: RedisScripts;

  beforeAll(async () => {
    server = await startRedis();
    redis = connectRedis(server.url, () => undefined);
    scripts = createRedisScripts(redis);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(() => redis.flushall());

  const live = { ...aNewSession(Date.UTC(2030, 0, 1)), status: 'streaming' } as const;
  const ended = { ...live, status: 'failed' } as const;

  async function owned() {
    const fence = (await scripts.create('s1', 'a', '{}')) ?? '';
    const lease: LiveLease = { streamId: 's1', instanceId: 'a', fence, mayRewrite: () => true };
    const outbox = createRecordingOutbox();
    const store = createMemoryStore();
    return { lease, outbox, store };
  }

  it('CLUSTER-2: an instance that has lost the stream calls nobody', async () => {
    const { lease, outbox, store } = await owned();
    const fenced = fenceEnd({ scripts, lease }, store, outbox);
    await scripts.claim('s1', 'a', 'b');
    const told = async () => fenced.outbox.enqueue(CALLBACK);
    await expect(told()).rejects.toMatchObject({ code: 'conflict' });
    expect(outbox.calls).toEqual([]);
  });

  it('CLUSTER-13: an end is not kept before its callback is, and live states always are', async () => {
    const { lease, outbox, store } = await owned();
    let refusal: Error | undefined = new Error('away');
    const failing = {
      ...outbox,
      async enqueue(callback: typeof CALLBACK) {
        if (refusal !== undefined) throw refusal;
        await outbox.enqueue(callback);
      },
    };
    const fenced = fenceEnd({ scripts, lease }, store, failing);
    const save = async (state: typeof live | typeof ended) => fenced.store.save(state);
    const told = async () => fenced.outbox.enqueue(CALLBACK);
    await expect(told()).rejects.toThrow('away');
    await expect(save(ended)).rejects.toMatchObject({ code: 'unavailable' });
    await save(live);
    expect(store.load()).toEqual(live);
    refusal = undefined;
    await told();
    await save(ended);
    expect(store.load()).toEqual(ended);
    expect(outbox.kept).toHaveLength(1);
  });
});
