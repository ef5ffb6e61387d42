/** One attempt of a task on this node: what happened to it, and how much of that is kept. */

import type { AttemptNews, AttemptOutcome, TaskChange } from './ports.ts';
import { isOver, type TaskRecord } from './task.ts';
import { stepTask, type TaskStep } from './task-machine.ts';

/** Text is told this often at most, in ms. */
const TEXT_EVERY_MS = 50;

/** Progress is told this often at most, in ms. */
const PROGRESS_EVERY_MS = 250;

/** A checkpoint is kept this often at most, in ms. */
const CHECKPOINT_EVERY_MS = 250;

/** A step, and when it happened. */
interface Happened {
  readonly step: TaskStep;
  readonly atMs: number;
}

/** An attempt under way. */
export interface RunningAttempt {
  readonly id: string;
  /** Aborts when the engine has to stop. */
  readonly signal: AbortSignal;
  /** True once nothing more can come of the engine: its outcome is on its way to the store. */
  readonly isDecided: boolean;
  /** Someone else took the task: nothing of this attempt counts any more. */
  readonly isLost: boolean;
  /** Resolves to the record after the outcome, or `undefined` where someone else took the task. */
  readonly end: Promise<TaskRecord | undefined>;
  /** What the engine tells; gathered until it is due. */
  hear(news: AttemptNews): void;
  /** Makes steps of the news that are due. True where steps wait to be committed. */
  tell(nowMs: number): boolean;
  /** When gathered news are due; `undefined` where there are none. */
  readonly newsDueMs: number | undefined;
  /** The engine is through. */
  decide(outcome: AttemptOutcome, nowMs: number): void;
  /** Stops the engine; what it gave is still kept. */
  stop(): void;
  /** Someone else took the task. */
  lose(): void;
  /**
   * The change to commit next: one for all steps so far. The same until {@link kept} or
   * {@link lose}, so that a store which made it, and could not say so, knows it again.
   */
  nextChange(random: () => number): TaskChange | undefined;
  /** The change was made. True where steps came after it, which are still to be committed. */
  kept(): boolean;
}

/**
 * Begins an attempt of a record that was claimed. That it began is due to be told `startWaitMs`
 * later: what ends before costs one commit.
 */
export function createRunningAttempt(
  claimed: TaskRecord,
  node: string,
  nowMs: number,
  startWaitMs = 0,
): RunningAttempt {
  const controller = new AbortController();
  const end = Promise.withResolvers<TaskRecord | undefined>();
  /** The newest record that the store is known to have. */
  let record = claimed;
  let steps: Happened[] = [{ step: { type: 'start', node }, atMs: nowMs }];
  let startDueMs: number | undefined = nowMs + startWaitMs;
  let sent: TaskChange | undefined;
  let isDecided = false;
  let isLost = false;

  let text = '';
  let textAtMs = Number.NEGATIVE_INFINITY;
  let progress: Extract<TaskStep, { type: 'progress' }> | undefined;
  let progressAtMs = Number.NEGATIVE_INFINITY;
  let checkpoint: string | undefined;
  let checkpointAtMs = Number.NEGATIVE_INFINITY;

  function add(step: TaskStep, atMs: number): void {
    // The later one replaces it, and it may be long.
    if (step.type === 'keep') steps = steps.filter((one) => one.step.type !== 'keep');
    const last = steps.at(-1)?.step;
    if (last?.type === 'text' && step.type === 'text') {
      steps[steps.length - 1] = { step: { type: 'text', text: last.text + step.text }, atMs };
    } else if (last?.type === 'progress' && step.type === 'progress') {
      steps[steps.length - 1] = { step, atMs };
    } else {
      steps.push({ step, atMs });
    }
  }

  function tellText(nowMs: number): void {
    if (text === '') return;
    add({ type: 'text', text }, nowMs);
    text = '';
    textAtMs = nowMs;
  }

  function tellProgress(nowMs: number): void {
    if (progress === undefined) return;
    add(progress, nowMs);
    progress = undefined;
    progressAtMs = nowMs;
  }

  function tellCheckpoint(nowMs: number): void {
    if (checkpoint === undefined) return;
    // It counts for the text before it, of which none may come later.
    tellText(nowMs);
    add({ type: 'keep', checkpoint }, nowMs);
    checkpoint = undefined;
    checkpointAtMs = nowMs;
  }

  return {
    id: claimed.spec.id,
    signal: controller.signal,
    end: end.promise,
    get isDecided() {
      return isDecided;
    },
    get isLost() {
      return isLost;
    },
    hear(news) {
      if (isDecided || isLost) return;
      if (news.type === 'text') text += news.text;
      else if (news.type === 'checkpoint') checkpoint = news.checkpoint;
      else progress = news;
    },
    tell(nowMs) {
      startDueMs = undefined;
      if (textAtMs + TEXT_EVERY_MS <= nowMs) tellText(nowMs);
      if (progressAtMs + PROGRESS_EVERY_MS <= nowMs) tellProgress(nowMs);
      if (checkpointAtMs + CHECKPOINT_EVERY_MS <= nowMs) tellCheckpoint(nowMs);
      return steps.length > 0;
    },
    get newsDueMs() {
      const due: number[] = [];
      if (startDueMs !== undefined) due.push(startDueMs);
      if (text !== '') due.push(textAtMs + TEXT_EVERY_MS);
      if (progress !== undefined) due.push(progressAtMs + PROGRESS_EVERY_MS);
      if (checkpoint !== undefined) due.push(checkpointAtMs + CHECKPOINT_EVERY_MS);
      return due.length === 0 ? undefined : Math.min(...due);
    },
    decide(outcome, nowMs) {
      isDecided = true;
      startDueMs = undefined;
      if (isLost) return;
      tellText(nowMs);
      tellProgress(nowMs);
      tellCheckpoint(nowMs);
      add(stepAfter(outcome), nowMs);
    },
    stop: () => controller.abort(),
    lose() {
      isLost = true;
      startDueMs = undefined;
      controller.abort();
      end.resolve(undefined);
    },
    nextChange(random) {
      if (isLost) return undefined;
      if (sent === undefined && steps.length > 0) {
        sent = foldSteps(record, steps, random);
        steps = [];
      }
      return sent;
    },
    kept() {
      if (sent === undefined || isLost) return false;
      record = { spec: record.spec, state: sent.state };
      sent = undefined;
      if (steps.length > 0) return true;
      if (isDecided) end.resolve(record);
      return false;
    },
  };
}

function stepAfter(outcome: AttemptOutcome): TaskStep {
  switch (outcome.type) {
    case 'succeeded':
      return { type: 'succeed', result: outcome.result };
    case 'failed': {
      const { error, retryAfterMs } = outcome;
      return { type: 'fail', error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    case 'crashed':
      return { type: 'crash', reason: outcome.reason };
    case 'timed-out':
      return { type: 'time-out' };
    case 'stopped':
      return { type: 'give-back' };
  }
}

/** Several steps as one change: a task whose engine was faster than the store costs one commit. */
function foldSteps(
  before: TaskRecord,
  steps: readonly Happened[],
  random: () => number,
): TaskChange | undefined {
  let folded: TaskChange | undefined;
  let checkpoint: string | undefined;
  for (const { step, atMs } of steps) {
    const state = folded?.state ?? before.state;
    const change = stepTask({ spec: before.spec, state }, step, atMs, random());
    if (change === undefined) continue;
    const shown = change.state.epoch === state.epoch ? (folded?.events ?? []) : [];
    checkpoint = change.checkpoint ?? checkpoint;
    folded = { before, state: change.state, events: [...shown, ...change.events] };
  }
  if (folded === undefined) return undefined;
  const { state, events } = folded;
  return {
    before,
    state: { ...state, version: before.state.version + 1 },
    events,
    ...(checkpoint === undefined || isOver(state.status) ? {} : { checkpoint }),
  };
}
