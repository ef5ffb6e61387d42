/** What a stream is made of: numbered events under an epoch. */

import type { ErrorCode } from '../protocol/errors.ts';
import type { FinishReason, ToolCallPiece } from '../providers/contract.ts';

/** Life of a stream: `pending → streaming → completed | failed | cancelled`, or `pending → expired`. */
export type StreamStatus =
  | 'pending'
  | 'streaming'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'expired';

/** Where the token counts come from: the vendor's own numbers, or our count of the text. */
export type UsageSource = 'provider' | 'tokenizer';

/** Tokens of one answer. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly source: UsageSource;
}

/** One event of a stream, as the log keeps it and `?format=json` shows it. */
export type StreamEvent =
  | { readonly type: 'delta'; readonly text: string }
  | ToolCallPiece
  /**
   * The first event of a new epoch: what came before it is void, and the answer begins again, from
   * `model`. `reason` says what the epoch before it died of.
   */
  | { readonly type: 'restart'; readonly reason: ErrorCode; readonly model: string }
  /** How far a task is; streams of models have none. */
  | {
      readonly type: 'progress';
      readonly status: 'queued' | 'running';
      /** Attempts begun. */
      readonly attempts: number;
      /** 0–1, of the current attempt. */
      readonly progress: number;
      /** What is being done, in a word or two. */
      readonly stage?: string;
    }
  /** Something beside the answer that its readers need, such as the sources it draws on. */
  | {
      readonly type: 'note';
      /** What it tells, in a word. */
      readonly name: string;
      /** JSON. */
      readonly data: Readonly<Record<string, unknown>>;
    }
  | ({ readonly type: 'usage' } & Usage)
  | {
      readonly type: 'done';
      readonly status: 'completed' | 'cancelled';
      readonly finishReason: FinishReason | null;
    }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly message: string };

/** Events that nothing follows. */
export function isFinal(event: StreamEvent): boolean {
  return event.type === 'done' || event.type === 'error';
}

/**
 * Contiguous events: the n-th has the number `firstSeq + n`. Numbers start at 1 and have no holes
 * within an epoch.
 */
export interface EventBatch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly events: readonly StreamEvent[];
}

/** A place in a stream: everything up to and including `seq` has been read. */
export interface EventPosition {
  readonly epoch: number;
  readonly seq: number;
}

/** The event id of the wire, `<epoch in base 36>-<seq>`: short, and free of NUL, CR and LF. */
export function formatEventId(epoch: number, seq: number): string {
  return `${epoch.toString(36)}-${seq}`;
}

/** Reads an event id; `undefined` for anything that {@link formatEventId} cannot have written. */
export function parseEventId(id: string): EventPosition | undefined {
  const match = /^([0-9a-z]{1,9})-(0|[1-9][0-9]{0,14})$/.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { epoch: Number.parseInt(match[1], 36), seq: Number(match[2]) };
}
