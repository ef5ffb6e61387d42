/** Deliveries in Redis, shared by every instance of a cluster. */

import { type DeliveryState, GIVE_UP_AFTER_MS } from '@headwater/shared/callbacks/delivery';
import { type OutboxStore, receiverOf } from '@headwater/shared/callbacks/outbox-store';
import type { Redis } from 'ioredis';
import { redisFault } from './redis-connection.ts';
import { ADD, CLAIM, DROP, NEXT_DUE, PUT, RENEW } from './redis-outbox-scripts.ts';

/** What the store is made of. */
export interface RedisOutboxOptions {
  readonly redis: Redis;
  /**
   * How long a callback is shown once it is over, in ms. A delivery leaves Redis this long after
   * the last time at which it may still be pending, also where nobody drops it.
   */
  readonly retentionMs: number;
  /** What every key begins with. The braces keep all of them in one slot of a Redis Cluster. */
  readonly prefix?: string;
}

/** The scripts, as `defineCommand` puts them on the client. */
interface OutboxCommands {
  hwOutboxAdd(
    prefix: string,
    id: string,
    receiver: string,
    dueMs: number,
    state: string,
    ttlMs: number,
  ): Promise<number>;
  hwOutboxPut(
    prefix: string,
    id: string,
    token: number,
    status: DeliveryState['status'],
    dueMs: number,
    state: string,
  ): Promise<number>;
  /** States and tokens, in turn. */
  hwOutboxClaim(
    prefix: string,
    nowMs: number,
    untilMs: number,
    limit: number,
  ): Promise<(string | number)[]>;
  hwOutboxRenew(
    prefix: string,
    untilMs: number,
    ...idsAndTokens: (string | number)[]
  ): Promise<number>;
  hwOutboxNextDue(prefix: string): Promise<string | null>;
  hwOutboxDrop(prefix: string, id: string): Promise<number>;
}

/**
 * Opens the store. It is as durable as Redis is: with `appendonly yes` what was acknowledged
 * outlives a crash of Redis, and `appendfsync everysec` may cost a power cut's last second.
 *
 * Claims are in Redis too: an instance that dies leaves its deliveries to the others when its
 * leases end. Leases are compared by the clocks of the instances, which may differ by what a lease
 * is longer than an attempt. Redis that does not answer is `unavailable`.
 *
 * A command that is sent again because its connection broke does no harm: what it kept is known,
 * and what it claimed is hidden until its lease ends.
 */
export function createRedisOutboxStore(options: RedisOutboxOptions): OutboxStore {
  const { redis, retentionMs, prefix = 'hw:{outbox}:' } = options;
  const ttlMs = GIVE_UP_AFTER_MS + retentionMs;
  const scripts = {
    hwOutboxAdd: ADD,
    hwOutboxPut: PUT,
    hwOutboxClaim: CLAIM,
    hwOutboxRenew: RENEW,
    hwOutboxNextDue: NEXT_DUE,
    hwOutboxDrop: DROP,
  } satisfies Record<keyof OutboxCommands, string>;
  for (const [name, lua] of Object.entries(scripts)) {
    redis.defineCommand(name, { numberOfKeys: 1, lua });
  }
  const commands = redis as unknown as OutboxCommands;

  return {
    async add(state) {
      const { id, url, nextAttemptAtMs } = state;
      const json = JSON.stringify(state);
      const added = commands.hwOutboxAdd(prefix, id, receiverOf(url), nextAttemptAtMs, json, ttlMs);
      return (await answered(added)) === 1;
    },
    async put(state, token) {
      const { id, status, nextAttemptAtMs } = state;
      const json = JSON.stringify(state);
      await answered(commands.hwOutboxPut(prefix, id, token, status, nextAttemptAtMs, json));
    },
    async get(id) {
      const json = await answered(redis.hget(`${prefix}delivery:${id}`, 'state'));
      return json === null ? undefined : (JSON.parse(json) as DeliveryState);
    },
    async claim(nowMs, untilMs, limit) {
      const flat = await answered(commands.hwOutboxClaim(prefix, nowMs, untilMs, limit));
      return Array.from({ length: flat.length / 2 }, (_, index) => ({
        state: JSON.parse(String(flat[2 * index])) as DeliveryState,
        token: Number(flat[2 * index + 1]),
      }));
    },
    async renew(claims, untilMs) {
      const flat = claims.flatMap(({ id, token }) => [id, token]);
      await answered(commands.hwOutboxRenew(prefix, untilMs, ...flat));
    },
    async nextDueMs() {
      const dueMs = await answered(commands.hwOutboxNextDue(prefix));
      return dueMs === null ? undefined : Number(dueMs);
    },
    async drop(id) {
      await answered(commands.hwOutboxDrop(prefix, id));
    },
  };
}

async function answered<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (thrown) {
    throw redisFault(thrown);
  }
}
