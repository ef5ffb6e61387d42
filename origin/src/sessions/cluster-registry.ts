/** The sessions of an origin that is one of several: kept in Redis, served by any of them. */

import { randomUUID } from 'node:crypto';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { Clock, Logger, Outbox } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';
import type { Redis } from 'ioredis';
import { redisFault } from '../adapters/redis-connection.ts';
import { BEAT_EVERY_MS, createRedisOwnership, LOOK_EVERY_MS } from '../adapters/redis-ownership.ts';
import { createRedisScripts } from '../adapters/redis-scripts.ts';
import { createClusterNews, type InstanceMessage } from './cluster-news.ts';
import { createFollowedSessions } from './followed-sessions.ts';
import { createOwnedSessions } from './owned-sessions.ts';
import { sweepRetained } from './retained-sessions.ts';
import type { SessionRegistry } from './session-registry.ts';

/** What the registry is wired to. */
export interface ClusterRegistryPorts {
  /** Commands; a second connection, for listening, is made after its pattern. */
  readonly redis: Redis;
  readonly registry: Pick<ProviderRegistry, 'resolve'>;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxReaders: number;
  readonly maxBufferedBytes: number;
  /** A session of this instance has ended: its subject may open another one. */
  ended(state: SessionState): void;
}

/** How often owners hear of readers, and what is over is dropped, in ms. */
const REPORT_EVERY_MS = 1_000;

/** How often owned streams without an engine are looked for, in ms. */
const AUDIT_EVERY_MS = 2_000;

/** How often the lives of keys are renewed, in ms: far below the shortest of them. */
const RENEW_EVERY_MS = 60 * 60 * 1000;

/** How often a closing registry looks whether its last answers have ended, in ms. */
const CLOSE_LOOK_MS = 50;

/**
 * Joins the cluster. Each stream is owned by one instance, which talks to the model and writes the
 * log; the others follow the log. An instance that dies, hangs or leaves loses its streams to the
 * others, where their answers begin again.
 *
 * Errors: `unavailable` where Redis does not answer.
 */
export async function createClusterRegistry(ports: ClusterRegistryPorts): Promise<SessionRegistry> {
  const { redis, outbox, clock, logger } = ports;
  const instanceId = randomUUID();
  const scripts = createRedisScripts(redis);
  /** Owned streams without an engine that the last audit found. */
  let suspects: ReadonlySet<string> = new Set();
  let closing = false;

  const owned = createOwnedSessions({
    ...ports,
    scripts,
    instanceId,
    mayRewrite: () => ownership.mayRewrite(),
  });
  const ownership = createRedisOwnership({
    redis,
    scripts,
    instanceId,
    clock,
    logger,
    takenOver: adopt,
    cameBack: () => owned.restoreAll(),
  });
  await ownership.beat().catch((cause: unknown) => {
    throw redisFault(cause);
  });
  const news = await createClusterNews(redis, instanceId, logger, onMessage);
  const followed = createFollowedSessions({ ...ports, news, instanceId });

  /** A stream whose start fails is still owned: the audit comes back to it. */
  async function adopt(streamId: string, fence: string): Promise<void> {
    await owned.adopt(streamId, fence).catch((err: unknown) => {
      logger.error({ streamId, err }, 'stream could not be taken over');
    });
  }

  function onMessage(message: InstanceMessage): void {
    if (message.type === 'cancel') {
      // It is asked for again until the end is kept.
      cancelOwned(message.streamId).catch((err: unknown) => logger.warn({ err }, 'cancel failed'));
    } else if (message.type === 'elsewhere') followed.countElsewhere(message.counts);
    else countReaders(message.from, message.counts);
  }

  function countReaders(from: string, counts: Readonly<Record<string, number>>): void {
    const elsewhere: Record<string, number> = {};
    for (const [streamId, count] of Object.entries(counts)) {
      const others = owned.countReaders(streamId, from, count);
      if (others !== undefined) elsewhere[streamId] = others;
    }
    if (Object.keys(elsewhere).length === 0) return;
    // The next report is answered too.
    news.tell(from, { type: 'elsewhere', counts: elsewhere }).catch((err: unknown) => {
      logger.warn({ err }, 'instance could not be answered');
    });
  }

  async function cancelOwned(streamId: string): Promise<void> {
    const engine = await owned.get(streamId);
    await engine?.cancel();
  }

  /** Finds streams that this instance owns and does not run: an end not kept, an answer not heard. */
  async function audit(): Promise<void> {
    const idle = (await ownership.owned()).filter((streamId) => !owned.has(streamId));
    // One that is just being claimed looks the same once, not twice.
    for (const streamId of idle.filter((id) => suspects.has(id))) {
      const fence = await ownership.reclaim(streamId);
      if (fence !== undefined) await adopt(streamId, fence);
    }
    suspects = new Set(idle);
  }

  async function tidy(): Promise<void> {
    owned.sweep();
    followed.sweep();
    await followed.report();
    await sweepRetained({ redis, scripts, outbox }, clock.nowMs(), (streamId) => {
      owned.forget(streamId);
      followed.forget(streamId);
    });
  }

  const beating = every(BEAT_EVERY_MS, 'heartbeat', () => ownership.beat());
  const tidying = every(REPORT_EVERY_MS, 'report', tidy);
  const taking = [
    every(LOOK_EVERY_MS, 'look at other instances', () => ownership.look()),
    every(AUDIT_EVERY_MS, 'audit', audit),
    every(RENEW_EVERY_MS, 'renewal', () => owned.renewAll()),
  ];

  /** Repeats work that may take longer than its interval. */
  function every(ms: number, name: string, work: () => Promise<void>): NodeJS.Timeout {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      work()
        // The next round tries again.
        .catch((err: unknown) => logger.warn({ err, name }, 'cluster work failed'))
        .finally(() => {
          isRunning = false;
        });
    }, ms);
    return timer.unref();
  }

  return {
    async create(state) {
      if (closing) throw shuttingDown();
      await owned.create(state).catch((cause: unknown) => {
        throw redisFault(cause);
      });
    },
    async get(streamId) {
      return (await owned.get(streamId)) ?? (await followed.get(streamId));
    },
    async close(graceMs) {
      closing = true;
      for (const timer of taking) clearInterval(timer);
      const untilMs = clock.nowMs() + graceMs;
      while (owned.streamingCount > 0 && clock.nowMs() < untilMs) {
        await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
      }
      for (const timer of [beating, tidying]) clearInterval(timer);
      owned.handOverAll();
      followed.letGoAll();
      // Only now may others take the streams: until here they were written.
      await ownership.leave().catch((err: unknown) => {
        logger.warn(
          { err },
          'the cluster could not be told; it finds out by the missing heartbeat',
        );
      });
      news.close();
    },
  };
}

function shuttingDown(): GatewayError {
  return new GatewayError('unavailable', 'The gateway is shutting down. Try again in a moment.', {
    details: { retryAfterSeconds: 5 },
  });
}
