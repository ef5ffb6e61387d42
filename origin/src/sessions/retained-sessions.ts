/** Forgets ended streams of a cluster once their retention is over; any instance may do it. */

import { callbackIdOf } from '@headwater/shared/stream/callback-payload';
import type { Outbox } from '@headwater/shared/stream/ports';
import type { Redis } from 'ioredis';
import { logKey, RETAINED_KEY, stateKey } from '../adapters/redis-keys.ts';
import { endedTtlMs, type RedisScripts } from '../adapters/redis-scripts.ts';
import { loadSession } from '../adapters/redis-session-store.ts';

/** Streams that one sweep takes on. */
const SWEEP_LIMIT = 200;

/** Nobody else takes a stream on for this long, in ms. */
const SWEEP_LEASE_MS = 10_000;

/** Least pause before a stream whose callback is on its way is looked at again, in ms. */
const PENDING_RETRY_MS = 10_000;

/** Forgets what is overdue; one whose callback is still on its way is kept. Calls `forgotten` for each. */
export async function sweepRetained(
  ports: { readonly redis: Redis; readonly scripts: RedisScripts; readonly outbox: Outbox },
  nowMs: number,
  forgotten: (streamId: string) => void,
): Promise<void> {
  const { redis, scripts, outbox } = ports;

  async function settle(streamId: string): Promise<void> {
    const delivery = await outbox.view(callbackIdOf(streamId));
    const state = await loadSession(redis, streamId);
    if (delivery?.status === 'pending' && state !== undefined) {
      const { retentionMs } = state.times;
      const waitMs = Math.max(PENDING_RETRY_MS, retentionMs);
      const ttlMs = endedTtlMs(waitMs);
      await redis.pexpire(stateKey(streamId), ttlMs);
      await redis.pexpire(logKey(streamId), ttlMs);
      await redis.zadd(RETAINED_KEY, nowMs + waitMs, streamId);
      return;
    }
    if (delivery !== undefined) await outbox.forget(callbackIdOf(streamId));
    await redis.del(logKey(streamId), stateKey(streamId));
    await redis.zrem(RETAINED_KEY, streamId);
    forgotten(streamId);
  }

  const due = await scripts.overdue(nowMs, nowMs + SWEEP_LEASE_MS, SWEEP_LIMIT);
  await Promise.all(due.map(settle));
}
