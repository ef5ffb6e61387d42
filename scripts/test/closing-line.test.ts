import { expect, test } from 'vitest';
import { formatClosingLine } from './closing-line.ts';

const clean = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, testResults: [] };

test('a clean run closes with what passed and failed', () => {
  expect(formatClosingLine(clean, 0)).toBe('3 passed, 0 failed');
});

test('skipped tests are told, and so are those still to be written', () => {
  const report = { ...clean, numPendingTests: 2, numTodoTests: 1 };
  expect(formatClosingLine(report, 0)).toBe('3 passed, 0 failed, 3 skipped');
});

test('a file that fails as a whole counts as one failure', () => {
  const report = {
    ...clean,
    numFailedTests: 1,
    testResults: [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ],
  };
  expect(formatClosingLine(report, 1)).toBe('3 passed, 2 failed');
});

test('a run that fails with every test passed still shows a failure', () => {
  expect(formatClosingLine(clean, 1)).toBe('3 passed, 1 failed');
  expect(formatClosingLine(undefined, 1)).toBe('0 passed, 1 failed');
});
