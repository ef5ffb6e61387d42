import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isRunning, openTestPool } from '../testing/open-test-pool.ts';
import { aTestTask } from '../testing/test-engine-task.ts';

const HOST = fileURLToPath(new URL('../testing/engine-pool-host.ts', import.meta.url));

let host: ChildProcess | undefined;
afterEach(() => host?.kill('SIGKILL'));

describe('the end of an engine pool', () => {
  it('ENGINE-13: leaves no process when its own is killed, also while engines keep theirs busy', async () => {
    host = spawn(process.execPath, [HOST], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: host.stdout as NonNullable<ChildProcess['stdout']> });
    const pids: number[] = [];
    for await (const line of lines) {
      pids.push(...line.split(' ').map(Number));
      if (pids.length === 4) break;
    }
    expect(pids.every(isRunning)).toBe(true);
    host.kill('SIGKILL');
    await once(host, 'exit');
    await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), { timeout: 2_000 });
  });

  it('ENGINE-13: `close` ends all children and what they have started; what ran ends as stopped', async () => {
    const pool = openTestPool({ size: 1 });
    const started = Promise.withResolvers<number[]>();
    const task = aTestTask({ params: { startProgram: true, hang: true } });
    const running = pool.run(task, new AbortController().signal, (news) => {
      if (news.type === 'text') started.resolve(news.text.split(' ').map(Number));
    });
    const pids = await started.promise;
    const waiting = pool.run(aTestTask(), new AbortController().signal, () => undefined);
    await pool.close();
    expect(await Promise.all([running, waiting])).toEqual([
      { type: 'stopped' },
      { type: 'stopped' },
    ]);
    expect(pool.look()).toEqual({ processes: 0, busy: 0 });
    await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]));
  });

  it('ENGINE-13: a child that ends by itself takes with it what it has started', async () => {
    const pool = openTestPool();
    const started = Promise.withResolvers<number>();
    const task = aTestTask({ params: { startProgram: true, sleepMs: 20, crash: 'exit' } });
    const outcome = await pool.run(task, new AbortController().signal, (news) => {
      if (news.type === 'text') started.resolve(Number(news.text.split(' ')[1]));
    });
    expect(outcome.type).toBe('crashed');
    const program = await started.promise;
    await vi.waitFor(() => expect(isRunning(program)).toBe(false));
    await pool.close();
  });
});
