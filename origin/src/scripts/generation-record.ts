/** A script that was asked for, as the database has it. */

import type { WireError } from '@headwater/shared/protocol/errors';
import type { ScriptRequest } from '@headwater/shared/protocol/scripts';
import type { Json, TaskStatus } from '@headwater/shared/tasks/task';

/** What was asked for; never changes. */
export interface NewGeneration {
  readonly id: string;
  readonly owner: string;
  readonly request: ScriptRequest;
  readonly templateId: string;
  readonly templateVersion: number;
  /** What went wrong without costing the script. */
  readonly warnings: readonly string[];
  readonly idempotencyKey?: string;
  /** Equal for equal requests. */
  readonly fingerprint: string;
  readonly createdAtMs: number;
}

/** What came of it. */
export interface GenerationOutcome {
  readonly status: Extract<TaskStatus, 'succeeded' | 'failed' | 'canceled' | 'timed_out'>;
  /** 0–1, of the last attempt. */
  readonly progress: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number;
  /** The script, or as much of it as was written. */
  readonly text: string;
  /** What the engine gave beside the text. */
  readonly result: { readonly [name: string]: Json } | null;
  readonly error: WireError | null;
}

/** One of the table. */
export interface Generation extends NewGeneration {
  /** Once it is over and that was noted. */
  readonly outcome: GenerationOutcome | undefined;
}

/** The task behind a script: the same 24 characters under another name. */
export function taskIdOf(generationId: string): string {
  return generationId.replace(/^gen_/, 'task_');
}

/** The script that a task writes. */
export function generationIdOf(taskId: string): string {
  return taskId.replace(/^task_/, 'gen_');
}

/** True of what can be the id of a script. */
export function isGenerationId(id: string): boolean {
  return /^gen_[0-9A-Za-z]{24}$/.test(id);
}
