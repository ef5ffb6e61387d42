import { randomUUID } from 'node:crypto';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { createVirtualClock } from '@headwater/shared/testing/virtual-clock';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { connectRedis } from './redis-connection.ts';
import { heartbeatKey, INSTANCES_KEY, ownedKey, ownerKey } from './redis-keys.ts';
import { createRedisOwnership, HEARTBEAT_MS } from './redis-ownership.ts';
import { createRedisScripts } from './redis-scripts.ts';

describeWithRedis('instances of a cluster', () => {
  let server: RedisServer;
  let control: Redis;
  const open: Redis[] = [];

  const connection = () => {
    const redis = connectRedis(server.url, () => undefined);
    open.push(redis);
    return redis;
  };

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
    control = connectRedis(server.url, () => undefined);
  });

  afterAll(async () => {
    control.disconnect();
    await server.stop();
  });

  beforeEach(() => control.flushall());

  afterEach(() => {
    for (const redis of open.splice(0)) redis.disconnect();
  });

  /** An instance on a connection and a clock of its own. */
  async function join(instanceId: string) {
    const redis = connection();
    await redis.ping();
    const scripts = createRedisScripts(redis);
    const clock = createVirtualClock();
    const taken: string[] = [];
    const cameBack = vi.fn(async () => undefined);
    const ownership = createRedisOwnership({
      redis,
      scripts,
      instanceId,
      clock,
      logger: createSilentLogger(),
      async takenOver(streamId, fence) {
        taken.push(`${streamId} ${fence}`);
      },
      cameBack,
    });
    await ownership.beat();
    return { redis, scripts, clock, taken, ownership, cameBack, instanceId };
  }

  async function withStreams(instanceId: string, count: number) {
    const instance = await join(instanceId);
    const ids = Array.from({ length: count }, () => randomUUID());
    for (const id of ids) await instance.scripts.create(id, instanceId, '{}');
    return { ...instance, ids };
  }

  const idsOf = (taken: readonly string[]) => taken.map((line) => line.split(' ')[0]).sort();

  it('CLUSTER-6: the streams of an instance without heartbeat are taken over after three looks', async () => {
    const dead = await withStreams('dead', 100);
    const b = await join('b');
    await b.clock.advance(HEARTBEAT_MS + 1);
    await b.ownership.look();
    expect(b.taken).toEqual([]);
    await control.del(heartbeatKey('dead'));
    for (let looks = 0; looks < 2; looks += 1) await b.ownership.look();
    expect(b.taken).toEqual([]);
    await b.ownership.look();
    expect(idsOf(b.taken)).toEqual([...dead.ids].sort());
    expect(await control.smembers(ownedKey('b'))).toHaveLength(100);
    expect(await control.exists(ownedKey('dead'))).toBe(0);
    expect(await control.smembers(INSTANCES_KEY)).toEqual(['b']);
  });

  it('CLUSTER-6: a heartbeat between two looks makes an instance whole again', async () => {
    const a = await withStreams('a', 3);
    const b = await join('b');
    await b.clock.advance(HEARTBEAT_MS + 1);
    for (let round = 0; round < 5; round += 1) {
      await control.del(heartbeatKey('a'));
      await b.ownership.look();
      await b.ownership.look();
      await a.ownership.beat();
      await b.ownership.look();
    }
    expect(b.taken).toEqual([]);
    expect(a.cameBack).toHaveBeenCalledTimes(5);
  });

  it('CLUSTER-6: two takers race 200 times, and each stream has exactly one winner', async () => {
    const takers = [await join('b'), await join('c')];
    for (const { clock } of takers) await clock.advance(HEARTBEAT_MS + 1);
    const winners = new Map<string, number>();
    for (let round = 0; round < 200; round += 1) {
      const id = randomUUID();
      await takers[0]?.scripts.create(id, 'dead', '{}');
      const fences = await Promise.all(
        takers.map(({ scripts, instanceId }) => scripts.claim(id, 'dead', instanceId)),
      );
      const won = fences.filter((fence) => fence !== 'gone');
      expect(won).toHaveLength(1);
      const winner = takers[fences.findIndex((fence) => fence !== 'gone')]?.instanceId ?? '';
      expect(await control.hgetall(ownerKey(id))).toEqual({ instance: winner, fence: won[0] });
      winners.set(winner, (winners.get(winner) ?? 0) + 1);
    }
    expect([...winners.values()].reduce((sum, count) => sum + count)).toBe(200);
  });

  it('CLUSTER-6: two takers that look at once share what a dead instance owned, each stream once', async () => {
    const dead = await withStreams('dead', 200);
    const takers = [await join('b'), await join('c')];
    for (const { clock } of takers) await clock.advance(HEARTBEAT_MS + 1);
    await control.del(heartbeatKey('dead'));
    for (let looks = 0; looks < 3; looks += 1) {
      await Promise.all(takers.map(({ ownership }) => ownership.look()));
    }
    expect(idsOf(takers.flatMap(({ taken }) => taken))).toEqual([...dead.ids].sort());
    for (const { taken } of takers) expect(taken.length).toBeGreaterThan(0);
  });

  it('CLUSTER-7: an instance that leaves is followed at once, without a wait', async () => {
    const a = await withStreams('a', 5);
    const b = await join('b');
    await a.ownership.leave();
    await a.ownership.beat();
    await b.ownership.look();
    expect(idsOf(b.taken)).toEqual([...a.ids].sort());
  });

  it('CLUSTER-8: after a restart of Redis nobody is taken for dead before everybody had time to beat', async () => {
    const a = await withStreams('a', 3);
    const b = await join('b');
    await b.clock.advance(HEARTBEAT_MS + 1);
    await server.kill();
    await vi.waitFor(() => expect(b.redis.status).not.toBe('ready'));
    await server.restart();
    await vi.waitFor(() => expect(b.redis.status).toBe('ready'));
    await control.del(heartbeatKey('a'));
    for (let looks = 0; looks < 10; looks += 1) await b.ownership.look();
    expect(b.taken).toEqual([]);
    await vi.waitFor(() => expect(b.cameBack).toHaveBeenCalled());
    await vi.waitFor(() => expect(a.cameBack).toHaveBeenCalled());
    await control.del(heartbeatKey('a'));
    await b.clock.advance(HEARTBEAT_MS + 1);
    for (let looks = 0; looks < 3; looks += 1) await b.ownership.look();
    expect(b.taken).toHaveLength(3);
  });

  it('CLUSTER-3: an instance may write itself in again only within a minute of its last heartbeat', async () => {
    const a = await join('a');
    await a.clock.advance(59_999);
    expect(a.ownership.mayRewrite()).toBe(true);
    await a.clock.advance(1);
    expect(a.ownership.mayRewrite()).toBe(false);
    await a.ownership.beat();
    expect(a.ownership.mayRewrite()).toBe(true);
  });

  it('CLUSTER-2: a stream claimed again by its own instance has a new fence; another one gets none', async () => {
    const a = await withStreams('a', 1);
    const b = await join('b');
    const [id = ''] = a.ids;
    const before = await control.hget(ownerKey(id), 'fence');
    const again = await a.ownership.reclaim(id);
    expect(Number(again)).toBeGreaterThan(Number(before));
    expect(await b.ownership.reclaim(id)).toBeUndefined();
    expect(await a.ownership.owned()).toEqual([id]);
  });
});
