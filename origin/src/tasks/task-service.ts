/** What a caller may see of its tasks, and do with them. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Alarm, Clock, Logger, Outbox } from '@headwater/shared/stream/ports';
import { changeTask } from '@headwater/shared/tasks/change-task';
import type { TaskChange, TaskStore } from '@headwater/shared/tasks/ports';
import { taskCallbackId } from '@headwater/shared/tasks/settle-callback';
import { type BatchRecord, isOver, type TaskRecord } from '@headwater/shared/tasks/task';
import { stepTask } from '@headwater/shared/tasks/task-machine';
import {
  type BatchView,
  batchView,
  type TaskView,
  taskView,
} from '@headwater/shared/tasks/task-view';
import { waitForEnd } from '@headwater/shared/tasks/wait-for-end';
import type { TaskSettler } from './settle-task.ts';
import { kindOf } from './task-id.ts';

/** What it is wired to. */
export interface TaskServicePorts {
  readonly store: Pick<TaskStore, 'get' | 'getMany' | 'getBatch' | 'commit' | 'watch'>;
  readonly outbox: Pick<Outbox, 'view'>;
  readonly settler: Pick<TaskSettler, 'over'>;
  readonly clock: Clock;
  alarm(onDue: () => void): Alarm;
  /** In [0, 1). */
  random(): number;
  readonly logger: Logger;
}

/** A task, or a batch with its tasks in the order of its entries. */
export type Found =
  | { readonly kind: 'task'; readonly record: TaskRecord }
  | {
      readonly kind: 'batch';
      readonly batch: BatchRecord;
      readonly records: readonly (TaskRecord | undefined)[];
    };

/** The tasks of all callers; each sees its own. */
export interface TaskService {
  /** Errors: `not_found`, also for what is another caller's. */
  find(owner: string, id: string): Promise<Found>;
  /** A batch that was just kept. */
  findBatch(batch: BatchRecord): Promise<Found>;
  /** Ends what is not over yet; again changes nothing. Errors: those of {@link find}. */
  cancel(owner: string, id: string): Promise<Found>;
  /** As it is once all of it is over, the time is up, the signal aborts or the process goes down. */
  wait(found: Found, waitMs: number, signal: AbortSignal): Promise<Found>;
  view(found: Found): Promise<TaskView | BatchView>;
  /** The process goes down: nobody waits any more. */
  close(): void;
}

/** Changes a commit: a store has others to serve between two of them. */
const PAGE = 200;

/** Makes the service. */
export function createTaskService(ports: TaskServicePorts): TaskService {
  const { store, clock, random, logger } = ports;
  const closing = new AbortController();

  async function find(owner: string, id: string): Promise<Found> {
    const kind = kindOf(id);
    if (kind === 'task') {
      const record = await store.get(id);
      if (record?.spec.owner === owner) return { kind, record };
    } else if (kind === 'batch') {
      const batch = await store.getBatch(id);
      if (batch?.owner === owner) return findBatch(batch);
    }
    throw new GatewayError('not_found', 'You have no task with this id.');
  }

  async function findBatch(batch: BatchRecord): Promise<Found> {
    const ids = batch.entries.flatMap((entry) => ('taskId' in entry ? [entry.taskId] : []));
    return { kind: 'batch', batch, records: ids.length === 0 ? [] : await store.getMany(ids) };
  }

  /** A task that this call ended has nobody else to settle it at once. */
  async function settle(record: TaskRecord): Promise<void> {
    try {
      await ports.settler.over(record);
    } catch (err) {
      // The keeper finds a callback that is owed.
      logger.warn({ taskId: record.spec.id, err }, 'a canceled task could not be settled');
    }
  }

  async function cancelTask(record: TaskRecord): Promise<TaskRecord | undefined> {
    if (isOver(record.state.status)) return record;
    let seen = record;
    const newest = await changeTask(
      store,
      record,
      (current) => {
        seen = current;
        return { type: 'cancel' };
      },
      { nowMs: clock.nowMs(), random: random() },
    );
    if (newest !== undefined && newest.state.version > seen.state.version) await settle(newest);
    return newest;
  }

  async function cancelMany(records: readonly TaskRecord[]): Promise<void> {
    const nowMs = clock.nowMs();
    const changes = records.flatMap(
      (record) => stepTask(record, { type: 'cancel' }, nowMs, random()) ?? [],
    );
    for (let from = 0; from < changes.length; from += PAGE) {
      const page: readonly TaskChange[] = changes.slice(from, from + PAGE);
      const made = await store.commit(page);
      await Promise.all(
        page.map(({ before, state }, at) =>
          made[at] ? settle({ spec: before.spec, state }) : cancelTask(before),
        ),
      );
    }
  }

  async function waitForTask(
    id: string,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<TaskRecord | undefined> {
    return await waitForEnd(ports, id, untilMs, signal);
  }

  return {
    find,
    findBatch,
    async cancel(owner, id) {
      const found = await find(owner, id);
      if (found.kind === 'task') {
        const record = await cancelTask(found.record);
        if (record === undefined)
          throw new GatewayError('not_found', 'You have no task with this id.');
        return { kind: 'task', record };
      }
      await cancelMany(found.records.filter((record) => record !== undefined));
      return await findBatch(found.batch);
    },
    async wait(found, waitMs, caller) {
      if (isFinished(found)) return found;
      const untilMs = clock.nowMs() + waitMs;
      const signal = AbortSignal.any([caller, closing.signal]);
      if (found.kind === 'task') {
        const record = await waitForTask(found.record.spec.id, untilMs, signal);
        return { kind: 'task', record: record ?? found.record };
      }
      for (const record of found.records) {
        if (record === undefined || isOver(record.state.status)) continue;
        await waitForTask(record.spec.id, untilMs, signal);
        if (clock.nowMs() >= untilMs || signal.aborted) break;
      }
      return await findBatch(found.batch);
    },
    async view(found) {
      if (found.kind === 'batch') return batchView(found.batch, found.records);
      const { spec, state } = found.record;
      const isSent = state.callback === 'kept';
      return taskView(
        found.record,
        isSent ? await ports.outbox.view(taskCallbackId(spec.id)) : undefined,
      );
    },
    close: () => closing.abort(),
  };
}

/** True where nothing of it goes on any more. */
export function isFinished(found: Found): boolean {
  if (found.kind === 'task') return isOver(found.record.state.status);
  return found.records.every((record) => record === undefined || isOver(record.state.status));
}
