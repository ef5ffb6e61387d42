/** What a store of tasks that belongs to one process writes down. */

import type { EventPosition, StreamEvent } from '../stream/event.ts';
import type { MaybePromise } from '../stream/ports.ts';
import type { BookedSpec, BookedState, TaskEnd } from './line-book.ts';
import type { Submission, TaskChange } from './ports.ts';
import type { BatchRecord, TaskRecord } from './task.ts';

/** What a key stands for. */
export interface KeptKey {
  readonly fingerprint: string;
  readonly answerId: string;
}

/** A task that is not over, as the book of the line takes it. */
export interface LiveTask {
  readonly spec: BookedSpec;
  readonly state: BookedState;
}

/**
 * The records themselves. What is written is read back at once; it is kept once `group` resolves,
 * and undone where that rejects.
 */
export interface TaskJournal {
  /** Runs `work` now; all that it writes is kept when this resolves, or nothing of it. */
  group<T>(work: () => T): MaybePromise<T>;
  /** Runs `work` once what is being written is kept, never where that fails. */
  afterCommit(work: () => void): void;

  /** All tasks that are not over. */
  live(): Iterable<LiveTask>;
  /** How many tasks of a type ever ended so. */
  ends(): Iterable<readonly [type: string, end: TaskEnd, count: number]>;

  /** Writes tasks, batch and key. None of them is known yet. */
  insert(submission: Submission): void;
  /**
   * Writes state, events and checkpoint, where the version before is the newest one; else false. Of
   * what is over no checkpoint stays.
   */
  advance(change: TaskChange): boolean;
  get(id: string): TaskRecord | undefined;
  checkpointOf(id: string): string | undefined;
  getBatch(id: string): BatchRecord | undefined;
  getKey(owner: string, key: string): KeptKey | undefined;
  /** As `TaskStore` has them. */
  read(id: string, after: EventPosition, limit: number): readonly StreamEvent[];
  head(id: string): EventPosition;
  owing(limit: number): readonly TaskRecord[];
  forget(beforeMs: number, limit: number): readonly TaskRecord[];
}
