/** What an origin process and the child that runs its engines say to each other, over Node's IPC. */

import { ERROR_TABLE, type ErrorCode } from '@headwater/shared/protocol/errors';
import type { Json } from '@headwater/shared/tasks/task';
import { type EngineFile, MAX_CHECKPOINT_BYTES } from './engine-manifest.ts';

/** What a child is told. Attempts are numbered by the parent, so that a late word is known as one. */
export type ToChild =
  /** Begin an attempt; the one before is over. */
  | {
      readonly type: 'run';
      readonly attempt: number;
      /** The type of the task. */
      readonly engine: string;
      readonly params: { readonly [name: string]: Json };
      readonly files: readonly EngineFile[];
      /** Of the attempts before, as JSON. */
      readonly checkpoint?: string;
    }
  /** Have the engine ready for a task that comes soon. */
  | { readonly type: 'load'; readonly engine: string }
  /** The result is not wanted any more. */
  | { readonly type: 'stop'; readonly attempt: number };

/**
 * What an engine told since the last message: the newest progress, all the text, and the newest
 * checkpoint (JSON), which never comes before text that it counts for.
 */
export interface EngineNews {
  readonly progress?: number;
  readonly stage?: string;
  readonly text?: string;
  readonly checkpoint?: string;
}

/** What a child says. */
export type FromChild =
  /** It has read its settings, and can run engines. */
  | { readonly type: 'ready' }
  | { readonly type: 'news'; readonly attempt: number; readonly news: EngineNews }
  /** The attempt is over; `news` came before the end of it. */
  | {
      readonly type: 'done';
      readonly attempt: number;
      readonly result: Json;
      readonly news?: EngineNews;
    }
  | {
      readonly type: 'failed';
      readonly attempt: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterMs?: number;
      /** Of the log: a description without anything of a caller's. */
      readonly cause?: unknown;
      /** True where the engine itself could not be loaded: this child is of no more use. */
      readonly isUnloadable?: boolean;
      readonly news?: EngineNews;
    }
  /** What was to be stopped has ended. */
  | { readonly type: 'stopped'; readonly attempt: number }
  /** It ends, because something failed that no attempt waits for. */
  | { readonly type: 'dying'; readonly cause: unknown };

/** The longest result, in bytes of JSON: it is kept in the store and sent to callbacks as a whole. */
export const MAX_RESULT_BYTES = 1024 * 1024;

/** The descriptor of the pipe that ends with the parent; a child may also tell its memory there. */
export const LIFELINE_FD = 4;

/**
 * Reads a message of a child; `undefined` for what is none. A child decodes what strangers sent, so
 * that it may be under their hand: what decides anything is checked.
 */
export function readFromChild(message: unknown): FromChild | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, attempt, code, news } = message as Record<string, unknown>;
  if (type === 'ready' || type === 'dying') return message as FromChild;
  if (typeof attempt !== 'number') return undefined;
  if (news !== undefined && !isNews(news)) return undefined;
  switch (type) {
    case 'stopped':
    case 'done':
      return message as FromChild;
    case 'news':
      return news === undefined ? undefined : (message as FromChild);
    case 'failed':
      return isCode(code) && typeof (message as { message?: unknown }).message === 'string'
        ? (message as FromChild)
        : undefined;
    default:
      return undefined;
  }
}

function isNews(news: unknown): news is EngineNews {
  if (typeof news !== 'object' || news === null) return false;
  const { progress, stage, text, checkpoint } = news as Record<string, unknown>;
  return (
    (progress === undefined || (typeof progress === 'number' && Number.isFinite(progress))) &&
    (stage === undefined || typeof stage === 'string') &&
    (text === undefined || typeof text === 'string') &&
    (checkpoint === undefined || isCheckpoint(checkpoint))
  );
}

/** Whether it is JSON only the child of the next attempt learns. */
function isCheckpoint(checkpoint: unknown): boolean {
  if (typeof checkpoint !== 'string' || checkpoint === '') return false;
  return Buffer.byteLength(checkpoint) <= MAX_CHECKPOINT_BYTES;
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code);
}
