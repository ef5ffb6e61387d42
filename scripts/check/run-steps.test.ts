import { expect, test } from 'vitest';
import { runSteps } from './run-steps.ts';
import type { StepResult } from './steps.ts';

const never = new AbortController().signal;

test('steps are reported in their order, whichever is done first', async () => {
  const first = Promise.withResolvers<StepResult>();
  const printed: string[] = [];
  const steps = [
    { name: 'slow', run: () => first.promise },
    {
      name: 'quick',
      run: async () => {
        first.resolve({ passed: true, output: 'chatter' });
        return { passed: true, note: '12 KiB', output: '' };
      },
    },
  ];
  const failed = await runSteps(
    steps,
    2,
    never,
    (text) => printed.push(text),
    () => 0,
  );
  expect(failed).toEqual([]);
  expect(printed).toEqual(['ok    slow     0.0 s\n', 'ok    quick    0.0 s  12 KiB\n']);
});

test('a failed step shows its output, and the others still run', async () => {
  const printed: string[] = [];
  const steps = [
    { name: 'a', run: async () => ({ passed: false, output: 'what is wrong\n\n' }) },
    { name: 'b', run: () => Promise.reject(new Error('could not run')) },
    { name: 'c', run: async () => ({ passed: true, output: '' }) },
  ];
  const failed = await runSteps(
    steps,
    1,
    never,
    (text) => printed.push(text),
    () => 0,
  );
  expect(failed).toEqual(['a', 'b']);
  expect(printed).toEqual([
    'FAIL  a    0.0 s\nwhat is wrong\n',
    'FAIL  b    0.0 s\ncould not run\n',
    'ok    c    0.0 s\n',
  ]);
});
