/** Where the tasks of an origin that is one process are kept: `DATA_DIR`. */

import { join } from 'node:path';
import type { Logger } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { createLocalQueue } from '@headwater/shared/tasks/local-queue';
import type { SqliteDatabase } from '../adapters/sqlite-database.ts';
import { openSqliteTaskStore } from '../adapters/sqlite-task-store.ts';
import { type DiskBlobStore, openDiskBlobStore } from '../inputs/disk-blob-store.ts';
import { readLiveBlobs } from './live-blobs.ts';
import type { TaskRuntime, TaskStorage } from './origin-storage.ts';

/** Opens it on the origin's database, which stays open. Errors: `unavailable`. */
export async function openLocalTasks(
  database: SqliteDatabase,
  dataDir: string,
  { clock, logger }: TaskRuntime,
): Promise<TaskStorage> {
  const blobs = await openDiskBlobStore(join(dataDir, 'blobs'));
  await sweepBlobs(blobs, database, logger);
  const store = openSqliteTaskStore(database);
  const queue = createLocalQueue({ clock, alarm: createTimerAlarm });
  return {
    store,
    queue,
    blobs,
    spool: blobs.spool,
    queueKind: 'in-process',
    boardQueues: () => [],
    async close() {
      await queue.close();
    },
  };
}

/** Deletes what a crash left behind between keeping a file and accepting its task. */
async function sweepBlobs(
  blobs: DiskBlobStore,
  database: SqliteDatabase,
  logger: Logger,
): Promise<void> {
  const live = readLiveBlobs(database);
  try {
    const swept = await blobs.sweep((blob) => live.has(blob));
    if (swept > 0) logger.info({ files: swept }, 'files of no task deleted');
  } catch (err) {
    // They lie there until the next start; nothing else needs them gone.
    logger.warn({ err }, 'files of no task could not be deleted');
  }
}
