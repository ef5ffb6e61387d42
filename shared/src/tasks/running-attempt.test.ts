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

  it('TASK-70: a checkpoint is kept with the text before it, at once the first time, then every 250 ms', () => {
    const attempt = createRunningAttempt(aTask('task_1'), 'n1', NOW_MS);
    const next = (atMs: number) => {
      attempt.tell(NOW_MS + atMs);
      const change = attempt.nextChange(zero);
      attempt.kept();
      const texts = change?.events.flatMap((event) => ('text' in event ? [event.text] : []));
      return { texts, checkpoint: change?.checkpoint };
    };
    attempt.hear({ type: 'text', text: 'a' });
    attempt.hear({ type: 'checkpoint', checkpoint: '1' });
    expect(next(0)).toEqual({ texts: ['a'], checkpoint: '1' });
    attempt.hear({ type: 'text', text: 'b' });
    attempt.hear({ type: 'checkpoint', checkpoint: '2' });
    attempt.hear({ type: 'checkpoint', checkpoint: '3' });
    expect(next(60)).toEqual({ texts: ['b'], checkpoint: undefined });
    attempt.hear({ type: 'text', text: 'c' });
    expect(attempt.newsDueMs).toBe(NOW_MS + 110);
    expect(next(109)).toEqual({ texts: undefined, checkpoint: undefined });
    attempt.hear({ type: 'checkpoint', checkpoint: '4' });
    expect(next(110)).toEqual({ texts: ['c'], checkpoint: undefined });
    expect(attempt.newsDueMs).toBe(NOW_MS + 250);
    attempt.hear({ type: 'text', text: 'd' });
    expect(next(250)).toEqual({ texts: ['d'], checkpoint: '4' });
    expect(attempt.newsDueMs).toBeUndefined();
  });

  it('TASK-70: no checkpoint is ahead of its text, though the text is not due', () => {
    const attempt = createRunningAttempt(aTask('task_1'), 'n1', NOW_MS);
    attempt.hear({ type: 'checkpoint', checkpoint: '1' });
    attempt.tell(NOW_MS);
    attempt.hear({ type: 'text', text: 'a' });
    attempt.tell(NOW_MS + 240);
    expect(attempt.nextChange(zero)?.checkpoint).toBe('1');
    attempt.kept();
    attempt.hear({ type: 'text', text: 'b' });
    attempt.hear({ type: 'checkpoint', checkpoint: '2' });
    attempt.tell(NOW_MS + 250);
    const change = attempt.nextChange(zero);
    expect(change?.checkpoint).toBe('2');
    expect(change?.events.at(-1)).toEqual({ type: 'delta', text: 'b' });
  });

  it('TASK-70: the last checkpoint goes with a crash, and with an end there is none', () => {
    const outcomes = [
      { type: 'crashed', reason: 'The engine process ended.' },
      { type: 'stopped' },
      { type: 'failed', error: { code: 'unavailable', message: 'Busy.' } },
      { type: 'succeeded', result: 1 },
    ] as const;
    const kept = outcomes.map((outcome) => {
      const attempt = createRunningAttempt(aTask('task_1'), 'n1', NOW_MS);
      attempt.hear({ type: 'text', text: 'void' });
      attempt.hear({ type: 'checkpoint', checkpoint: '1' });
      attempt.decide(outcome, NOW_MS + 10);
      const change = attempt.nextChange(zero);
      return [change?.state.status, change?.state.hasCheckpoint, change?.checkpoint];
    });
    expect(kept).toEqual([
      ['queued', true, '1'],
      ['queued', true, '1'],
      ['queued', true, '1'],
      ['succeeded', undefined, undefined],
    ]);
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
