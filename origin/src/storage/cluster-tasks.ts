/** Where the tasks of a cluster are kept: Redis, and for files an S3-compatible store where one is set. */

import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { createBullmqQueue } from '../adapters/bullmq-queue.ts';
import { tellOutages } from '../adapters/redis-connection.ts';
import { createRedisTaskStore } from '../adapters/redis-task-store.ts';
import type { FileBlobStore } from '../inputs/file-blob-store.ts';
import { createRedisBlobStore } from '../inputs/redis-blob-store.ts';
import { openSpool, type Spool } from '../inputs/spool.ts';
import type { TaskRuntime, TaskStorage } from './origin-storage.ts';

/** Opens it on the cluster's Redis, which stays open. `dataDir` takes files that are on their way. */
export async function openClusterTasks(
  redis: Redis,
  dataDir: string,
  { types, settings, logger }: TaskRuntime,
): Promise<TaskStorage> {
  const spool = await openSpool(join(dataDir, 'incoming'));
  // Files have a connection of their own: behind 50 MiB of one every other command would wait.
  const files = redis.duplicate();
  tellOutages(files, (err) => logger.warn({ err }, 'Redis is away'));
  const blobs = await openBlobs(files, settings, spool);
  const store = createRedisTaskStore({ redis, retentionMs: settings.retentionMs, logger });
  const queue = createBullmqQueue({ redis, types, logger });
  return {
    store,
    queue,
    blobs,
    spool,
    queueKind: 'bullmq',
    boardQueues: queue.queues,
    async close() {
      await queue.close();
      store.close();
      files.disconnect();
    },
  };
}

async function openBlobs(
  redis: Redis,
  { s3 }: TaskRuntime['settings'],
  spool: Spool,
): Promise<FileBlobStore> {
  if (s3?.bucket === undefined) return createRedisBlobStore({ redis, spool });
  // Loaded where it is needed: the client is large.
  const { createS3Client } = await import('../inputs/s3-client.ts');
  const { createS3BlobStore } = await import('../inputs/s3-blob-store.ts');
  return createS3BlobStore({ client: createS3Client(s3), bucket: s3.bucket, spool });
}
