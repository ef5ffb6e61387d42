import { expect, test } from 'vitest';
import { describeEnding, startSupervised } from './supervised-process.ts';

function start(script: string) {
  const lines: string[] = [];
  const firstLine = Promise.withResolvers<void>();
  const supervised = startSupervised({
    name: 'program',
    command: [process.execPath, '-e', script],
    cwd: '/',
    env: process.env,
    onLine: (line, from) => {
      lines.push(`${from}: ${line}`);
      firstLine.resolve();
    },
  });
  return { supervised, lines, firstLine: firstLine.promise };
}

test('the lines of a program are passed on, and how it ended is told', async () => {
  const { supervised, lines } = start('console.log("a"); console.error("b"); process.exitCode = 3');
  expect(await supervised.ended).toBe('exit code 3');
  expect(lines.toSorted()).toEqual(['stderr: b', 'stdout: a']);
  expect(supervised.hasComplained()).toBe(true);
});

test('a program that cannot be started ends with the reason', async () => {
  const supervised = startSupervised({
    name: 'program',
    command: ['/no/such/program'],
    cwd: '/',
    env: process.env,
    onLine: () => undefined,
  });
  expect(await supervised.ended).toContain('it could not be started: spawn /no/such/program');
});

test('a stop also ends what the program started and left running', async () => {
  const { supervised, firstLine } = start(`
    require('node:child_process').spawn('sleep', ['600'], { stdio: 'inherit' });
    process.on('SIGTERM', () => process.exit(0));
    setInterval(() => undefined, 1000);
    console.log('started');
  `);
  await firstLine;
  await supervised.stop();
  // The sleeping program holds the same pipes: the end is told only once they are closed.
  expect(await supervised.ended).toBe('exit code 0');
});

test('a stop of what has ended already resolves', async () => {
  const { supervised } = start('');
  await supervised.ended;
  await supervised.stop();
});

test('an end by a signal is told by its name', () => {
  expect(describeEnding({ exitCode: null, signal: 'SIGKILL' })).toBe('signal SIGKILL');
});
