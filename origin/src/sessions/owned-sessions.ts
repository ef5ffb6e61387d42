/** The live sessions that this instance of a cluster owns. */

import { toGatewayError } from '@headwater/shared/protocol/errors';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import { type StreamEngine, startEngine } from '@headwater/shared/stream/engine';
import type { Alarm, Clock, Logger, Outbox } from '@headwater/shared/stream/ports';
import { isEnded, type SessionState } from '@headwater/shared/stream/session-state';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { countTokens } from '@headwater/shared/text/count-tokens';
import type { Redis } from 'ioredis';
import { ownedKey, ownerKey } from '../adapters/redis-keys.ts';
import type { RedisScripts } from '../adapters/redis-scripts.ts';
import { createRedisSessionStore, loadSession } from '../adapters/redis-session-store.ts';
import { createRedisStreamLog, type LiveLease } from '../adapters/redis-stream-log.ts';
import { fenceEnd } from './fence-end.ts';
import { createRemoteReaders } from './remote-readers.ts';

/** What the model says within this time is one append, in ms: every append is a step of Redis. */
const GATHER_MS = 10;

/** Sessions that are made sure of at the same time after Redis came back. */
const RESTORES_AT_ONCE = 64;

/** What the sessions are wired to. */
export interface OwnedSessionsPorts {
  readonly redis: Redis;
  readonly scripts: RedisScripts;
  readonly instanceId: string;
  readonly registry: Pick<ProviderRegistry, 'resolve'>;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxReaders: number;
  readonly maxBufferedBytes: number;
  /** See `Ownership.mayRewrite`. */
  mayRewrite(): boolean;
  /** A session has ended, and its end is kept. */
  ended(state: SessionState): void;
}

/** Owned sessions by stream id. */
export interface OwnedSessions {
  /** Makes a new session, unless the cluster has it. */
  create(state: SessionState): Promise<void>;
  /** Goes on with a stream that was claimed under this fence. */
  adopt(streamId: string, fence: string): Promise<void>;
  /** Also waits for one that is just being started. */
  get(streamId: string): Promise<StreamEngine | undefined>;
  has(streamId: string): boolean;
  /**
   * Another instance has so many readers of a stream. Returns how many are at all the others, this
   * one among them; `undefined` where the stream is not owned here.
   */
  countReaders(streamId: string, from: string, count: number): number | undefined;
  /** Makes sure of every session after Redis, or this instance, was away. */
  restoreAll(): Promise<void>;
  /** Renews the lives of the keys of every session. */
  renewAll(): Promise<void>;
  /** Lets go of sessions that have ended and of readers that nobody reports any more. */
  sweep(): void;
  forget(streamId: string): void;
  /** Sessions whose model writes. */
  readonly streamingCount: number;
  /** Leaves everything to other instances. */
  handOverAll(): void;
}

interface Session {
  readonly engine: StreamEngine;
  readonly lease: LiveLease;
  /** The end is kept: any instance can serve the stream. */
  isOver: boolean;
  restore(): Promise<void>;
  /** Stops its timer. */
  sleep(): void;
}

/** Makes an empty set of sessions. */
export function createOwnedSessions(ports: OwnedSessionsPorts): OwnedSessions {
  const { redis, scripts, instanceId, logger } = ports;
  const sessions = new Map<string, Session>();
  const opening = new Map<string, Promise<void>>();
  const remote = createRemoteReaders(ports.clock.nowMs);

  async function start(
    state: SessionState,
    fence: string,
    origin: 'created' | 'restored',
  ): Promise<void> {
    const { streamId } = state.request;
    const lease: LiveLease = { streamId, instanceId, fence, mayRewrite: ports.mayRewrite };
    const wiring = { redis, scripts, lease };
    const log = createRedisStreamLog(wiring, origin === 'created');
    const store = createRedisSessionStore(wiring, state);
    let session: Session | undefined;
    let engine: StreamEngine | undefined;
    let isOver = false;
    let isGone = false;
    const timer = createTimerAlarm(() => void engine?.wake());
    // An engine that has left its stream must not wake up and forget what another one writes.
    const alarm: Alarm = { set: (atMs) => timer.set(isGone ? undefined : atMs) };
    const leave = () => {
      isGone = true;
      timer.set(undefined);
      if (sessions.get(streamId) === session) sessions.delete(streamId);
      remote.drop(streamId);
    };
    engine = await startEngine(
      state,
      {
        log,
        ...fenceEnd(wiring, store, ports.outbox),
        clock: ports.clock,
        alarm,
        logger,
        provider: ({ name }) => ports.registry.resolve(name).provider,
        countTokens,
        gatherMs: GATHER_MS,
        // The limit is the cluster's.
        get maxReaders() {
          return ports.maxReaders - remote.sumOf(streamId);
        },
        maxBufferedBytes: ports.maxBufferedBytes,
        ended() {
          if (!store.isEndKept) {
            // An end that could not be kept is none: the stream is still owned, and begins again.
            engine?.handOver();
            return leave();
          }
          isOver = true;
          if (session !== undefined) session.isOver = true;
          remote.drop(streamId);
          ports.ended(state);
        },
        purged: leave,
        lost: leave,
      },
      origin,
    );
    if (isGone) return;
    session = {
      engine,
      lease,
      isOver,
      async restore() {
        await log.restore();
        await store.restore();
      },
      sleep: () => timer.set(undefined),
    };
    sessions.set(streamId, session);
  }

  /** One start at a time for each stream: two engines of one session would write over each other. */
  function open(streamId: string, work: () => Promise<void>): Promise<void> {
    const mine = work().finally(() => {
      if (opening.get(streamId) === mine) opening.delete(streamId);
    });
    opening.set(streamId, mine);
    return mine;
  }

  function forget(streamId: string): void {
    sessions.get(streamId)?.sleep();
    sessions.delete(streamId);
  }

  async function restore(streamId: string, session: Session): Promise<void> {
    try {
      await session.restore();
    } catch (thrown) {
      if (toGatewayError(thrown).code !== 'conflict') throw thrown;
      logger.warn({ streamId }, 'session is not of this instance any more');
      session.engine.handOver();
      forget(streamId);
    }
  }

  return {
    async create(state) {
      const { streamId } = state.request;
      if (sessions.has(streamId)) return;
      const begun = opening.get(streamId);
      if (begun !== undefined) return begun;
      await open(streamId, async () => {
        const fence = await scripts.create(streamId, instanceId, JSON.stringify(state));
        if (fence !== undefined) await start(state, fence, 'created');
      });
    },
    adopt: (streamId, fence) =>
      open(streamId, async () => {
        const state = await loadSession(redis, streamId);
        if (state !== undefined && !isEnded(state.status)) {
          return start(state, fence, 'restored');
        }
        // Its keys have run out: there is nothing to go on with.
        await redis.del(ownerKey(streamId));
        await redis.srem(ownedKey(instanceId), streamId);
      }),
    async get(streamId) {
      // What went wrong with its start is not this caller's: the log still serves it.
      await opening.get(streamId)?.catch(() => undefined);
      return sessions.get(streamId)?.engine;
    },
    has: (streamId) => sessions.has(streamId) || opening.has(streamId),
    countReaders(streamId, from, count) {
      const session = sessions.get(streamId);
      if (session === undefined || session.isOver) return undefined;
      const { engine } = session;
      const sum = remote.report(streamId, from, count);
      engine.countRemoteReaders(sum);
      return engine.readerCount + sum - count;
    },
    async restoreAll() {
      const live = [...sessions].filter(([, { isOver }]) => !isOver);
      for (let at = 0; at < live.length; at += RESTORES_AT_ONCE) {
        const some = live.slice(at, at + RESTORES_AT_ONCE);
        await Promise.all(some.map(([streamId, session]) => restore(streamId, session)));
      }
    },
    async renewAll() {
      for (const { lease, isOver } of sessions.values()) {
        if (!isOver) await scripts.renew(lease, false);
      }
    },
    sweep() {
      for (const [streamId, { engine, isOver }] of sessions) {
        if (isOver && engine.readerCount === 0) forget(streamId);
      }
      remote.sweep((streamId, sum) => sessions.get(streamId)?.engine.countRemoteReaders(sum));
    },
    forget,
    get streamingCount() {
      let count = 0;
      for (const { engine } of sessions.values()) if (engine.status === 'streaming') count += 1;
      return count;
    },
    handOverAll() {
      for (const [streamId, { engine }] of sessions) {
        engine.handOver();
        forget(streamId);
      }
    },
  };
}
