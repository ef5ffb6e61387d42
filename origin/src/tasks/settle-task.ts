/** What is left to do once a task is over: its files go, its callback is sent. */

import type { Logger, Outbox } from '@headwater/shared/stream/ports';
import { type BlobStore, blobsOf, type TaskStore } from '@headwater/shared/tasks/ports';
import { settleCallback, taskCallbackId } from '@headwater/shared/tasks/settle-callback';
import type { TaskRecord } from '@headwater/shared/tasks/task';

/** What it is wired to. */
export interface SettleTaskPorts {
  readonly store: Pick<TaskStore, 'get' | 'commit'>;
  readonly blobs: Pick<BlobStore, 'drop'>;
  readonly outbox: Pick<Outbox, 'enqueue' | 'forget'>;
  readonly logger: Logger;
  /** Counts it. */
  ended(record: TaskRecord): void;
}

/** The ends of tasks. */
export interface TaskSettler {
  /** A task is over, and this process made it so. Errors: as {@link settleCallback}. */
  over(record: TaskRecord): Promise<void>;
  /** A callback is owed. Errors: as {@link settleCallback}. */
  settle(record: TaskRecord): Promise<void>;
  /** Tasks were forgotten: what is left of them goes. */
  forgotten(records: readonly TaskRecord[]): Promise<void>;
}

/** Makes it. */
export function createTaskSettler(ports: SettleTaskPorts): TaskSettler {
  const { blobs, outbox, logger } = ports;

  async function dropFiles(records: readonly TaskRecord[]): Promise<void> {
    const names = records.flatMap(({ spec }) => blobsOf(spec.input.files));
    if (names.length === 0) return;
    try {
      await blobs.drop(names);
    } catch (err) {
      // They go when the task is forgotten, and a store of files forgets what is old by itself.
      logger.warn({ files: names.length, err }, 'files of tasks could not be dropped');
    }
  }

  return {
    async over(record) {
      ports.ended(record);
      await dropFiles([record]);
      await settleCallback(ports, record);
    },
    settle: (record) => settleCallback(ports, record),
    async forgotten(records) {
      await dropFiles(records);
      for (const { spec } of records) {
        if (spec.callbackUrl !== undefined) await outbox.forget(taskCallbackId(spec.id));
      }
    },
  };
}
