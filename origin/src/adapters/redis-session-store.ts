/** States of sessions in Redis, written under their owner's fence. */

import type { SessionStore } from '@headwater/shared/stream/ports';
import { isEnded, type SessionState } from '@headwater/shared/stream/session-state';
import type { Redis } from 'ioredis';
import { redisFault } from './redis-connection.ts';
import { LIVE_TTL_MS, RETAINED_KEY, stateKey } from './redis-keys.ts';
import { endedTtlMs } from './redis-scripts.ts';
import { keepLease, type RedisLogPorts, takenOver } from './redis-stream-log.ts';

/** The owner's store of one session. */
export interface RedisSessionStore extends SessionStore {
  /** Writes again what Redis has lost. Throws `conflict` when the stream is another's now. */
  restore(): Promise<void>;
  /** True once Redis has kept the end. */
  readonly isEndKept: boolean;
}

/** Reads the state of any stream. */
export async function loadSession(
  redis: Redis,
  streamId: string,
): Promise<SessionState | undefined> {
  const json = await redis.get(stateKey(streamId)).catch((cause: unknown) => {
    throw redisFault(cause);
  });
  return json === null ? undefined : (JSON.parse(json) as SessionState);
}

/** Makes the store; `kept` is the state that Redis is known to have. */
export function createRedisSessionStore(
  { redis, scripts, lease }: RedisLogPorts,
  kept?: SessionState,
): RedisSessionStore {
  let last = kept;
  let isEndKept = false;

  async function write(state: SessionState): Promise<void> {
    const json = JSON.stringify(state);
    const ends = isEnded(state.status);
    const step = () =>
      ends
        ? scripts.save(lease, json, endedTtlMs(state.times.retentionMs), state.wakeAtMs)
        : scripts.save(lease, json, LIVE_TTL_MS);
    let status = await step();
    if (status === 'unknown') {
      await keepLease(scripts, lease);
      status = await step();
    }
    if (status !== 'held') throw takenOver();
    isEndKept = ends;
  }

  async function save(state: SessionState): Promise<void> {
    await write(state).catch((cause: unknown) => {
      throw redisFault(cause);
    });
    last = state;
  }

  return {
    get isEndKept() {
      return isEndKept;
    },
    // A new session's state is written in the same step as its owner.
    save: (state) => (state === last ? undefined : save(state)),
    load: () => loadSession(redis, lease.streamId),
    async drop() {
      last = undefined;
      await Promise.all([
        redis.del(stateKey(lease.streamId)),
        redis.zrem(RETAINED_KEY, lease.streamId),
      ]).catch((cause: unknown) => {
        throw redisFault(cause);
      });
    },
    async restore() {
      if (last !== undefined && !isEndKept) await save(last);
    },
  };
}
