import type { AttemptNews, AttemptOutcome } from '@headwater/shared/tasks/ports';
import type { Json } from '@headwater/shared/tasks/task';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { isRunning, openTestPool } from '../testing/open-test-pool.ts';
import { aTestTask, forgetAttempts } from '../testing/test-engine-task.ts';

/** 500 ms, and what a loaded machine adds. */
const SOON_MS = 1_500;

const never = new AbortController().signal;
const pool = openTestPool();
afterAll(() => pool.close());

interface Ran {
  readonly outcome: AttemptOutcome;
  readonly news: readonly AttemptNews[];
  readonly tookMs: number;
}

async function run(
  params: { readonly [name: string]: Json },
  { signal = never, timeoutMs = 60_000, on = pool } = {},
): Promise<Ran> {
  const news: AttemptNews[] = [];
  const startedMs = performance.now();
  const outcome = await on.run(aTestTask({ params, timeoutMs }), signal, (one) => news.push(one));
  return { outcome, news, tookMs: performance.now() - startedMs };
}

async function pidOf(params: { readonly [name: string]: Json } = {}): Promise<number> {
  const { outcome } = await run(params);
  if (outcome.type !== 'succeeded') throw new Error(`not succeeded: ${outcome.type}`);
  return (outcome.result as { pid: number }).pid;
}

/** Begins an attempt, and gives the pid of the child once it works. */
async function begin(params: { readonly [name: string]: Json }, signal = never, on = pool) {
  const started = Promise.withResolvers<{ engine: number; program: number }>();
  const task = aTestTask({ params: { startProgram: true, ...params } });
  const ended = on.run(task, signal, (news) => {
    if (news.type !== 'text') return;
    const [engine = 0, program = 0] = news.text.split(' ').map(Number);
    started.resolve({ engine, program });
  });
  return { ended, ...(await started.promise) };
}

describe('the engine pool', () => {
  it('ENGINE-1: starts a child when the first task comes, and keeps it warm for the next', async () => {
    const own = openTestPool();
    expect(own.look()).toEqual({ processes: 0, busy: 0 });
    const first = await run({ echo: { a: [1, null, 'ü'] } }, { on: own });
    const second = await run({}, { on: own });
    expect(first.outcome).toMatchObject({
      type: 'succeeded',
      result: { runs: 1, echo: { a: [1, null, 'ü'] } },
    });
    expect(second.outcome).toMatchObject({ type: 'succeeded', result: { runs: 2 } });
    expect(own.look()).toEqual({ processes: 1, busy: 0 });
    await own.close();
    expect(own.look()).toEqual({ processes: 0, busy: 0 });
    expect((await run({}, { on: own })).outcome).toEqual({ type: 'stopped' });
  });

  it('ENGINE-1: runs one task at a time in a child, and has no more children than its size', async () => {
    const ends = await Promise.all(Array.from({ length: 6 }, () => pidOf({ sleepMs: 20 })));
    expect(new Set(ends).size).toBe(2);
    expect(pool.look()).toEqual({ processes: 2, busy: 0 });
  });

  it('ENGINE-2: hands on progress and text in order, what comes after a pause at once', async () => {
    const { news, outcome } = await run({ text: ['a', 'b', '', 'c'], progressSteps: 500 });
    expect(outcome.type).toBe('succeeded');
    expect(news.map((one) => (one.type === 'text' ? one.text : '')).join('')).toBe('abc');
    const bars = news.flatMap((one) => (one.type === 'progress' ? [one] : []));
    expect(bars.at(-1)).toEqual({ type: 'progress', progress: 1, stage: 'step 500' });
    expect(bars.map(({ progress }) => progress)).toEqual(
      bars.map(({ progress }) => progress).sort((a, b) => a - b),
    );
    // Far fewer messages than words.
    expect(news.length).toBeLessThan(100);
  });

  it.each([
    ['exit', 'The engine process ended (exit code 3).'],
    ['abort', 'The engine process ended (SIGABRT).'],
    ['sigkill', 'The engine process ended (SIGKILL).'],
    ['throw-later', 'The engine process ended (exit code 1).'],
  ])('ENGINE-3: a child that ends by %s costs one attempt, and says how', async (crash, reason) => {
    const { outcome } = await run({ crash });
    expect(outcome).toEqual({ type: 'crashed', reason });
    expect((await run({})).outcome.type).toBe('succeeded');
    if (crash === 'throw-later') expect(pool.logged()).toContain('engine process failed');
    expect(pool.logged()).not.toContain('secret-of-a-prompt');
  });

  it('ENGINE-3: for a child that is killed at its work, another one gets ready at once', async () => {
    const own = openTestPool({ size: 1 });
    const { engine, ended } = await begin({ hang: true }, never, own);
    process.kill(engine, 'SIGKILL');
    expect(await ended).toEqual({
      type: 'crashed',
      reason: 'The engine process ended (SIGKILL).',
    });
    expect(own.look()).toEqual({ processes: 1, busy: 0 });
    expect((await run({}, { on: own })).outcome).toMatchObject({ result: { runs: 1 } });
    await own.close();
  });

  it('ENGINE-3: a child that gets SIGTERM goes on, as its parent decides when it ends', async () => {
    const { engine, ended } = await begin({ sleepMs: 50 });
    process.kill(engine, 'SIGTERM');
    expect((await ended).type).toBe('succeeded');
  });

  it.each([
    ['allocateMb', 'natively'],
    ['allocateHeapMb', 'on its heap'],
  ])(
    'ENGINE-4: a child that takes too much memory %s is ended, and the reason names the setting',
    async (name) => {
      const own = openTestPool({ memoryLimitBytes: 160 * 1024 * 1024 });
      try {
        const { outcome } = await run({ [name]: 300, sleepMs: 10_000 }, { on: own });
        expect(outcome).toEqual({
          type: 'crashed',
          reason: 'The engine took more memory than it may: WORKER_MEMORY_MB is 160.',
        });
      } finally {
        await own.close();
      }
    },
  );

  it('ENGINE-4: where the system does not show its memory, the child tells, also while it is busy', async () => {
    const own = openTestPool({ memoryLimitBytes: 160 * 1024 * 1024, readsMemory: false });
    try {
      const { outcome } = await run({ allocateMb: 200, hang: true }, { on: own });
      expect(outcome).toMatchObject({
        type: 'crashed',
        reason: expect.stringContaining('WORKER_MEMORY_MB'),
      });
    } finally {
      await own.close();
    }
  });

  it.each([{ hang: true }, { sleepMs: 60_000, ignoreStop: true }])(
    'ENGINE-5: an attempt beyond its time is over within 500 ms, whatever it does: %o',
    async (params) => {
      await run({});
      const { outcome, tookMs } = await run(params, { timeoutMs: 100 });
      expect(outcome).toEqual({ type: 'timed-out' });
      expect(tookMs).toBeLessThan(100 + SOON_MS);
    },
  );

  it('ENGINE-6: an engine that heeds its signal keeps its child', async () => {
    const stop = new AbortController();
    const { ended, engine } = await begin({ sleepMs: 60_000 }, stop.signal);
    stop.abort();
    expect(await ended).toEqual({ type: 'stopped' });
    expect(isRunning(engine)).toBe(true);
  });

  it.each([{ hang: true }, { sleepMs: 60_000, ignoreStop: true }])(
    'ENGINE-6: one that does not is killed within 500 ms, with the programs it has started: %o',
    async (params) => {
      const stop = new AbortController();
      const { ended, engine, program } = await begin(params, stop.signal);
      const stoppedMs = performance.now();
      stop.abort();
      expect(await ended).toEqual({ type: 'stopped' });
      expect(performance.now() - stoppedMs).toBeLessThan(SOON_MS);
      expect(isRunning(engine)).toBe(false);
      await vi.waitFor(() => expect(isRunning(program)).toBe(false));
    },
  );

  it('ENGINE-6: what is stopped while it waits for a child was never begun', async () => {
    const stop = new AbortController();
    const busy = [pidOf({ sleepMs: 150 }), pidOf({ sleepMs: 150 })];
    const waiting = run({}, { signal: stop.signal });
    const behind = pidOf();
    stop.abort();
    expect((await waiting).outcome).toEqual({ type: 'stopped' });
    await Promise.all([...busy, behind]);
    expect(pool.look().busy).toBe(0);
    expect((await run({}, { signal: stop.signal })).outcome).toEqual({ type: 'stopped' });
  });

  it('ENGINE-5: what finds no child within its time may be tried again', async () => {
    const busy = [pidOf({ sleepMs: 150 }), pidOf({ sleepMs: 150 })];
    const { outcome } = await run({}, { timeoutMs: 30 });
    expect(outcome).toMatchObject({ type: 'failed', error: { code: 'unavailable' } });
    await Promise.all(busy);
  });

  it('ENGINE-7: an engine’s own error keeps its code and the time of a retry', async () => {
    const fail = { code: 'rate_limited', retryAfterSeconds: 2 };
    expect((await run({ fail })).outcome).toEqual({
      type: 'failed',
      error: {
        code: 'rate_limited',
        message: 'The test engine was told to fail: rate_limited.',
      },
      retryAfterMs: 2000,
    });
  });

  it('ENGINE-7: any other error is processing_failed without its text, which is in no log either', async () => {
    expect((await run({ fail: { code: 'none' } })).outcome).toEqual({
      type: 'failed',
      error: { code: 'processing_failed', message: 'The engine failed. The log says why.' },
    });
    expect(pool.logged()).toContain('engine failed');
    expect(pool.logged()).not.toContain('secret-of-a-prompt');
  });

  it('ENGINE-7: another attempt at the same task may well succeed, whichever child it gets', async () => {
    const key = `pool-${process.pid}`;
    const params = { key, times: 1, crash: 'sigkill', fail: { code: 'unavailable', times: 2 } };
    const types: string[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) types.push((await run(params)).outcome.type);
    forgetAttempts(key);
    expect(types).toEqual(['crashed', 'failed', 'succeeded']);
  });

  it('ENGINE-8: a result of more than 1 MiB is payload_too_large', async () => {
    const fits = await run({ resultBytes: 1024 * 1024 - 100 });
    expect(fits.outcome.type).toBe('succeeded');
    const tooLong = await run({ resultBytes: 1024 * 1024 });
    expect(tooLong.outcome).toMatchObject({
      type: 'failed',
      error: { code: 'payload_too_large' },
    });
  });

  it('ENGINE-9: what a child prints is logged under its name, and only so much of it', async () => {
    const own = openTestPool();
    await run({ printLines: 5_000 }, { on: own });
    const printed = await vi.waitFor(() => {
      const lines = own.logger.lines.filter(({ message }) => message === 'engine printed');
      // A hundred of each of the two outputs.
      expect(lines).toHaveLength(200);
      return lines;
    });
    expect(printed[0]?.fields).toEqual({
      child: 'engine-1',
      line: expect.stringMatching(/^[oe]{100}$/),
    });
    await own.close();
    expect(own.logged()).toContain('engine printed more');
  });
});
