import { describe, expect, it } from 'vitest';
import { aTask, TASK_TIME_MS as NOW_MS } from '../testing/task-fixtures.ts';
import { createRunningAttempt } from './running-attempt.ts';

const zero = () => 0;

describe('an attempt that waits for the store', () => {
  it('TASK-11: text that became void before it was kept is not told', () => {
    const attempt = createRunningAttempt(aTask('task_1'), 'n1', NOW_MS);
    attempt.hear({ type: 'text', text: 'void' });
    attempt.tell(NOW_MS);
    attempt.decide({ type: 'crashed', reason: 'The engine process ended.' }, NOW_MS + 10);
    const change = attempt.nextChange(zero);
    expect(change?.state).toMatchObject({ version: 2, status: 'queued', attempts: 1, epoch: 2 });
    expect(change?.events.map(({ type }) => type)).toEqual(['restart', 'progress']);
  });

  it('TASK-11: the change on its way stays the same until it is kept', () => {
    const attempt = createRunningAttempt(aTask('task_1'), 'n1', NOW_MS);
    const first = attempt.nextChange(zero);
    attempt.decide({ type: 'succeeded', result: 1 }, NOW_MS + 10);
    expect(attempt.nextChange(zero)).toBe(first);
    expect(attempt.kept()).toBe(true);
    const second = attempt.nextChange(zero);
    expect(second?.before.state).toBe(first?.state);
    expect(second?.state).toMatchObject({ version: 3, status: 'succeeded' });
    expect(attempt.kept()).toBe(false);
    expect(attempt.nextChange(zero)).toBeUndefined();
  });

  it('TASK-7: what was lost commits nothing, and its engine is stopped', async () => {
    const attempt = createRunningAttempt(aTask('task_1'), 'n1', NOW_MS);
    attempt.lose();
    attempt.decide({ type: 'succeeded', result: 1 }, NOW_MS + 10);
    expect(attempt.nextChange(zero)).toBeUndefined();
    expect(attempt.signal.aborted).toBe(true);
    expect(await attempt.end).toBeUndefined();
  });
});
