/** A task, and a batch, as callers and callbacks see them. */

import type { DeliveryView } from '../stream/ports.ts';
import {
  type BatchRecord,
  isOver,
  type Json,
  type TaskError,
  type TaskRecord,
  type TaskStatus,
} from './task.ts';

/** A task without what it came to. Times are ISO 8601. */
export interface TaskSummary {
  readonly task_id: string;
  readonly status: TaskStatus;
  readonly type: string;
  readonly created_at: string;
  readonly batch_id: string | null;
  readonly priority: number;
  /** Attempts begun. */
  readonly attempts: number;
  readonly max_attempts: number;
  readonly timeout_seconds: number;
  /** 0–1, of the current attempt. */
  readonly progress: number;
  readonly stage: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** Of a task whose last attempt failed in a way that may pass. */
  readonly next_attempt_at: string | null;
  /** Why it failed; of a queued or running task why the attempt before did. */
  readonly error: TaskError | null;
}

/** A task as `GET /api/v1/tasks/{id}` shows it. */
export interface TaskView extends TaskSummary {
  readonly result: Json;
  /** How far the callback has come; `null` where none is wanted, or the task is not over. */
  readonly callback: CallbackView | null;
}

/** The delivery of a callback. */
export interface CallbackView {
  readonly status: DeliveryView['status'];
  readonly attempts: number;
  readonly last_status: number | null;
}

/** One entry of a batch, in the order of sending: a task, or why there is none. */
export type BatchEntryView =
  | (TaskSummary & { readonly index: number })
  | { readonly index: number; readonly status: 'rejected'; readonly error: TaskError }
  /** Its retention is over. */
  | { readonly index: number; readonly status: 'expired'; readonly task_id: string };

/** A batch as `GET /api/v1/tasks/{id}` shows it. */
export interface BatchView {
  readonly batch_id: string;
  /** `finished` once all its tasks are over. */
  readonly status: 'running' | 'finished';
  readonly created_at: string;
  readonly total: number;
  /** Entries by status. */
  readonly counts: Readonly<Record<BatchEntryView['status'], number>>;
  readonly tasks: readonly BatchEntryView[];
}

function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** A task without its result: what a batch shows of each. */
export function taskSummary({ spec, state }: TaskRecord): TaskSummary {
  const isWaiting = state.status === 'queued' && state.dueAtMs > spec.createdAtMs;
  return {
    task_id: spec.id,
    status: state.status,
    type: spec.type,
    created_at: new Date(spec.createdAtMs).toISOString(),
    batch_id: spec.batchId ?? null,
    priority: spec.priority,
    attempts: state.attempts,
    max_attempts: spec.maxAttempts,
    timeout_seconds: spec.timeoutMs / 1000,
    progress: state.progress,
    stage: state.stage ?? null,
    started_at: isoTime(state.startedAtMs),
    finished_at: isoTime(state.finishedAtMs),
    next_attempt_at: isWaiting ? isoTime(state.dueAtMs) : null,
    error: state.error ?? null,
  };
}

/** The whole of a task; `delivery` is that of its callback, where the outbox knows it. */
export function taskView(record: TaskRecord, delivery?: DeliveryView): TaskView {
  return {
    ...taskSummary(record),
    result: record.state.result ?? null,
    callback: callbackView(record, delivery),
  };
}

function callbackView({ state }: TaskRecord, delivery?: DeliveryView): CallbackView | null {
  if (state.callback === undefined) return null;
  const { status, attempts, lastStatus } = delivery ?? { status: 'pending', attempts: 0 };
  return { status, attempts, last_status: lastStatus ?? null };
}

/** What a callback says: the task as it ended, but for the callback itself. */
export function callbackBody(record: TaskRecord): string {
  return JSON.stringify({ ...taskSummary(record), result: record.state.result ?? null });
}

/** A batch; `records` are the tasks of its entries that have one, in their order. */
export function batchView(
  batch: BatchRecord,
  records: readonly (TaskRecord | undefined)[],
): BatchView {
  const counts: Record<BatchEntryView['status'], number> = {
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    canceled: 0,
    timed_out: 0,
    rejected: 0,
    expired: 0,
  };
  const byId = new Map(records.map((record) => [record?.spec.id, record]));
  const tasks = batch.entries.map((entry, index): BatchEntryView => {
    if ('error' in entry) return { index, status: 'rejected', error: entry.error };
    const record = byId.get(entry.taskId);
    if (record === undefined) return { index, status: 'expired', task_id: entry.taskId };
    return { index, ...taskSummary(record) };
  });
  for (const { status } of tasks) counts[status] += 1;
  const isFinished = records.every((record) => record === undefined || isOver(record.state.status));
  return {
    batch_id: batch.id,
    status: isFinished ? 'finished' : 'running',
    created_at: new Date(batch.createdAtMs).toISOString(),
    total: tasks.length,
    counts,
    tasks,
  };
}
