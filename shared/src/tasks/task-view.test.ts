import { describe, expect, it } from 'vitest';
import { createRecordingOutbox } from '../testing/recording-outbox.ts';
import { aTask, TASK_TIME_MS as NOW_MS } from '../testing/task-fixtures.ts';
import type { TaskStore } from './ports.ts';
import { settleCallback } from './settle-callback.ts';
import type { BatchRecord, TaskRecord, TaskSpec } from './task.ts';
import { stepTask, type TaskStep } from './task-machine.ts';
import { batchView, callbackBody, taskView } from './task-view.ts';

function taskAfter(steps: readonly TaskStep[], changes: Partial<TaskSpec> = {}): TaskRecord {
  const input = { params: { secret: 'not shown' }, files: [] };
  let record = aTask('task_1', { priority: 7, input, ...changes });
  let nowMs = NOW_MS;
  for (const step of steps) {
    nowMs += 1_000;
    const change = stepTask(record, step, nowMs, 0);
    if (change === undefined) throw new Error(`${step.type} was not possible`);
    record = { spec: record.spec, state: change.state };
  }
  return record;
}

const START: TaskStep = { type: 'start', node: 'n1' };
const QUEUED = {
  task_id: 'task_1',
  status: 'queued',
  type: 'ocr',
  created_at: '2030-01-01T00:00:00.000Z',
  batch_id: null,
  priority: 7,
  attempts: 0,
  max_attempts: 3,
  timeout_seconds: 300,
  progress: 0,
  stage: null,
  started_at: null,
  finished_at: null,
  next_attempt_at: null,
  error: null,
  result: null,
  callback: null,
};

describe('a task as its owner sees it', () => {
  it('TASK-13: has every field from the start, and nothing of its input', () => {
    expect(taskView(taskAfter([]))).toEqual(QUEUED);
  });

  it('TASK-13: shows how far it is', () => {
    const running = taskAfter([START, { type: 'progress', progress: 0.5, stage: 'reading' }]);
    expect(taskView(running)).toEqual({
      ...QUEUED,
      status: 'running',
      attempts: 1,
      progress: 0.5,
      stage: 'reading',
      started_at: '2030-01-01T00:00:01.000Z',
    });
  });

  it('TASK-13: shows why an attempt failed, and when the next one is', () => {
    const error = { code: 'unavailable', message: 'Busy.' } as const;
    const again = taskAfter([START, { type: 'fail', error, retryAfterMs: 60_000 }]);
    expect(taskView(again)).toMatchObject({
      status: 'queued',
      error,
      next_attempt_at: '2030-01-01T00:01:02.000Z',
    });
  });

  it('TASK-13: shows what it came to, and how far its callback is', () => {
    const over = taskAfter([START, { type: 'succeed', result: { words: 3 } }], {
      callbackUrl: 'https://n8n.example/x?signature=secret',
      batchId: 'batch_1',
    });
    const view = taskView(over, { status: 'delivered', attempts: 2, lastStatus: 200 });
    expect(view).toMatchObject({
      batch_id: 'batch_1',
      status: 'succeeded',
      progress: 1,
      result: { words: 3 },
      finished_at: '2030-01-01T00:00:02.000Z',
      callback: { status: 'delivered', attempts: 2, last_status: 200 },
    });
    expect(JSON.stringify(view)).not.toContain('secret');
    expect(taskView(over).callback).toEqual({ status: 'pending', attempts: 0, last_status: null });
  });
});

describe('a batch as its owner sees it', () => {
  const batch: BatchRecord = {
    id: 'batch_1',
    owner: 'ada',
    createdAtMs: NOW_MS,
    entries: [
      { taskId: 'task_1' },
      { error: { code: 'validation_failed', message: 'No image.' } },
      { taskId: 'task_gone' },
      { taskId: 'task_2' },
    ],
  };

  it('TASK-14: shows its entries in the order of sending, counts them, and holds no results', () => {
    const first = taskAfter([START, { type: 'succeed', result: 'large' }], { batchId: 'batch_1' });
    const second = taskAfter([START], { id: 'task_2', batchId: 'batch_1' });
    const view = batchView(batch, [first, undefined, second]);
    expect(view).toMatchObject({
      batch_id: 'batch_1',
      status: 'running',
      created_at: '2030-01-01T00:00:00.000Z',
      total: 4,
      counts: { succeeded: 1, running: 1, rejected: 1, expired: 1, queued: 0 },
    });
    expect(view.tasks).toMatchObject([
      { index: 0, task_id: 'task_1', status: 'succeeded' },
      { index: 1, status: 'rejected', error: { code: 'validation_failed' } },
      { index: 2, status: 'expired', task_id: 'task_gone' },
      { index: 3, task_id: 'task_2', status: 'running' },
    ]);
    expect(JSON.stringify(view)).not.toContain('large');
  });

  it('TASK-14: is finished once all its tasks are over', () => {
    const over = taskAfter([{ type: 'cancel' }]);
    expect(batchView(batch, [over, undefined, undefined]).status).toBe('finished');
    expect(batchView({ ...batch, entries: [] }, []).status).toBe('finished');
  });
});

describe('the callback of a task', () => {
  it('TASK-5: says what the task came to, as its view does, but for the callback itself', () => {
    const over = taskAfter([START, { type: 'time-out' }], { callbackUrl: 'https://n8n.example/x' });
    const { callback, ...shown } = taskView(over);
    expect(callback).not.toBeNull();
    expect(JSON.parse(callbackBody(over))).toEqual(shown);
  });

  it('TASK-5: is kept once under the id of its task, however often it is settled', async () => {
    let record = taskAfter([{ type: 'cancel' }], { callbackUrl: 'https://n8n.example/x' });
    const stale = record;
    const store: Pick<TaskStore, 'get' | 'commit'> = {
      get: () => record,
      commit(changes) {
        return changes.map(({ before, state }) => {
          if (before.state.version !== record.state.version) return false;
          record = { spec: record.spec, state };
          return true;
        });
      },
    };
    const outbox = createRecordingOutbox();
    for (let time = 0; time < 3; time += 1) await settleCallback({ store, outbox }, stale);
    await settleCallback({ store, outbox }, record);
    expect(record.state).toMatchObject({ callback: 'kept', version: 3 });
    expect(outbox.kept).toEqual([
      { id: 'task_1', url: 'https://n8n.example/x', body: callbackBody(stale) },
    ]);
    expect(outbox.calls).toHaveLength(3);
  });

  it('TASK-5: a task that wants none owes none', async () => {
    const outbox = createRecordingOutbox();
    const store = { get: () => undefined, commit: () => [] };
    await settleCallback({ store, outbox }, taskAfter([{ type: 'cancel' }]));
    expect(outbox.calls).toEqual([]);
  });
});
