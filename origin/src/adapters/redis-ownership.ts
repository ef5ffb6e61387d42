/** Which instance answers for which streams: signs of life, and the streams of the dead. */

import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { Redis } from 'ioredis';
import { heartbeatKey, INSTANCES_KEY, LEAVING, ownedKey, REWRITE_WITHIN_MS } from './redis-keys.ts';
import type { RedisScripts } from './redis-scripts.ts';

/** Life of a heartbeat, in ms: an instance that is silent for longer is taken for dead. */
export const HEARTBEAT_MS = 3_000;

/** Time between two signs of life, in ms. */
export const BEAT_EVERY_MS = 1_000;

/** Time between two looks at the others, in ms. */
export const LOOK_EVERY_MS = 400;

/** Looks in a row that must find no heartbeat: 3 s + 3 looks keep a takeover below 5 s. */
const MISSES = 3;

/** How long the word of an instance that leaves is kept, in ms; then it is merely silent. */
const LEAVING_MS = 60_000;

/** Streams of a dead instance that are taken over at the same time. */
const CLAIMS_AT_ONCE = 32;

/** What ownership is wired to. */
export interface OwnershipPorts {
  readonly redis: Redis;
  readonly scripts: RedisScripts;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A stream of a dead instance is this one's now. */
  takenOver(streamId: string, fence: string): Promise<void>;
  /** Redis or this instance was away: what it owns must be made sure of. */
  cameBack(): Promise<void>;
}

/** This instance among the others. */
export interface Ownership {
  /** Gives a sign of life; every {@link BEAT_EVERY_MS}. */
  beat(): Promise<void>;
  /** Looks for dead instances and takes their streams over; every {@link LOOK_EVERY_MS}. */
  look(): Promise<void>;
  /** False once this instance was away for so long that its streams may be another's. */
  mayRewrite(): boolean;
  /** Takes a stream again that this instance owns, under a new fence; `undefined` where it does not. */
  reclaim(streamId: string): Promise<string | undefined>;
  /** This instance's streams, as Redis has them. */
  owned(): Promise<readonly string[]>;
  /** Says that this instance has let its streams go; nothing is taken over any more. */
  leave(): Promise<void>;
}

/**
 * Makes an instance's ownership.
 *
 * An instance that cannot reach Redis takes nobody for dead: it looks only once its own connection
 * has stood for longer than a heartbeat lives, so that after a restart of Redis every instance has
 * given its sign first.
 */
export function createRedisOwnership(ports: OwnershipPorts): Ownership {
  const { redis, scripts, instanceId, clock, logger } = ports;
  const misses = new Map<string, number>();
  let readySinceMs = redis.status === 'ready' ? clock.nowMs() : undefined;
  let lastBeatMs = clock.nowMs();
  let isFirst = true;
  let mustCheck = false;
  let isLeaving = false;

  const onReady = () => {
    readySinceMs = clock.nowMs();
    beat(true).catch((err: unknown) => logger.warn({ err }, 'heartbeat failed'));
  };
  const onClose = () => {
    readySinceMs = undefined;
    misses.clear();
  };
  redis.on('ready', onReady);
  redis.on('close', onClose);

  async function beat(isReconnected = false): Promise<void> {
    if (isLeaving) return;
    const wasAlive = await scripts.beat(instanceId, HEARTBEAT_MS);
    // What was lost must be known before this sign of life makes it look as if nothing had been.
    mustCheck ||= (isReconnected || !wasAlive) && !isFirst;
    isFirst = false;
    if (mustCheck) await ports.cameBack();
    mustCheck = false;
    lastBeatMs = clock.nowMs();
  }

  /** True where this instance's own view of Redis is old enough to judge others by. */
  const isSettled = (): boolean =>
    readySinceMs !== undefined && clock.nowMs() - readySinceMs > HEARTBEAT_MS;

  async function look(): Promise<void> {
    if (isLeaving) return;
    const others = (await redis.smembers(INSTANCES_KEY)).filter((id) => id !== instanceId);
    for (const id of misses.keys()) if (!others.includes(id)) misses.delete(id);
    if (others.length === 0) return;
    const beats = await redis.mget(others.map(heartbeatKey));
    for (const [at, id] of others.entries()) {
      const word = beats[at] ?? undefined;
      if (word === LEAVING) await takeAll(id);
      else if (word !== undefined || !isSettled()) misses.delete(id);
      else {
        const missed = (misses.get(id) ?? 0) + 1;
        misses.set(id, missed);
        if (missed >= MISSES) await takeAll(id);
      }
    }
  }

  async function takeAll(from: string): Promise<void> {
    for (;;) {
      // Several takers pick at random, so that they seldom want the same one.
      const ids = await redis.srandmember(ownedKey(from), CLAIMS_AT_ONCE);
      if (ids.length === 0 || isLeaving) break;
      const fences = await Promise.all(ids.map((id) => scripts.claim(id, from, instanceId)));
      if (fences.includes('alive')) {
        misses.delete(from);
        return;
      }
      await Promise.all(
        fences.map((fence, at) => {
          const streamId = ids[at];
          if (fence === 'gone' || streamId === undefined) return undefined;
          logger.warn({ streamId, from, instanceId }, 'stream taken over from another instance');
          return ports.takenOver(streamId, fence);
        }),
      );
    }
    if (!isLeaving) await scripts.bury(from);
  }

  return {
    beat: () => beat(),
    look,
    mayRewrite: () => clock.nowMs() - lastBeatMs < REWRITE_WITHIN_MS,
    async reclaim(streamId) {
      const fence = await scripts.claim(streamId, instanceId, instanceId);
      return fence === 'gone' ? undefined : fence;
    },
    owned: () => redis.smembers(ownedKey(instanceId)),
    async leave() {
      isLeaving = true;
      redis.off('ready', onReady);
      redis.off('close', onClose);
      await redis.set(heartbeatKey(instanceId), LEAVING, 'PX', LEAVING_MS);
    },
  };
}
