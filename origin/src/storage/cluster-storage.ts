/** The storage of an origin among others: one Redis for all of them. */

import type { SubjectLimits } from '@headwater/shared/gateway/subject-ledger';
import type { Logger } from '@headwater/shared/stream/ports';
import { connectRedis } from '../adapters/redis-connection.ts';
import { createRedisOutboxStore } from '../adapters/redis-outbox-store.ts';
import { createRedisSubjectLedger } from '../adapters/redis-subject-ledger.ts';
import { createClusterRegistry } from '../sessions/cluster-registry.ts';
import { openClusterTasks } from './cluster-tasks.ts';
import type { OriginStorage } from './origin-storage.ts';

/** What it is opened from. */
export interface ClusterStorageOptions {
  readonly redisUrl: string;
  /** Folder for files that are on their way. */
  readonly dataDir: string;
  readonly limits: SubjectLimits;
  /** How long an ended stream, and its callback, are kept, in ms. */
  readonly retentionMs: number;
  readonly logger: Logger;
}

/** Opens it. Redis may come later: what needs it waits, and says so in time. */
export async function openClusterStorage(options: ClusterStorageOptions): Promise<OriginStorage> {
  const { redisUrl, dataDir, limits, retentionMs, logger } = options;
  const redis = connectRedis(redisUrl, (err) => logger.warn({ err }, 'Redis is away'));
  return {
    kind: 'redis',
    ledger: createRedisSubjectLedger(redis, limits),
    outboxStore: createRedisOutboxStore({ redis, retentionMs }),
    sharedPollMs: 1_000,
    openSessions: (runtime) => createClusterRegistry({ ...runtime, redis }),
    openTasks: (runtime) => openClusterTasks(redis, dataDir, runtime),
    async close() {
      redis.disconnect();
    },
  };
}
