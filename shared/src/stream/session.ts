/**
 * The life of one stream as a pure function: (state, input) → (state, effects). It owns the
 * sequence numbers, the epochs, the terminal state and what the callback says; `engine.ts` performs
 * what it decides.
 */

import type { WireError } from '../protocol/errors.ts';
import { acceptSource } from './answer-intake.ts';
import type { Usage } from './event.ts';
import { concludeFromLog, end, settle } from './session-ending.ts';
import {
  append,
  beginAgain,
  hasShown,
  isEnded,
  type SessionInput,
  type SessionState,
  type SessionStep,
  unchanged,
} from './session-state.ts';

/** While a model writes, a session wakes this often, so that a restarted host finds it. */
const WATCH_MS = 10_000;

/** Times an answer begins again after its host died; then the stream fails. */
const MAX_REVIVALS = 2;

/** An answer whose host was away for longer is not begun again: nobody waits for it any more. */
const REVIVAL_MS = 15 * 60_000;

function rearm(state: SessionState, wakeAtMs: number): SessionStep {
  return { state: { ...state, wakeAtMs }, effects: [{ type: 'wake-at', atMs: wakeAtMs }] };
}

/** When a streaming session looks after itself next: no later than its grace time is over. */
function nextLook(state: SessionState, nowMs: number): number {
  const { abandonedAtMs, draining } = state;
  if (draining || abandonedAtMs === undefined) return nowMs + WATCH_MS;
  return Math.min(nowMs + WATCH_MS, abandonedAtMs + state.request.graceMs);
}

/** Sends the request; the state is kept first, so that a restored session knows that it was sent. */
function ask(state: SessionState, nowMs: number): SessionStep {
  const wakeAtMs = nextLook(state, nowMs);
  const asked: SessionStep = {
    state: { ...state, status: 'streaming', wakeAtMs },
    effects: [{ type: 'save' }, { type: 'wake-at', atMs: wakeAtMs }, { type: 'open-source' }],
  };
  const { preface = [] } = state.request;
  // A model that takes over without a word finds it in place. The request does not wait for it.
  return state.lastSeq > 0 ? asked : andThen(asked, (begun) => append(begun, preface));
}

/** Two steps as one. */
function andThen(first: SessionStep, next: (state: SessionState) => SessionStep): SessionStep {
  const second = next(first.state);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
}

const askAgain = (begun: SessionStep, nowMs: number): SessionStep =>
  andThen(begun, (state) => ask(state, nowMs));

/** Readers came or went. */
function countReaders(state: SessionState, count: number, nowMs: number): SessionStep {
  if (state.ending !== undefined || isEnded(state.status)) return unchanged(state);
  if (count > 0) {
    if (state.status === 'pending') return ask({ ...state, wasRead: true }, nowMs);
    if (state.wasRead && state.abandonedAtMs === undefined) return unchanged(state);
    const { abandonedAtMs: _back, ...kept } = state;
    // A restarted host must know whether anybody has been there.
    const isNews = !state.wasRead && state.request.onDisconnect !== 'continue';
    return { state: { ...kept, wasRead: true }, effects: isNews ? [{ type: 'save' }] : [] };
  }
  const mayLeave = state.wasRead && state.request.onDisconnect !== 'continue';
  if (!mayLeave || state.abandonedAtMs !== undefined) return unchanged(state);
  const leaveAtMs = nowMs + state.request.graceMs;
  const abandoned: SessionState = { ...state, abandonedAtMs: nowMs };
  return leaveAtMs < state.wakeAtMs ? rearm(abandoned, leaveAtMs) : unchanged(abandoned);
}

/** Nobody has read for longer than the grace time. */
function leaveModel(state: SessionState, nowMs: number): SessionStep {
  if (state.request.onDisconnect === 'cancel') return end(state, { status: 'cancelled' }, nowMs);
  const wakeAtMs = nowMs + WATCH_MS;
  return {
    state: { ...state, draining: true, wakeAtMs },
    effects: [{ type: 'save' }, { type: 'wake-at', atMs: wakeAtMs }],
  };
}

/** The vendor closed its stream: an answer without a finish is a cut one, never a success. */
function sourceEnded(state: SessionState, nowMs: number): SessionStep {
  if (state.draining) return end(state, { status: 'cancelled' }, nowMs);
  if (state.finishReason !== undefined) return end(state, { status: 'completed' }, nowMs);
  const message = 'The model stopped in mid-answer. Send the prompt again.';
  return sourceFailed(state, { code: 'upstream_failed', message }, nowMs);
}

/** The next model takes over: unnoticed where nothing was shown, else under a new epoch. */
function sourceFailed(state: SessionState, error: WireError, nowMs: number): SessionStep {
  if (state.ending !== undefined || state.status !== 'streaming') return unchanged(state);
  if (state.draining) return end(state, { status: 'cancelled' }, nowMs);
  const nextAt = state.targetAt + 1;
  const isVoid = hasShown(state) && !state.request.mayRestart;
  if (nextAt >= state.request.targets.length || isVoid) {
    return end(state, { status: 'failed', error }, nowMs);
  }
  if (hasShown(state)) return askAgain(beginAgain(state, error.code, nextAt, nowMs), nowMs);
  const {
    vendorInputTokens: _input,
    vendorOutputTokens: _output,
    finishReason: _finish,
    ...kept
  } = state;
  return ask({ ...kept, targetAt: nextAt, heldText: '', answerBytes: 0 }, nowMs);
}

function wake(state: SessionState, nowMs: number): SessionStep {
  if (nowMs < state.wakeAtMs) return rearm(state, state.wakeAtMs);
  if (state.ending !== undefined) return rearm(state, nowMs + WATCH_MS);
  if (state.status === 'streaming') {
    const { abandonedAtMs, draining } = state;
    const leaveAtMs = (abandonedAtMs ?? Number.POSITIVE_INFINITY) + state.request.graceMs;
    if (!draining && nowMs >= leaveAtMs) return leaveModel(state, nowMs);
    return rearm(state, nextLook(state, nowMs));
  }
  if (isEnded(state.status)) return { state, effects: [{ type: 'purge' }] };
  const seconds = Math.round(state.times.ttlMs / 1000);
  const message = `Nobody connected to the stream within ${seconds} s. Open the stream URL sooner, or set \`start\` to \`now\`.`;
  return end(state, { status: 'expired', error: { code: 'expired', message } }, nowMs);
}

/** After a crash, an eviction or a deploy: the model's connection is gone, and the answer begins again. */
function restore(
  state: SessionState,
  input: Extract<SessionInput, { type: 'restored' }>,
  nowMs: number,
): SessionStep {
  // The log may have begun again without the state knowing: its last word counts.
  const epoch = Math.max(state.epoch, input.log.epoch);
  const lastSeq = input.log.epoch === epoch ? input.log.seq : 0;
  const { ending: _counting, ...rest } = state;
  const kept: SessionState = { ...rest, epoch, lastSeq };
  if (isEnded(state.status)) return rearm(kept, state.wakeAtMs);
  if (input.final !== undefined) return concludeFromLog(kept, input.final, nowMs);
  if (state.status === 'pending') {
    // It would have asked at once: the host died before it, or before it had noted that it did.
    return state.request.start === 'now' ? ask(kept, nowMs) : rearm(kept, state.wakeAtMs);
  }
  // Here what was said before the crash is still there: it can be ended as it is.
  const isIntact = input.log.epoch === epoch && lastSeq > 0;
  const held: SessionState = { ...kept, heldText: '' };
  if (state.draining && isIntact) return end(held, { status: 'cancelled' }, nowMs);
  const leaves = state.wasRead && state.request.onDisconnect !== 'continue';
  const revived: SessionState = {
    ...held,
    revivals: state.revivals + 1,
    ...(leaves ? { abandonedAtMs: nowMs } : {}),
  };
  const isGivenUp =
    !state.request.isKept || revived.revivals > MAX_REVIVALS || nowMs > state.wakeAtMs + REVIVAL_MS;
  if (!isGivenUp) return askAgain(beginAgain(revived, 'unavailable', state.targetAt, nowMs), nowMs);
  // Readers of a lost epoch must learn that it is void, even where nothing follows.
  const begun = isIntact
    ? unchanged(revived)
    : beginAgain(revived, 'unavailable', state.targetAt, nowMs);
  const message = 'The gateway restarted while the model was answering. Send the prompt again.';
  const error: WireError = { code: 'upstream_failed', message };
  return andThen(begun, (given) => end(given, { status: 'failed', error }, nowMs));
}

function accept(
  state: SessionState,
  input: Extract<SessionInput, { type: 'source-events' }>,
  nowMs: number,
): SessionStep {
  if (state.status !== 'streaming' || state.ending !== undefined) return unchanged(state);
  const taken = acceptSource(state, input.events);
  if (!taken.overflow) return taken.step;
  const limit = state.request.maxAnswerBytes;
  const message = `The answer is longer than the ${limit} bytes allowed here. Ask for less, or raise MAX_ANSWER_BYTES.`;
  const error: WireError = { code: 'payload_too_large', message };
  return andThen(taken.step, (state) => end(state, { status: 'failed', error }, nowMs));
}

/** One step of a session's life. `nowMs` is the time of the input, in ms since 1970. */
export function stepSession(state: SessionState, input: SessionInput, nowMs: number): SessionStep {
  switch (input.type) {
    case 'created':
      return state.request.start === 'now' ? ask(state, nowMs) : rearm(state, state.wakeAtMs);
    case 'readers':
      return countReaders(state, input.count, nowMs);
    case 'source-events':
      return accept(state, input, nowMs);
    case 'source-ended':
      return sourceEnded(state, nowMs);
    case 'source-failed':
      return sourceFailed(state, input.error, nowMs);
    case 'cancel':
      return end(state, { status: 'cancelled' }, nowMs);
    case 'interrupt':
      return end(state, { status: 'failed', error: input.error }, nowMs);
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
