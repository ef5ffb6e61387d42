/** The streams that this instance of a cluster serves without owning them. */

import { callbackIdOf } from '@headwater/shared/stream/callback-payload';
import { createFollower, type Follower } from '@headwater/shared/stream/follower';
import type { Clock, Logger, Outbox } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import type { Redis } from 'ioredis';
import { ownerKey } from '../adapters/redis-keys.ts';
import { loadSession } from '../adapters/redis-session-store.ts';
import { createRedisLogReader } from '../adapters/redis-stream-log.ts';
import type { ClusterNews } from './cluster-news.ts';

/** A follower without a reader is kept for this long after it was last asked for, in ms. */
const IDLE_MS = 5_000;

/** An owner's word on readers elsewhere that is not said again within this time is void, in ms. */
const FORGET_MS = 3_000;

/** What the followers are wired to. */
export interface FollowedSessionsPorts {
  readonly redis: Redis;
  readonly news: ClusterNews;
  readonly instanceId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxReaders: number;
  readonly maxBufferedBytes: number;
}

/** Followers by stream id. */
export interface FollowedSessions {
  /** Up to date; `undefined` where the cluster has no such stream. */
  get(streamId: string): Promise<Follower | undefined>;
  /** Tells every owner how many readers are here; once a second. */
  report(): Promise<void>;
  /** An owner says how many readers its streams have at other instances. */
  countElsewhere(counts: Readonly<Record<string, number>>): void;
  /** Drops followers that nobody uses. */
  sweep(): void;
  forget(streamId: string): void;
  letGoAll(): void;
}

/** Makes an empty set of followers. */
export function createFollowedSessions(ports: FollowedSessionsPorts): FollowedSessions {
  const { redis, news, instanceId, logger } = ports;
  const followers = new Map<string, { readonly follower: Follower; usedAtMs: number }>();
  /** Readers at all other instances, by the owners' last words. */
  const elsewhere = new Map<string, { readonly count: number; readonly atMs: number }>();
  const opening = new Map<string, Promise<Follower | undefined>>();

  async function open(streamId: string): Promise<Follower | undefined> {
    const alarm = createTimerAlarm(() => void follower?.wake());
    const follower = await createFollower({
      log: createRedisLogReader(redis, streamId),
      store: { load: () => loadSession(redis, streamId) },
      delivery: () => ports.outbox.view(callbackIdOf(streamId)),
      clock: ports.clock,
      alarm,
      logger,
      watch: (hint) => news.watch(streamId, hint),
      readers() {
        if (follower !== undefined) keep(streamId, follower);
        unheard(report([streamId]));
      },
      askToCancel: () => unheard(askToCancel(streamId)),
      // The limit is the cluster's.
      get maxReaders() {
        return ports.maxReaders - countOf(streamId);
      },
      maxBufferedBytes: ports.maxBufferedBytes,
    });
    if (follower !== undefined) keep(streamId, follower);
    return follower;
  }

  function keep(streamId: string, follower: Follower): void {
    if (followers.has(streamId)) return;
    followers.set(streamId, { follower, usedAtMs: ports.clock.nowMs() });
  }

  /** What is not heard now is said again within a second. */
  function unheard(said: Promise<void>): void {
    said.catch((err: unknown) => logger.warn({ err }, 'owner could not be told'));
  }

  const ownersOf = (streamIds: readonly string[]): Promise<(string | null)[]> =>
    Promise.all(streamIds.map((streamId) => redis.hget(ownerKey(streamId), 'instance')));

  async function report(streamIds: readonly string[]): Promise<void> {
    const owners = await ownersOf(streamIds);
    const counts = new Map<string, Record<string, number>>();
    for (const [at, owner] of owners.entries()) {
      const streamId = streamIds[at];
      if (!owner || streamId === undefined) continue;
      const mine = counts.get(owner) ?? {};
      counts.set(owner, mine);
      mine[streamId] = followers.get(streamId)?.follower.readerCount ?? 0;
    }
    const told = [...counts].map(([owner, mine]) =>
      news.tell(owner, { type: 'readers', from: instanceId, counts: mine }),
    );
    await Promise.all(told);
  }

  async function askToCancel(streamId: string): Promise<void> {
    const [owner] = await ownersOf([streamId]);
    if (owner) await news.tell(owner, { type: 'cancel', streamId });
  }

  function opened(streamId: string): Promise<Follower | undefined> {
    let begun = opening.get(streamId);
    if (begun === undefined) {
      begun = open(streamId).finally(() => opening.delete(streamId));
      opening.set(streamId, begun);
    }
    return begun;
  }

  function countOf(streamId: string): number {
    const word = elsewhere.get(streamId);
    return word === undefined || ports.clock.nowMs() - word.atMs > FORGET_MS ? 0 : word.count;
  }

  function forget(streamId: string): void {
    followers.delete(streamId);
    elsewhere.delete(streamId);
  }

  return {
    async get(streamId) {
      const known = followers.get(streamId);
      if (known === undefined) return opened(streamId);
      const { follower } = known;
      known.usedAtMs = ports.clock.nowMs();
      // With readers it follows already.
      if (follower.readerCount > 0 || (await follower.refresh())) return follower;
      forget(streamId);
      return undefined;
    },
    async report() {
      const read = [...followers].filter(([, { follower }]) => follower.readerCount > 0);
      if (read.length > 0) await report(read.map(([streamId]) => streamId));
    },
    countElsewhere(counts) {
      for (const [streamId, count] of Object.entries(counts)) {
        if (followers.has(streamId)) elsewhere.set(streamId, { count, atMs: ports.clock.nowMs() });
      }
    },
    sweep() {
      const before = ports.clock.nowMs() - IDLE_MS;
      for (const [streamId, { follower, usedAtMs }] of followers) {
        if (follower.readerCount === 0 && usedAtMs < before) forget(streamId);
      }
    },
    forget,
    letGoAll() {
      for (const { follower } of followers.values()) follower.letGo();
      followers.clear();
    },
  };
}
