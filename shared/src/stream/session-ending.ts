/** How a session ends: its usage, its last events, and what follows from them. */

import type { FinishReason } from '../providers/contract.ts';
import { releaseText } from './answer-text.ts';
import type { StreamEvent, Usage } from './event.ts';
import {
  append,
  type Ending,
  isEnded,
  type SessionEffect,
  type SessionState,
  type SessionStep,
  unchanged,
} from './session-state.ts';

/** Begins the end: the vendor's own numbers where it gave both, else a count. */
export function end(state: SessionState, ending: Ending, nowMs: number): SessionStep {
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

/** The last events, and the final state. */
export function settle(state: SessionState, usage: Usage, nowMs: number): SessionStep {
  const { ending, ...kept } = state;
  if (ending === undefined) return unchanged(state);
  const last: StreamEvent[] = [
    ...(state.heldText === ''
      ? []
      : [{ type: 'delta', text: releaseText(state.heldText) } as const]),
    { type: 'usage', ...usage },
    finalEvent(ending, state.finishReason),
  ];
  return conclude(append({ ...kept, heldText: '' }, last), ending, usage, nowMs);
}

/** What follows once the final event is handed to the log. */
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

/** The log holds the end already, and the state does not know: the host died between the two. */
export function concludeFromLog(
  state: SessionState,
  final: { readonly usage: Usage; readonly event: StreamEvent },
  nowMs: number,
): SessionStep {
  const { usage, event } = final;
  const error = event.type === 'error' ? { code: event.code, message: event.message } : undefined;
  const finishReason = event.type === 'done' ? (event.finishReason ?? undefined) : undefined;
  const known = finishReason === undefined ? state : { ...state, finishReason };
  const status = statusOf(state, event);
  const ending: Ending = error === undefined ? { status } : { status, error };
  return conclude({ state: known, effects: [] }, ending, usage, nowMs);
}

/** The status that a final event in the log stands for. */
function statusOf(state: SessionState, final: StreamEvent): Ending['status'] {
  if (final.type === 'done') return final.status;
  const nobodyCame =
    state.status === 'pending' && final.type === 'error' && final.code === 'expired';
  return nobodyCame ? 'expired' : 'failed';
}
