/** What a session knows, what happens to it, and what it asks its engine to do. */

import type { ErrorCode, WireError } from '../protocol/errors.ts';
import type {
  FinishReason,
  ModelEvent,
  ModelRequest,
  ProviderName,
} from '../providers/contract.ts';
import type { EventBatch, StreamEvent, StreamStatus, Usage } from './event.ts';
import type { TextRules } from './text-filter.ts';

/** A model that may answer. */
export interface ModelTarget {
  readonly provider: ProviderName;
  /** The vendor's own name of the model. */
  readonly model: string;
  /** The model as the caller, or the default, named it; what the callback shows. */
  readonly name: string;
}

/**
 * What happens once the last reader has left for longer than the grace time: nothing; the model is
 * stopped; or what was said is kept and the vendor is read to its end for its own token counts.
 */
export type DisconnectPolicy = 'continue' | 'cancel' | 'drain';

/** What a stream is for, in the words of the service that opened it. */
export interface StreamPurpose {
  /** The service, such as `chat-turn`. */
  readonly kind: string;
  /** What the service knows it by. */
  readonly id: string;
}

/** A whole answer that was kept. */
export interface GivenAnswer {
  readonly text: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a caller asked for; fixed when the stream is made. */
export interface StreamRequest
  extends Omit<ModelRequest, 'model' | 'streamId'>,
    Required<Pick<ModelRequest, 'streamId'>> {
  /** Who opened it, for limits and logs. */
  readonly subject: string;
  /** The model asked for, then those that take over when it fails, in order. */
  readonly targets: readonly [ModelTarget, ...ModelTarget[]];
  readonly start: 'connect' | 'now';
  readonly onDisconnect: DisconnectPolicy;
  /** Time without a reader before `onDisconnect` holds, in ms. */
  readonly graceMs: number;
  /** Longest answer, in bytes of UTF-8. */
  readonly maxAnswerBytes: number;
  /** False: the session lives and dies with the one reader that waits for it, and nothing of it is kept. */
  readonly isKept: boolean;
  /** False: an answer of which something was shown fails where it would begin again. */
  readonly mayRestart: boolean;
  /**
   * Shown before the model's first word, and again where the answer begins again. Neither usage nor
   * a final event.
   */
  readonly preface?: readonly StreamEvent[];
  /** Who hears of the end inside the gateway; absent: nobody. */
  readonly purpose?: StreamPurpose;
  /** A complete answer is kept under this key for equal requests. */
  readonly cache?: { readonly key: string; readonly ttlMs: number };
  /** Said in place of the model, which is not asked: an answer that it gave to an equal request. */
  readonly given?: GivenAnswer;
  /** What the model says passes these before it is kept or shown. Default: all of it, as it is. */
  readonly textRules?: TextRules;
  /** Where the end is told; absent: nowhere. */
  readonly resumeUrl?: string;
  readonly userId: string | null;
  readonly chatId: string | null;
  readonly prompt: string;
}

/** Times that bound a stream, in ms. */
export interface StreamTimes {
  /** A stream nobody connects to is gone after this. */
  readonly ttlMs: number;
  /** A finished stream can be replayed for this long. */
  readonly retentionMs: number;
}

/** How the answer ended, before its tokens are counted. */
export interface Ending {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'expired';
  readonly error?: WireError;
}

/** Everything a session knows; plain data, so that a host can keep it and give it back. */
export interface SessionState {
  readonly request: StreamRequest;
  readonly times: StreamTimes;
  readonly status: StreamStatus;
  /** First half of every event id: seconds since 1970 when the answer began, or began again. */
  readonly epoch: number;
  /** Number of the last event handed to the log, in this epoch. */
  readonly lastSeq: number;
  /** Which of the request's targets answers. */
  readonly targetAt: number;
  /** Times the answer began again because its host had died. */
  readonly revivals: number;
  readonly createdAtMs: number;
  /** When the session changes by itself: expiry, then the end of retention. */
  readonly wakeAtMs: number;
  /** Set once a reader has been there: a stream that nobody ever read is not abandoned. */
  readonly wasRead?: true;
  /** When the last reader left; absent while one is there, and before the first one came. */
  readonly abandonedAtMs?: number;
  /** Set once nothing more is kept, and the vendor is read for its token counts alone. */
  readonly draining?: true;
  /** Half a surrogate pair, or of a CRLF, that waits for its other half. */
  readonly heldText: string;
  /** Bytes of the answer so far, in UTF-8. */
  readonly answerBytes: number;
  readonly vendorInputTokens?: number;
  readonly vendorOutputTokens?: number;
  readonly finishReason?: FinishReason;
  /** Set while tokens are being counted: nothing but the count can follow. */
  readonly ending?: Ending;
  readonly usage?: Usage;
  readonly error?: WireError;
}

/** What happens to a session. */
export type SessionInput =
  | { readonly type: 'created' }
  /** Readers came or went: so many are there now. */
  | { readonly type: 'readers'; readonly count: number }
  | { readonly type: 'source-events'; readonly events: readonly ModelEvent[] }
  | { readonly type: 'source-ended' }
  | { readonly type: 'source-failed'; readonly error: WireError }
  | { readonly type: 'cancel' }
  /** The host goes down. */
  | { readonly type: 'interrupt'; readonly error: WireError }
  | { readonly type: 'wake' }
  | {
      readonly type: 'restored';
      /** Where the log ends; the epoch is 0 where nothing of it was kept. */
      readonly log: { readonly epoch: number; readonly seq: number };
      /** The final event, where the log has one, and the usage before it. */
      readonly final?: { readonly usage: Usage; readonly event: StreamEvent };
    }
  | {
      readonly type: 'tokens-counted';
      readonly inputTokens: number;
      readonly outputTokens: number;
    };

/** What the engine must do, in order. */
export type SessionEffect =
  /** Send the request to the target in use; a request before it is over. */
  | { readonly type: 'open-source' }
  /** Stop the request to the model. */
  | { readonly type: 'close-source' }
  | { readonly type: 'append'; readonly batch: EventBatch }
  /** Count the tokens of the request and of the answer so far; answer with `tokens-counted`. */
  | { readonly type: 'count-tokens' }
  /** Keep the end and call home; only then is the final event shown. */
  | { readonly type: 'settle' }
  /** Keep the state, so that a restored session knows it. */
  | { readonly type: 'save' }
  | { readonly type: 'wake-at'; readonly atMs: number }
  /** Forget the session and its log. */
  | { readonly type: 'purge' };

/** A step's outcome. */
export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

/** True once nothing can change but retention. */
export function isEnded(status: StreamStatus): boolean {
  return status !== 'pending' && status !== 'streaming';
}

/** A new session, before its `created` input. */
export function newSession(
  request: StreamRequest,
  times: StreamTimes,
  nowMs: number,
): SessionState {
  return {
    request,
    times,
    status: 'pending',
    epoch: Math.floor(nowMs / 1000),
    lastSeq: 0,
    targetAt: 0,
    revivals: 0,
    createdAtMs: nowMs,
    wakeAtMs: nowMs + times.ttlMs,
    heldText: '',
    answerBytes: 0,
  };
}

/** The model that answers, or answered. */
export function targetOf(state: SessionState): ModelTarget {
  return state.request.targets[state.targetAt] ?? state.request.targets[0];
}

/** True once readers have seen more of this epoch than what stands before every answer. */
export function hasShown({ lastSeq, request: { preface = [] } }: SessionState): boolean {
  // The restart of an epoch counts: it names its model.
  return lastSeq > preface.length;
}

/** A step that changes nothing. */
export const unchanged = (state: SessionState): SessionStep => ({ state, effects: [] });

/** Numbers the events and hands them to the log. */
export function append(state: SessionState, events: readonly StreamEvent[]): SessionStep {
  if (events.length === 0) return unchanged(state);
  const batch: EventBatch = { epoch: state.epoch, firstSeq: state.lastSeq + 1, events };
  return {
    state: { ...state, lastSeq: state.lastSeq + events.length },
    effects: [{ type: 'append', batch }],
  };
}

/**
 * Begins the answer again under a new epoch, from the target at `targetAt`. What the epoch before
 * said is void for every reader and for the callback.
 */
export function beginAgain(
  state: SessionState,
  reason: ErrorCode,
  targetAt: number,
  nowMs: number,
): SessionStep {
  const {
    vendorInputTokens: _input,
    vendorOutputTokens: _output,
    finishReason: _finish,
    ending: _ending,
    // What was drained is void with its epoch.
    draining: _draining,
    ...kept
  } = state;
  const next: SessionState = {
    ...kept,
    epoch: Math.max(state.epoch + 1, Math.floor(nowMs / 1000)),
    lastSeq: 0,
    targetAt,
    heldText: '',
    answerBytes: 0,
  };
  const restart: StreamEvent = { type: 'restart', reason, model: targetOf(next).name };
  return append(next, [restart, ...(state.request.preface ?? [])]);
}
