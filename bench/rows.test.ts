import { expect, test } from 'vitest';
import { ROWS, readWish } from './rows.ts';

test('BENCH-3: without arguments everything is measured', () => {
  expect(readWish([])).toEqual({ quick: false, cpuProfile: false, rows: ROWS });
});

test('BENCH-3: a quick run leaves out the slope, which takes its time', () => {
  expect(readWish(['--quick'])?.rows).toEqual(ROWS.filter((row) => row !== 'memory-slope'));
  expect(readWish(['--quick', '--only', 'memory-slope'])?.rows).toEqual(['memory-slope']);
});

test('BENCH-3: rows are measured in their own order, each once', () => {
  const args = ['--only', 'fan-out', '--only', 'full', '--only', 'fan-out', '--cpu-profile'];
  expect(readWish(args)).toEqual({ quick: false, cpuProfile: true, rows: ['full', 'fan-out'] });
});

test('BENCH-4: all parts of the task queue have one name', () => {
  const tasks = ROWS.filter((row) => row.startsWith('tasks-'));
  expect(tasks).toHaveLength(6);
  expect(readWish(['--only', 'tasks'])?.rows).toEqual(tasks);
  expect(readWish(['--only', 'tasks-drain'])?.rows).toEqual(['tasks-drain']);
});

test.each([
  [['--only']],
  [['--only', 'nothing']],
  [['full']],
  [['--Quick']],
  [['--only', 'tasks-']],
])('BENCH-3: %j makes no sense', (args) => {
  expect(readWish(args)).toBeUndefined();
});
