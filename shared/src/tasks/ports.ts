/** What a host supplies to the task machinery. Each duty is tested by the port's contract suite. */

import type { EventPosition, StreamEvent } from '../stream/event.ts';
import type { MaybePromise } from '../stream/ports.ts';
import type { BatchRecord, InputFile, Json, TaskError, TaskRecord, TaskState } from './task.ts';

/** Tasks that are to be kept together. */
export interface Submission {
  /** All of one owner, in the state of `newTask`. May be empty where a batch has only refusals. */
  readonly tasks: readonly TaskRecord[];
  readonly batch?: BatchRecord;
  readonly idempotency?: {
    readonly owner: string;
    /** The caller's own; 1–255 printable ASCII characters. */
    readonly key: string;
    /** Equal for equal requests. */
    readonly fingerprint: string;
    /** The id that the answer names: of the task, or of the batch. */
    readonly answerId: string;
  };
  /** Most tasks of this owner, and of all owners, that may be queued, these among them. */
  readonly maxQueuedPerOwner: number;
  readonly maxQueued: number;
}

/** What became of a submission. */
export type SubmitOutcome =
  | { readonly type: 'kept' }
  /** The key was used for an equal request; that one stands under `answerId`. Nothing was kept. */
  | { readonly type: 'again'; readonly answerId: string }
  /** The key was used for another request. Nothing was kept. */
  | { readonly type: 'mismatch' }
  /** Too much is queued. Nothing was kept. */
  | { readonly type: 'full'; readonly by: 'owner' | 'all' };

/** One step of one task, decided by the task machine. */
export interface TaskChange {
  /** As it was before: its version is what the store compares. */
  readonly before: TaskRecord;
  readonly state: TaskState;
  /** Events to append to the task's log, under `state.epoch`; a later epoch replaces what was there. */
  readonly events: readonly StreamEvent[];
  /** JSON: how far the attempt is, for one after it. Replaces the one before; absent: that stays. */
  readonly checkpoint?: string;
}

/** Numbers of one type of task. */
export interface TaskCounts {
  /** May be begun now. */
  readonly queued: number;
  /** Wait for the time of their next attempt. */
  readonly delayed: number;
  /** Claimed by a node. */
  readonly running: number;
  /** Ended, since the store was made. */
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  readonly timedOut: number;
}

/**
 * The truth about tasks. Every call is atomic, whoever else calls. Times are the callers' own: all
 * instances of a cluster go by clocks that agree within a second.
 */
export interface TaskStore {
  /** Keeps all of it, or nothing. MUST be durable when it resolves. */
  submit(submission: Submission): MaybePromise<SubmitOutcome>;
  get(id: string): MaybePromise<TaskRecord | undefined>;
  /** In the order of the ids; `undefined` for those that are unknown. */
  getMany(ids: readonly string[]): MaybePromise<readonly (TaskRecord | undefined)[]>;
  getBatch(id: string): MaybePromise<BatchRecord | undefined>;
  /**
   * Hands over at most `limit` queued tasks of one type that are due, each to one caller only. The
   * record is not changed: it is the node's until a change queues it again or ends it, or until the
   * node is lost. Order: callers take turns, one task a turn, and one who comes back after a pause
   * has no turns saved; of one caller's tasks, the one with the highest priority, where a task
   * counts one level more for each {@link AGE_STEP_MS} since it was accepted, then the oldest.
   */
  claim(
    type: string,
    node: string,
    limit: number,
    nowMs: number,
  ): MaybePromise<readonly TaskRecord[]>;
  /**
   * Makes each change whose `before` is still the newest version, and says which were made. MUST be
   * durable when it resolves. A change to `queued` puts the task back in its owner's line (due at
   * `state.dueAtMs`, no turn is charged again) and takes it from its node; to `running` leaves it
   * with the node; any other takes it out of the line and from its node, and drops the checkpoint.
   * A checkpoint is kept with the change that has it, or refused with it. When a change takes a task
   * from a node that did not ask (`by`), that node MUST hear of it through `listen`, as far as words
   * are not lost.
   */
  commit(changes: readonly TaskChange[], by?: string): MaybePromise<readonly boolean[]>;
  /** The newest checkpoint of a task, as JSON; `undefined` where it has none, or is over. */
  checkpointOf(id: string): MaybePromise<string | undefined>;

  /** The node lives until `untilMs`, and runs these types. MUST be called before its first claim. */
  beat(node: string, untilMs: number, types?: readonly string[]): MaybePromise<void>;
  /** The node goes down in order; what it still has is lost at once. */
  leave(node: string): MaybePromise<void>;
  /** Nodes that live now. */
  nodes(nowMs: number): MaybePromise<readonly string[]>;
  /** Types that some node which lives now runs, each once, by the last `beat` of each. */
  liveTypes(nowMs: number): MaybePromise<readonly string[]>;
  /** At most `limit` tasks whose node is past its `beat`, or has left. */
  lost(nowMs: number, limit: number): MaybePromise<readonly TaskRecord[]>;
  /** Calls `taken` for each task that someone else took from this node. Any word may be lost. */
  listen(node: string, taken: (id: string) => void): () => void;
  /**
   * All tasks that the node has, claimed or running: it stops what it has no more, for words that
   * were lost, and gives back what it knows nothing of, for claims whose answer was lost.
   */
  held(node: string): MaybePromise<readonly string[]>;

  /** Events of a task after a position, as a stream log reads them. */
  read(id: string, after: EventPosition, limit: number): MaybePromise<readonly StreamEvent[]>;
  /** Where a task's log ends. */
  head(id: string): MaybePromise<EventPosition>;
  /** Calls `hint` after a task has changed. Any hint may be lost. Returns what ends it. */
  watch(id: string, hint: () => void): () => void;

  /** Numbers of each type that has, or had, tasks. */
  counts(nowMs: number): MaybePromise<ReadonlyMap<string, TaskCounts>>;
  /** The earliest due time of a delayed task of the type; `undefined` where there is none. */
  nextDueMs(type: string): MaybePromise<number | undefined>;
  /** At most `limit` tasks that are over and owe a callback. */
  owing(limit: number): MaybePromise<readonly TaskRecord[]>;
  /**
   * Forgets at most `limit` tasks that were over before `beforeMs`, with their events, and batches
   * and idempotency keys of that age; gives back the tasks, whose files are to go.
   */
  forget(beforeMs: number, limit: number): MaybePromise<readonly TaskRecord[]>;
}

/** Time after which a waiting task counts one level of priority more, in ms. */
export const AGE_STEP_MS = 30_000;

/** What is called when there may be work; see {@link TaskQueue.work}. */
export interface WorkOptions {
  readonly types: readonly string[];
  /** Most tasks at once, of all types together. */
  readonly concurrency: number;
  /**
   * Claims a task of the type and runs it to its end. Resolves to what came of it, or `undefined`
   * where there was nothing to claim. It may call `free` before it resolves: what is left needs no
   * hand any more, and another call may take its place. MUST NOT reject.
   */
  readonly run: (type: string, free: () => void) => Promise<WorkOutcome | undefined>;
}

/** What a queue may show of a task that was run. */
export interface WorkOutcome {
  readonly taskId: string;
  readonly status: TaskState['status'];
  readonly error?: TaskError;
}

/**
 * Brings waiting tasks and free hands together. It carries no truth: which task is next the store
 * decides, when it is claimed. A queue that has lost its memory is told again by `ensure`.
 */
export interface TaskQueue {
  /** `count` tasks of the type can be had, at `atMs` (absent: now). MUST be kept when it resolves. */
  offer(type: string, count: number, atMs?: number): MaybePromise<void>;
  /** At least `count` tasks of the type can be had now: makes up for offers that were lost. */
  ensure(type: string, count: number): MaybePromise<void>;
  /** Begins to call `run`. Each offer gets at least one call, or a call after it that found nothing, unless the queue is closed. */
  work(options: WorkOptions): void;
  /** Calls `run` no more; resolves when the calls under way are over. */
  stop(): Promise<void>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** A file lent to an engine. */
export interface LentFile {
  /** Path on this machine. */
  readonly path: string;
  /** The engine is done with it. */
  release(): MaybePromise<void>;
}

/** What became of one attempt. */
export type AttemptOutcome =
  | { readonly type: 'succeeded'; readonly result: Json }
  /** The engine said no. Its code decides whether the task is tried again. */
  | { readonly type: 'failed'; readonly error: TaskError; readonly retryAfterMs?: number }
  /** The process that ran it died, by itself or for its memory. */
  | { readonly type: 'crashed'; readonly reason: string }
  | { readonly type: 'timed-out' }
  /** It was stopped by its signal. */
  | { readonly type: 'stopped' };

/** What an engine tells while it works. */
export type AttemptNews =
  | { readonly type: 'progress'; readonly progress: number; readonly stage?: string }
  | { readonly type: 'text'; readonly text: string }
  /** How far it is, as JSON: what an attempt after this one is given. */
  | { readonly type: 'checkpoint'; readonly checkpoint: string };

/** Runs attempts, in processes of their own. */
export interface EnginePool {
  /**
   * Runs one attempt to its end; MUST NOT reject. It MUST be over, and the work behind it stopped,
   * within 500 ms of the signal, and of `spec.timeoutMs`. `checkpoint` is the newest one of the
   * attempts before, as JSON.
   */
  run(
    task: TaskRecord,
    signal: AbortSignal,
    news: (news: AttemptNews) => void,
    checkpoint?: string,
  ): Promise<AttemptOutcome>;
  close(): Promise<void>;
}

/** Keeps input files from the time they are accepted until their task is over. */
export interface BlobStore {
  /**
   * Keeps what `source` gives under a new name. Errors: `payload_too_large` beyond `maxBytes`, and
   * then nothing is kept; whatever `source` throws.
   */
  put(
    source: AsyncIterable<Uint8Array>,
    maxBytes: number,
  ): Promise<{ blob: string; bytes: number }>;
  /** Makes it a file on this machine. Errors: `not_found`. */
  lend(blob: string): Promise<LentFile>;
  /** Forgets it; an unknown one changes nothing. */
  drop(blobs: readonly string[]): Promise<void>;
}

/** Files of a task, for what has to be dropped with it. */
export function blobsOf(files: readonly InputFile[]): string[] {
  return files.map(({ blob }) => blob);
}
