/** Feeds a session by hand, without an engine. */

import type { ModelEvent } from '../providers/contract.ts';
import type { StreamEvent } from '../stream/event.ts';
import { stepSession } from '../stream/session.ts';
import type {
  SessionEffect,
  SessionInput,
  SessionState,
  SessionStep,
  StreamRequest,
} from '../stream/session-state.ts';
import { aNewSession } from './session-fixtures.ts';

/** The time of every input that names no other. */
export const NOW_MS: number = Date.UTC(2030, 0, 1);

/** Epoch of a session made at {@link NOW_MS}. */
export const EPOCH: number = NOW_MS / 1000;

export const READ: SessionInput = { type: 'readers', count: 1 };
export const LEFT: SessionInput = { type: 'readers', count: 0 };
export const WAKE: SessionInput = { type: 'wake' };
export const ENDED: SessionInput = { type: 'source-ended' };
export const COUNTED: SessionInput = { type: 'tokens-counted', inputTokens: 10, outputTokens: 20 };
export const FINISH: ModelEvent = { type: 'finish', reason: 'stop' };
export const USAGE: ModelEvent = { type: 'usage', inputTokens: 3, outputTokens: 4 };
export const BROKE = { code: 'upstream_failed', message: 'It broke.' } as const;
export const FAILED: SessionInput = { type: 'source-failed', error: BROKE };

export const text = (value: string): ModelEvent => ({ type: 'text', text: value });
export const source = (...events: ModelEvent[]): SessionInput => ({
  type: 'source-events',
  events,
});

/** Feeds inputs at one time and gathers the effects. */
export function feed(
  state: SessionState,
  inputs: readonly SessionInput[],
  nowMs: number = NOW_MS,
): SessionStep {
  const effects: SessionEffect[] = [];
  let current = state;
  for (const input of inputs) {
    const step = stepSession(current, input, nowMs);
    current = step.state;
    effects.push(...step.effects);
  }
  return { state: current, effects };
}

/** Names of a step's effects. */
export const kinds = (step: SessionStep): string[] => step.effects.map(({ type }) => type);

/** Batches that a step hands to the log. */
export const batchesOf = (step: SessionStep) =>
  step.effects.flatMap((effect) => (effect.type === 'append' ? [effect.batch] : []));

/** Events that a step hands to the log. */
export const eventsOf = (step: SessionStep): StreamEvent[] =>
  batchesOf(step).flatMap(({ events }) => events);

/** One that waits for its first reader. */
export const pending = (changes: Partial<StreamRequest> = {}): SessionState =>
  feed(aNewSession(NOW_MS, changes), [{ type: 'created' }]).state;

/** One whose model has been asked, with a reader. */
export const streaming = (changes: Partial<StreamRequest> = {}): SessionState =>
  feed(pending(changes), [READ]).state;
