/** What a task is: heavy work that was accepted, and must end exactly once. */

import type { ErrorCode } from '../protocol/errors.ts';

/**
 * Life of a task: `queued → running → succeeded | failed | canceled | timed_out`. A running task
 * whose attempt died, or failed in a way that may pass, is queued again.
 */
export type TaskStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'timed_out';

/** A JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** A file that a task works on, kept by the blob store until the task is over. */
export interface InputFile {
  /** The field it came in, such as `image`, or `images[3]`. */
  readonly field: string;
  /** Its name in the blob store. */
  readonly blob: string;
  readonly bytes: number;
  /** By its own first bytes, never by what the caller says, such as `image/png`. */
  readonly mediaType: string;
  /** Pixels, of images; read from the head of the file, without decoding it. */
  readonly width?: number;
  readonly height?: number;
  /** Frames, of animations and multi-page images. */
  readonly frames?: number;
}

/** What a task works on: checked parameters, and files. */
export interface TaskInput {
  readonly params: { readonly [name: string]: Json };
  readonly files: readonly InputFile[];
}

/** What was asked for; never changes. */
export interface TaskSpec {
  readonly id: string;
  /** Which engine runs it, such as `ocr`. */
  readonly type: string;
  /** Who asked: the subject of a token. */
  readonly owner: string;
  /** The batch it is part of. */
  readonly batchId?: string;
  /** 1–10, 10 first. */
  readonly priority: number;
  /** Longest time of one attempt, in ms. */
  readonly timeoutMs: number;
  /** Attempts after which a failure is final. At least 1. */
  readonly maxAttempts: number;
  readonly createdAtMs: number;
  readonly input: TaskInput;
  readonly callbackUrl?: string;
}

/** Why a task ended without a result, or an attempt did. */
export interface TaskError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** How far a task is; replaced as a whole with every change. */
export interface TaskState {
  /** 1 when it is accepted, and one more with every change: the fencing number of whoever changes it. */
  readonly version: number;
  readonly status: TaskStatus;
  /** Attempts begun. */
  readonly attempts: number;
  /** A queued task is not begun before this, in ms since 1970. */
  readonly dueAtMs: number;
  /** The node that runs it, while it is running. */
  readonly node?: string;
  /** When the last attempt began. */
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  /** 0–1, of the current attempt. */
  readonly progress: number;
  /** What the engine is doing, in a word or two. */
  readonly stage?: string;
  /** Epoch of the events: one more each time text that was shown is void. Begins at 1. */
  readonly epoch: number;
  /** True once the current epoch has shown text. */
  readonly hasText?: boolean;
  /** True once an attempt has kept how far it was; what it kept stands beside the state. */
  readonly hasCheckpoint?: boolean;
  /** What it came to, of a succeeded task. */
  readonly result?: Json;
  /** The last failure: of a queued task that of the attempt before. */
  readonly error?: TaskError;
  /** `owed` until the outbox has the callback; absent where none is wanted. */
  readonly callback?: 'owed' | 'kept';
}

/** A task as it is kept. */
export interface TaskRecord {
  readonly spec: TaskSpec;
  readonly state: TaskState;
}

/** Several tasks that were accepted together. */
export interface BatchRecord {
  readonly id: string;
  readonly owner: string;
  readonly createdAtMs: number;
  /** One entry for each task that was sent, in the order of sending. */
  readonly entries: readonly BatchEntry[];
}

/** A task of a batch, or why it was not accepted. */
export type BatchEntry = { readonly taskId: string } | { readonly error: TaskError };

/** True of states that nothing follows. */
export function isOver(status: TaskStatus): boolean {
  return status !== 'queued' && status !== 'running';
}
