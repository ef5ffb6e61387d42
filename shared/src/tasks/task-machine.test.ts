import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFinal, type StreamEvent } from '../stream/event.ts';
import { aTask, TASK_TIME_MS as NOW_MS } from '../testing/task-fixtures.ts';
import { isOver, type TaskRecord, type TaskSpec, type TaskState } from './task.ts';
import { newTask, stepTask, type TaskStep } from './task-machine.ts';

const SEED = 20_300_201;
const RUNS = 10_000;

const SPEC = aTask('task_1', { timeoutMs: 2_500 }).spec;

const START: TaskStep = { type: 'start', node: 'n1' };
const MAY_PASS: TaskStep = { type: 'fail', error: { code: 'unavailable', message: 'Busy.' } };
const WILL_NOT: TaskStep = {
  type: 'fail',
  error: { code: 'validation_failed', message: 'No image.' },
};
const CRASH: TaskStep = { type: 'crash', reason: 'The engine process ended.' };

/** Steps one after the other; each must be possible. */
function taskAfter(steps: readonly TaskStep[], spec: Partial<TaskSpec> = {}): TaskRecord {
  let record = newTask({ ...SPEC, ...spec });
  for (const step of steps) {
    const change = stepTask(record, step, NOW_MS + 1_000, 0);
    if (change === undefined) throw new Error(`${step.type} was not possible`);
    record = { spec: record.spec, state: change.state };
  }
  return record;
}

const STATES: Readonly<Record<string, TaskRecord>> = {
  queued: taskAfter([]),
  running: taskAfter([START]),
  'running with text': taskAfter([START, { type: 'text', text: 'a' }]),
  'queued again': taskAfter([START, MAY_PASS]),
  'running for the last time': taskAfter([START, CRASH, START, CRASH, START]),
  succeeded: taskAfter([START, { type: 'succeed', result: 1 }]),
  failed: taskAfter([START, WILL_NOT]),
  canceled: taskAfter([{ type: 'cancel' }]),
  timed_out: taskAfter([START, { type: 'time-out' }]),
  'canceled, with a callback': taskAfter([{ type: 'cancel' }], {
    callbackUrl: 'https://n8n.example',
  }),
};

const STEPS: Readonly<Record<string, TaskStep>> = {
  start: START,
  progress: { type: 'progress', progress: 0.5, stage: 'reading' },
  text: { type: 'text', text: 'b' },
  succeed: { type: 'succeed', result: { words: 3 } },
  'fail, may pass': MAY_PASS,
  'fail for good': WILL_NOT,
  crash: CRASH,
  'time-out': { type: 'time-out' },
  cancel: { type: 'cancel' },
  'give-back': { type: 'give-back' },
  'callback-kept': { type: 'callback-kept' },
};

/** Status and attempts after each step, by state; a step that is not named changes nothing. */
const TABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  queued: {
    start: 'running 1',
    crash: 'queued 0',
    cancel: 'canceled 0',
    'give-back': 'queued 0',
  },
  running: {
    progress: 'running 1',
    text: 'running 1',
    succeed: 'succeeded 1',
    'fail, may pass': 'queued 1',
    'fail for good': 'failed 1',
    crash: 'queued 1',
    'time-out': 'timed_out 1',
    cancel: 'canceled 1',
    'give-back': 'queued 0',
  },
  'running with text': {
    progress: 'running 1',
    text: 'running 1',
    succeed: 'succeeded 1',
    'fail, may pass': 'queued 1',
    'fail for good': 'failed 1',
    crash: 'queued 1',
    'time-out': 'timed_out 1',
    cancel: 'canceled 1',
    'give-back': 'queued 0',
  },
  'queued again': {
    start: 'running 2',
    crash: 'queued 1',
    cancel: 'canceled 1',
    'give-back': 'queued 1',
  },
  'running for the last time': {
    progress: 'running 3',
    text: 'running 3',
    succeed: 'succeeded 3',
    'fail, may pass': 'failed 3',
    'fail for good': 'failed 3',
    crash: 'failed 3',
    'time-out': 'timed_out 3',
    cancel: 'canceled 3',
    'give-back': 'queued 2',
  },
  succeeded: {},
  failed: {},
  canceled: {},
  timed_out: {},
  'canceled, with a callback': { 'callback-kept': 'canceled 0' },
};

describe('every step in every state', () => {
  for (const [name, record] of Object.entries(STATES)) {
    it(`TASK-1: a task that is ${name} takes the steps that concern it, and no other`, () => {
      const seen: Record<string, string> = {};
      for (const [what, step] of Object.entries(STEPS)) {
        const change = stepTask(record, step, NOW_MS + 2_000, 0);
        if (change === undefined) continue;
        seen[what] = `${change.state.status} ${change.state.attempts}`;
        expect(change.before).toBe(record);
        expect(change.state.version).toBe(record.state.version + 1);
      }
      expect(seen).toEqual(TABLE[name]);
    });
  }
});

describe('what a step changes', () => {
  const step = (record: TaskRecord, it: TaskStep, random = 0) => {
    const change = stepTask(record, it, NOW_MS + 5_000, random);
    if (change === undefined) throw new Error('nothing was changed');
    return change;
  };

  it('TASK-2: an attempt that begins has a node, a time, no progress and no error', () => {
    const { state, events } = step(taskAfter([START, MAY_PASS]), { type: 'start', node: 'n2' });
    expect(state).toEqual({
      version: 4,
      status: 'running',
      attempts: 2,
      dueAtMs: NOW_MS + 1_500,
      node: 'n2',
      startedAtMs: NOW_MS + 5_000,
      progress: 0,
      epoch: 1,
    });
    expect(events).toEqual([{ type: 'progress', status: 'running', attempts: 2, progress: 0 }]);
  });

  it('TASK-2: an end has a time, no node and no stage, and one final event', () => {
    const running = taskAfter([START, { type: 'progress', progress: 0.4, stage: 'reading' }]);
    const { state, events } = step(running, { type: 'succeed', result: [1] });
    expect(state).toMatchObject({ progress: 1, finishedAtMs: NOW_MS + 5_000, result: [1] });
    expect(state).not.toHaveProperty('node');
    expect(state).not.toHaveProperty('stage');
    expect(state).not.toHaveProperty('callback');
    expect(events).toEqual([{ type: 'done', status: 'completed', finishReason: null }]);
  });

  it('TASK-2: a cancelled task ends with `done`, a failed or timed-out one with `error`', () => {
    const running = taskAfter([START]);
    expect(step(running, { type: 'cancel' }).events).toEqual([
      { type: 'done', status: 'cancelled', finishReason: null },
    ]);
    expect(step(running, WILL_NOT).events).toEqual([
      { type: 'error', code: 'validation_failed', message: 'No image.' },
    ]);
    expect(step(running, { type: 'time-out' }).events).toEqual([
      {
        type: 'error',
        code: 'upstream_timeout',
        message: 'The task ran longer than its 2.5 s. Give it more by timeoutSeconds.',
      },
    ]);
  });

  it('TASK-2: the failure of an attempt before says nothing about the end of this one', () => {
    const again = taskAfter([START, MAY_PASS, START]);
    expect(step(again, { type: 'succeed', result: 1 }).state).not.toHaveProperty('error');
    expect(step(taskAfter([START, MAY_PASS]), { type: 'cancel' }).state).not.toHaveProperty(
      'error',
    );
  });

  it('TASK-3: pauses double from 1 s to 60 s, and chance takes at most half of one away', () => {
    const pauseAt = (attempts: number, random: number) => {
      const running = taskAfter([START], { maxAttempts: 20 });
      const record = { ...running, state: { ...running.state, attempts } };
      return step(record, MAY_PASS, random).state.dueAtMs - (NOW_MS + 5_000);
    };
    expect([1, 2, 3, 6, 7, 15].map((attempts) => pauseAt(attempts, 0))).toEqual([
      500, 1_000, 2_000, 16_000, 30_000, 30_000,
    ]);
    expect([1, 2, 7].map((attempts) => pauseAt(attempts, 0.999_999_9))).toEqual([
      1_000, 2_000, 60_000,
    ]);
  });

  it('TASK-3: who refuses may ask for a longer pause, not for a shorter one', () => {
    const due = (retryAfterMs: number) =>
      step(taskAfter([START]), { ...MAY_PASS, retryAfterMs }).state.dueAtMs - (NOW_MS + 5_000);
    expect(due(90_000)).toBe(90_000);
    expect(due(1)).toBe(500);
  });

  it('TASK-3: a crash is tried again at once, until the attempts are used up', () => {
    const { state } = step(taskAfter([START]), CRASH);
    expect(state).toMatchObject({ status: 'queued', dueAtMs: NOW_MS + 5_000 });
    const last = step(taskAfter([START], { maxAttempts: 1 }), CRASH).state;
    expect(last).toMatchObject({
      status: 'failed',
      error: { code: 'processing_failed', message: 'The engine process ended.' },
    });
  });

  it('TASK-4: text that was shown is void when the attempt ends without an end', () => {
    const told = taskAfter([START, { type: 'text', text: 'a' }]);
    const { state, events } = step(told, CRASH);
    expect(state.epoch).toBe(2);
    expect(state).not.toHaveProperty('hasText');
    expect(events).toEqual([
      { type: 'restart', reason: 'processing_failed', model: 'ocr' },
      { type: 'progress', status: 'queued', attempts: 1, progress: 0 },
    ]);
    expect(step(taskAfter([START]), CRASH).state.epoch).toBe(1);
  });

  it('TASK-4: progress is between 0 and 1, and does not run backwards within an attempt', () => {
    let record = taskAfter([START]);
    const seen = [0.5, 0.2, Number.NaN, 7, -1].map((progress) => {
      const change = step(record, { type: 'progress', progress });
      record = { spec: record.spec, state: change.state };
      return record.state.progress;
    });
    expect(seen).toEqual([0.5, 0.5, 0.5, 1, 1]);
  });

  it('TASK-5: an end owes a callback where one is wanted, and owes it once', () => {
    const over = taskAfter([START, { type: 'time-out' }], { callbackUrl: 'https://n8n.example/x' });
    expect(over.state.callback).toBe('owed');
    const kept = step(over, { type: 'callback-kept' });
    expect(kept.state.callback).toBe('kept');
    expect(kept.events).toEqual([]);
    const again = { spec: over.spec, state: kept.state };
    expect(stepTask(again, { type: 'callback-kept' }, NOW_MS, 0)).toBeUndefined();
  });
});

const anyStep: fc.Arbitrary<TaskStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('n1', 'n2').map((node): TaskStep => ({ type: 'start', node })),
  },
  {
    weight: 3,
    arbitrary: fc
      .double({ min: -1, max: 2 })
      .map((progress): TaskStep => ({ type: 'progress', progress })),
  },
  { weight: 3, arbitrary: fc.constant<TaskStep>({ type: 'text', text: 'word ' }) },
  { weight: 4, arbitrary: fc.constantFrom<TaskStep>(MAY_PASS, CRASH, { type: 'give-back' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<TaskStep>(
      { type: 'succeed', result: null },
      WILL_NOT,
      { type: 'time-out' },
      { type: 'cancel' },
      { type: 'callback-kept' },
    ),
  },
);

/** Cheaper than `expect` in a loop of a hundred thousand steps. */
function claim(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

function checkStep(before: TaskState, state: TaskState, spec: TaskSpec): void {
  claim(state.version === before.version + 1, 'a version that is not the next one');
  claim(state.epoch >= before.epoch, 'an epoch that is earlier');
  claim(state.attempts <= spec.maxAttempts && state.attempts >= 0, 'too many attempts');
  claim(!isOver(before.status) || before.status === state.status, 'an end that changed');
  claim(state.node === undefined || state.status === 'running', 'a node without an attempt');
  claim(isOver(state.status) === (state.finishedAtMs !== undefined), 'an end without a time');
  const isSameAttempt = before.status === 'running' && state.status === 'running';
  if (isSameAttempt) claim(state.progress >= before.progress, 'progress that fell');
}

describe('any sequence of steps', () => {
  it(`TASK-1, TASK-3, TASK-4: ends at most once, counts its attempts and versions, and its log is the story of the last epoch (${RUNS} runs, seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.array(anyStep, { maxLength: 40, size: 'max' }),
        (maxAttempts, isCalledBack, steps) => {
          const spec: TaskSpec = {
            ...SPEC,
            maxAttempts,
            ...(isCalledBack ? { callbackUrl: 'https://n8n.example/x' } : {}),
          };
          let record = newTask(spec);
          let log: StreamEvent[] = [];
          let nowMs = NOW_MS;
          for (const step of steps) {
            nowMs += 10;
            const change = stepTask(record, step, nowMs, 0.5);
            if (change === undefined) continue;
            checkStep(record.state, change.state, spec);
            if (change.state.epoch !== record.state.epoch) {
              log = [];
              claim(change.events[0]?.type === 'restart', 'an epoch without a restart');
            }
            log.push(...change.events);
            record = { spec, state: change.state };
          }
          const finals = log.filter(isFinal);
          claim(finals.length === (isOver(record.state.status) ? 1 : 0), 'not one final event');
          claim(finals.length === 0 || log.at(-1) === finals[0], 'an event after the end');
          claim(!log.slice(1).some(({ type }) => type === 'restart'), 'a restart within an epoch');
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
  }, 60_000);
});
