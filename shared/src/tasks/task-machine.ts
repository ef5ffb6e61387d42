/** Decides every step of a task: (state, input) → (state, events). */

import { ERROR_TABLE } from '../protocol/errors.ts';
import type { StreamEvent } from '../stream/event.ts';
import type { TaskChange } from './ports.ts';
import {
  isOver,
  type Json,
  type TaskError,
  type TaskRecord,
  type TaskSpec,
  type TaskState,
} from './task.ts';

/** What can happen to a task. */
export type TaskStep =
  /** A node that has claimed it begins an attempt. */
  | { readonly type: 'start'; readonly node: string }
  | { readonly type: 'progress'; readonly progress: number; readonly stage?: string }
  | { readonly type: 'text'; readonly text: string }
  /** The attempt has come so far that one after it can begin there; JSON. */
  | { readonly type: 'keep'; readonly checkpoint: string }
  | { readonly type: 'succeed'; readonly result: Json }
  /** `retryAfterMs` is the earliest time of the next attempt, where whoever refused named one. */
  | { readonly type: 'fail'; readonly error: TaskError; readonly retryAfterMs?: number }
  /** The process, or the whole node, that ran it died. */
  | { readonly type: 'crash'; readonly reason: string }
  | { readonly type: 'time-out' }
  | { readonly type: 'cancel' }
  /** Its node gives it back unfinished, because it goes down in order: the attempt does not count. */
  | { readonly type: 'give-back' }
  /** The outbox has the callback. */
  | { readonly type: 'callback-kept' };

/** Pause before the second attempt, in ms; doubled for each one after it, up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** The state of a task that has just been accepted. */
export function newTask(spec: TaskSpec): TaskRecord {
  const state: TaskState = {
    version: 1,
    status: 'queued',
    attempts: 0,
    dueAtMs: spec.createdAtMs,
    progress: 0,
    epoch: 1,
  };
  return { spec, state };
}

/**
 * The next state and the events that tell of it; `undefined` where the step comes too late, or
 * does not concern the state: then nothing is to be done. `random` is in [0, 1).
 */
export function stepTask(
  before: TaskRecord,
  step: TaskStep,
  nowMs: number,
  random: number,
): TaskChange | undefined {
  const { spec, state } = before;
  if (step.type === 'callback-kept') {
    if (state.callback !== 'owed') return undefined;
    return {
      before,
      state: { ...state, version: state.version + 1, callback: 'kept' },
      events: [],
    };
  }
  if (isOver(state.status)) return undefined;
  if (step.type === 'cancel') return end(before, 'canceled', nowMs);
  if (step.type === 'start')
    return state.status === 'queued' ? start(before, step.node, nowMs) : undefined;
  if (state.status === 'queued') {
    // Claimed by a node that died, or goes down, before it began: nothing was tried.
    return step.type === 'crash' || step.type === 'give-back'
      ? queueAgain(before, { dueAtMs: state.dueAtMs, attempts: state.attempts })
      : undefined;
  }
  switch (step.type) {
    case 'progress':
      return tellProgress(before, step.progress, step.stage);
    case 'text':
      return tellText(before, step.text);
    case 'keep':
      return keepCheckpoint(before, step.checkpoint);
    case 'succeed':
      return end(before, 'succeeded', nowMs, { result: step.result });
    case 'time-out':
      return end(before, 'timed_out', nowMs, { error: timedOut(spec) });
    case 'give-back':
      return queueAgain(before, { dueAtMs: nowMs, attempts: state.attempts - 1 });
    case 'crash': {
      const error: TaskError = { code: 'processing_failed', message: step.reason };
      if (state.attempts >= spec.maxAttempts) return end(before, 'failed', nowMs, { error });
      return queueAgain(before, { dueAtMs: nowMs, attempts: state.attempts, error });
    }
    case 'fail': {
      const { error } = step;
      const mayPass = ERROR_TABLE[error.code].retryable && state.attempts < spec.maxAttempts;
      if (!mayPass) return end(before, 'failed', nowMs, { error });
      const pauseMs = Math.max(pauseAfter(state.attempts, random), step.retryAfterMs ?? 0);
      return queueAgain(before, { dueAtMs: nowMs + pauseMs, attempts: state.attempts, error });
    }
  }
}

/** Pause after the n-th attempt, in ms: between half of and the whole of an exponential one. */
function pauseAfter(attempts: number, random: number): number {
  const wholeMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
  return Math.round(wholeMs * (0.5 + random / 2));
}

function start(before: TaskRecord, node: string, nowMs: number): TaskChange {
  const { error: _before, stage: _stage, ...kept } = before.state;
  const state: TaskState = {
    ...kept,
    version: kept.version + 1,
    status: 'running',
    attempts: kept.attempts + 1,
    node,
    startedAtMs: nowMs,
    progress: 0,
  };
  return { before, state, events: [progressEvent(state)] };
}

function tellProgress(before: TaskRecord, progress: number, stage?: string): TaskChange {
  const { stage: _stage, ...kept } = before.state;
  // An engine that divides by a length of nothing tells NaN, which JSON has no way to keep.
  const told = Number.isNaN(progress) ? 0 : Math.min(1, progress);
  const state: TaskState = {
    ...kept,
    version: kept.version + 1,
    // Engines may count anew for each of their parts; a bar that runs backwards helps nobody.
    progress: Math.max(kept.progress, told),
    ...(stage === undefined ? {} : { stage }),
  };
  return { before, state, events: [progressEvent(state)] };
}

function tellText(before: TaskRecord, text: string): TaskChange {
  const state = { ...before.state, version: before.state.version + 1, hasText: true };
  return { before, state, events: [{ type: 'delta', text }] };
}

function keepCheckpoint(before: TaskRecord, checkpoint: string): TaskChange {
  const state = { ...before.state, version: before.state.version + 1, hasCheckpoint: true };
  return { before, state, events: [], checkpoint };
}

function queueAgain(
  before: TaskRecord,
  next: Pick<TaskState, 'dueAtMs' | 'attempts'> & { readonly error?: TaskError },
): TaskChange {
  const { node: _node, stage: _stage, hasText, error, ...kept } = before.state;
  const why = next.error ?? error;
  const state: TaskState = {
    ...kept,
    version: kept.version + 1,
    status: 'queued',
    attempts: next.attempts,
    dueAtMs: next.dueAtMs,
    progress: 0,
    epoch: hasText ? kept.epoch + 1 : kept.epoch,
    ...(why === undefined ? {} : { error: why }),
  };
  const restart: StreamEvent = {
    type: 'restart',
    reason: why?.code ?? 'unavailable',
    model: before.spec.type,
  };
  return {
    before,
    state,
    events: hasText ? [restart, progressEvent(state)] : [progressEvent(state)],
  };
}

function end(
  before: TaskRecord,
  status: 'succeeded' | 'failed' | 'canceled' | 'timed_out',
  nowMs: number,
  outcome: { readonly result?: Json; readonly error?: TaskError } = {},
): TaskChange {
  const {
    node: _node,
    stage: _stage,
    error: _error,
    hasCheckpoint: _checkpoint,
    ...kept
  } = before.state;
  const state: TaskState = {
    ...kept,
    version: kept.version + 1,
    status,
    finishedAtMs: nowMs,
    ...(status === 'succeeded' ? { progress: 1 } : {}),
    ...outcome,
    ...(before.spec.callbackUrl === undefined ? {} : { callback: 'owed' as const }),
  };
  return { before, state, events: [finalEvent(state)] };
}

function finalEvent(state: TaskState): StreamEvent {
  if (state.error !== undefined) return { type: 'error', ...state.error };
  const status = state.status === 'canceled' ? 'cancelled' : 'completed';
  return { type: 'done', status, finishReason: null };
}

function timedOut(spec: TaskSpec): TaskError {
  const seconds = Math.round(spec.timeoutMs / 100) / 10;
  return {
    code: 'upstream_timeout',
    message: `The task ran longer than its ${seconds} s. Give it more by timeoutSeconds.`,
  };
}

/** How far the task is, as readers of its events see it. */
export function progressEvent(state: TaskState): StreamEvent {
  const { status, attempts, progress, stage } = state;
  return {
    type: 'progress',
    status: status === 'running' ? 'running' : 'queued',
    attempts,
    progress,
    ...(stage === undefined ? {} : { stage }),
  };
}
