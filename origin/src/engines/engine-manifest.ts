/** What the origin knows of an engine, and what an engine is to the process that runs it. */

import type { AnswerSettings } from '@headwater/shared/protocol/answer-settings';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { TaskSettings } from '@headwater/shared/protocol/task-settings';
import type { InputFile, Json } from '@headwater/shared/tasks/task';
import type * as z from 'zod';

/** The largest checkpoint of an attempt, in bytes of JSON. */
export const MAX_CHECKPOINT_BYTES = 1024 * 1024;

/**
 * What can be asked of an engine. The API process loads it to check requests, so that it and all
 * it imports MUST be cheap: no native modules, no model weights.
 */
export interface EngineManifest {
  /** The type of its tasks, such as `content-generation`: lower case, digits and dashes. */
  readonly type: string;
  /**
   * True where only the gateway itself gives out its tasks, by `TaskIntake.submitDraft`: no caller can
   * ask for the type by its name, alone or in a batch, and no list of types has it. Default: false.
   */
  readonly internal?: true;
  /** What files it takes; none where it takes none. */
  readonly files: readonly FileField[];
  /** The JSON fields beside the ones every task has; strict, and the output holds the defaults. */
  readonly params: z.ZodType<{ readonly [name: string]: Json }>;
  /** Whether it can run here; `missing` says what it takes, for whoever runs the gateway. */
  availability(
    env: EngineEnvironment,
  ): { readonly live: true } | { readonly live: false; readonly missing: string };
}

/** One field that carries files. */
export interface FileField {
  /** Its name in the form or the JSON, such as `image`; `image[]` is the same field. */
  readonly field: string;
  /** What the files must be by their own first bytes. */
  readonly kind: 'image' | 'audio' | 'document';
  /** Fewest and most files of this field. */
  readonly min: number;
  readonly max: number;
}

/** What an engine is set up from. */
export interface EngineEnvironment {
  readonly settings: Settings;
  readonly tasks: TaskSettings;
  /** Models by policy, and what they cost. */
  readonly answers: AnswerSettings;
}

/** Lives in a child process, and stays warm between tasks; runs one task at a time. */
export interface Engine {
  /**
   * Runs one attempt to its end and gives the result. Errors: a `GatewayError` keeps its code and
   * message; anything else reaches the caller as `processing_failed` without its text.
   */
  run(job: EngineJob): Promise<Json>;
  /** Lets go of what it holds; the process ends right after. */
  close?(): Promise<void>;
}

/** One attempt at one task, as its engine sees it. */
export interface EngineJob {
  /** As the manifest's schema gave them. */
  readonly params: { readonly [name: string]: Json };
  /** Its files, on this machine until the attempt is over; not to be changed. */
  readonly files: readonly EngineFile[];
  /**
   * What the attempt before kept last by {@link EngineJob.keep}; `undefined` where nothing was kept.
   * Text that was shown is void with its attempt: whoever goes on shows again what still holds.
   */
  readonly checkpoint: Json | undefined;
  /** Aborts when the result is not wanted any more; soon after, the process is killed. */
  readonly signal: AbortSignal;
  /** How far it is, 0–1, and what it does, in a word or two. Cheap: may be called very often. */
  progress(fraction: number, stage?: string): void;
  /** The next piece of a text that grows while it is made. */
  text(text: string): void;
  /**
   * Keeps how far the work is, for an attempt after this one: durably soon after, together with all
   * news before it or after them, never ahead of them. It replaces the one before as a whole. At most
   * {@link MAX_CHECKPOINT_BYTES} of JSON; beyond that the attempt fails with `payload_too_large`. What
   * was kept is forgotten with the end of the task.
   */
  keep(checkpoint: Json): void;
}

/** A file, and where it lies on this machine. */
export type EngineFile = InputFile & { readonly path: string };

/** What the module of an engine exports: `export const manifest`, `export function createEngine`. */
export interface EngineModule {
  readonly manifest: EngineManifest;
  /**
   * Makes it ready to run: loads models, opens connections. Errors: a `GatewayError` of
   * `unavailable` where something is missing.
   */
  createEngine(env: EngineEnvironment): Promise<Engine>;
}
