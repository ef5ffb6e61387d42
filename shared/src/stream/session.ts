/**
 * The life of one stream as a pure function: (state, input) → (state, effects). It owns the
 * sequence numbers, the terminal state and what the callback says; `engine.ts` performs what it
 * decides.
 */

import type { WireError } from '../protocol/errors.ts';
import type { CallbackPayload } from '../protocol/init-stream.ts';
import type {
  FinishReason,
  ModelEvent,
  ModelMessage,
  ProviderName,
} from '../providers/contract.ts';
import { releaseText, takeText } from './answer-text.ts';
import type { EventBatch, StreamEvent, StreamStatus, Usage } from './event.ts';

/** What a caller asked for; fixed when the stream is made. */
export interface StreamRequest {
  readonly streamId: string;
  /** Who opened it, for limits and logs. */
  readonly subject: string;
  readonly provider: ProviderName;
  /** The vendor's own name of the model. */
  readonly model: string;
  /** The model as the caller, or the default, named it; what the callback shows. */
  readonly modelName: string;
  readonly messages: readonly ModelMessage[];
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly start: 'connect' | 'now';
  readonly resumeUrl: string;
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
interface Ending {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'expired';
  readonly error?: WireError;
}

/** Everything a session knows; plain data, so that a host can keep it and give it back. */
export interface SessionState {
  readonly request: StreamRequest;
  readonly times: StreamTimes;
  readonly status: StreamStatus;
  /** Seconds since 1970 when the stream was made; the first half of every event id. */
  readonly epoch: number;
  /** Number of the last event handed to the log. */
  readonly lastSeq: number;
  readonly createdAtMs: number;
  /** When the session changes by itself: expiry, then the end of retention. */
  readonly wakeAtMs: number;
  /** Half a surrogate pair, or of a CRLF, that waits for its other half. */
  readonly heldText: string;
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
  | { readonly type: 'reader-attached' }
  | { readonly type: 'source-events'; readonly events: readonly ModelEvent[] }
  | { readonly type: 'source-ended' }
  | { readonly type: 'source-failed'; readonly error: WireError }
  | { readonly type: 'cancel' }
  | { readonly type: 'wake' }
  | {
      readonly type: 'restored';
      /** Number of the last event in the log. */
      readonly logSeq: number;
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
  /** Send the request to the model. */
  | { readonly type: 'open-source' }
  /** Stop the request to the model. */
  | { readonly type: 'close-source' }
  | { readonly type: 'append'; readonly batch: EventBatch }
  /** Count the tokens of the request and of the answer so far; answer with `tokens-counted`. */
  | { readonly type: 'count-tokens' }
  /** The end is durable after the appends before it: keep it, call home, let the readers go. */
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
    createdAtMs: nowMs,
    wakeAtMs: nowMs + times.ttlMs,
    heldText: '',
  };
}

const unchanged = (state: SessionState): SessionStep => ({ state, effects: [] });

function append(state: SessionState, events: readonly StreamEvent[]): SessionStep {
  if (events.length === 0) return unchanged(state);
  const batch: EventBatch = { epoch: state.epoch, firstSeq: state.lastSeq + 1, events };
  return {
    state: { ...state, lastSeq: state.lastSeq + events.length },
    effects: [{ type: 'append', batch }],
  };
}

function start(state: SessionState, nowMs: number): SessionStep {
  const wakeAtMs = nowMs + WATCH_MS;
  return {
    state: { ...state, status: 'streaming', wakeAtMs },
    effects: [{ type: 'save' }, { type: 'wake-at', atMs: wakeAtMs }, { type: 'open-source' }],
  };
}

/** The vendor closed its stream: an answer without a finish is a cut one, never a success. */
function sourceEnded(state: SessionState, nowMs: number): SessionStep {
  if (state.finishReason !== undefined) return end(state, { status: 'completed' }, nowMs);
  const message = 'The model stopped in mid-answer. Send the prompt again.';
  return end(state, { status: 'failed', error: { code: 'upstream_failed', message } }, nowMs);
}

function acceptSource(state: SessionState, events: readonly ModelEvent[]): SessionStep {
  if (state.status !== 'streaming' || state.ending !== undefined) return unchanged(state);
  let { heldText, vendorInputTokens, vendorOutputTokens, finishReason } = state;
  const out: StreamEvent[] = [];
  for (const event of events) {
    if (event.type === 'text') {
      const chunk = takeText(heldText, event.text);
      heldText = chunk.held;
      for (const text of chunk.deltas) out.push({ type: 'delta', text });
    } else if (event.type === 'usage') {
      vendorInputTokens = event.inputTokens ?? vendorInputTokens;
      vendorOutputTokens = event.outputTokens ?? vendorOutputTokens;
    } else {
      finishReason ??= event.reason;
    }
  }
  const next: SessionState = {
    ...state,
    heldText,
    ...(vendorInputTokens === undefined ? {} : { vendorInputTokens }),
    ...(vendorOutputTokens === undefined ? {} : { vendorOutputTokens }),
    ...(finishReason === undefined ? {} : { finishReason }),
  };
  return append(next, out);
}

/** Begins the end: the vendor's own numbers where it gave both, else a count. */
function end(state: SessionState, ending: Ending, nowMs: number): SessionStep {
  if (state.ending !== undefined || isEnded(state.status)) return unchanged(state);
  const withEnding: SessionState = { ...state, ending };
  const closing: SessionEffect[] = state.status === 'streaming' ? [{ type: 'close-source' }] : [];
  const { vendorInputTokens, vendorOutputTokens } = state;
  if (vendorInputTokens === undefined || vendorOutputTokens === undefined) {
    return { state: withEnding, effects: [...closing, { type: 'count-tokens' }] };
  }
  const settled = settle(
    withEnding,
    { inputTokens: vendorInputTokens, outputTokens: vendorOutputTokens, source: 'provider' },
    nowMs,
  );
  return { state: settled.state, effects: [...closing, ...settled.effects] };
}

function finalEvent(ending: Ending, finishReason: FinishReason | undefined): StreamEvent {
  if (ending.error !== undefined) {
    return { type: 'error', code: ending.error.code, message: ending.error.message };
  }
  return {
    type: 'done',
    status: ending.status === 'cancelled' ? 'cancelled' : 'completed',
    finishReason: finishReason ?? null,
  };
}

/** The last events, the final state, and what follows from them. */
function settle(state: SessionState, usage: Usage, nowMs: number): SessionStep {
  const { ending, ...kept } = state;
  if (ending === undefined) return unchanged(state);
  const last: StreamEvent[] = [
    ...(state.heldText === ''
      ? []
      : [{ type: 'delta', text: releaseText(state.heldText) } as const]),
    { type: 'usage', ...usage },
    finalEvent(ending, state.finishReason),
  ];
  const appended = append({ ...kept, heldText: '' }, last);
  return conclude(appended, ending, usage, nowMs);
}

function conclude(step: SessionStep, ending: Ending, usage: Usage, nowMs: number): SessionStep {
  const wakeAtMs = nowMs + step.state.times.retentionMs;
  return {
    state: {
      ...step.state,
      status: ending.status,
      usage,
      wakeAtMs,
      ...(ending.error === undefined ? {} : { error: ending.error }),
    },
    effects: [...step.effects, { type: 'settle' }, { type: 'wake-at', atMs: wakeAtMs }],
  };
}

/** While a model writes, a session wakes this often, so that a restarted host finds it. */
const WATCH_MS = 10_000;

function rearm(state: SessionState, wakeAtMs: number): SessionStep {
  return { state: { ...state, wakeAtMs }, effects: [{ type: 'wake-at', atMs: wakeAtMs }] };
}

function wake(state: SessionState, nowMs: number): SessionStep {
  if (nowMs < state.wakeAtMs) return rearm(state, state.wakeAtMs);
  if (state.status === 'streaming' || state.ending !== undefined) {
    return rearm(state, nowMs + WATCH_MS);
  }
  if (isEnded(state.status)) return { state, effects: [{ type: 'purge' }] };
  const seconds = Math.round(state.times.ttlMs / 1000);
  const message = `Nobody connected to the stream within ${seconds} s. Open the stream URL sooner, or set \`start\` to \`now\`.`;
  return end(state, { status: 'expired', error: { code: 'expired', message } }, nowMs);
}

/** The status that a final event in the log stands for. */
function statusOf(state: SessionState, final: StreamEvent): Ending['status'] {
  if (final.type === 'done') return final.status;
  const nobodyCame =
    state.status === 'pending' && final.type === 'error' && final.code === 'expired';
  return nobodyCame ? 'expired' : 'failed';
}

/** After a crash, an eviction or a deploy: the model's connection is gone, the log is not. */
function restore(
  state: SessionState,
  input: Extract<SessionInput, { type: 'restored' }>,
  nowMs: number,
): SessionStep {
  const { ending: _counting, ...kept } = { ...state, lastSeq: input.logSeq };
  if (isEnded(state.status)) return rearm(kept, state.wakeAtMs);
  if (input.final !== undefined) {
    const { usage, event } = input.final;
    const error = event.type === 'error' ? { code: event.code, message: event.message } : undefined;
    const finishReason = event.type === 'done' ? (event.finishReason ?? undefined) : undefined;
    const known = finishReason === undefined ? kept : { ...kept, finishReason };
    const ending: Ending =
      error === undefined
        ? { status: statusOf(state, event) }
        : { status: statusOf(state, event), error };
    return conclude({ state: known, effects: [] }, ending, usage, nowMs);
  }
  if (state.status === 'pending') return rearm(kept, state.wakeAtMs);
  const message = 'The gateway restarted while the model was answering. Send the prompt again.';
  const failed = end(
    kept,
    { status: 'failed', error: { code: 'upstream_failed', message } },
    nowMs,
  );
  return { state: failed.state, effects: failed.effects };
}

/** One step of a session's life. `nowMs` is the time of the input, in ms since 1970. */
export function stepSession(state: SessionState, input: SessionInput, nowMs: number): SessionStep {
  switch (input.type) {
    case 'created':
      return state.request.start === 'now' ? start(state, nowMs) : rearm(state, state.wakeAtMs);
    case 'reader-attached':
      return state.status === 'pending' && state.ending === undefined
        ? start(state, nowMs)
        : unchanged(state);
    case 'source-events':
      return acceptSource(state, input.events);
    case 'source-ended':
      return sourceEnded(state, nowMs);
    case 'source-failed':
      return end(state, { status: 'failed', error: input.error }, nowMs);
    case 'cancel':
      return end(state, { status: 'cancelled' }, nowMs);
    case 'wake':
      return wake(state, nowMs);
    case 'restored':
      return restore(state, input, nowMs);
    case 'tokens-counted': {
      const usage: Usage = {
        inputTokens: state.vendorInputTokens ?? input.inputTokens,
        outputTokens: input.outputTokens,
        source: 'tokenizer',
      };
      return settle(state, usage, nowMs);
    }
  }
}

/** What the callback says of an ended session; `answer` is the text of the log. */
export function callbackPayload(state: SessionState, answer: string): CallbackPayload {
  const { request, usage } = state;
  return {
    userId: request.userId,
    chatId: request.chatId,
    prompt: request.prompt,
    answer,
    input_tokens: usage?.inputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
    status: state.status,
    streamId: request.streamId,
    model: request.modelName,
    provider: request.provider,
    finishReason: state.finishReason ?? null,
    usageSource: usage?.source ?? 'tokenizer',
    ...(state.error === undefined ? {} : { error: state.error }),
  };
}
