/** Supervises one child: hands it one attempt at a time, and brings each to an end. */

import type { AttemptNews, AttemptOutcome } from '@headwater/shared/tasks/ports';
import type { Json } from '@headwater/shared/tasks/task';
import type { EngineFile } from './engine-manifest.ts';
import type { EngineNews, FromChild } from './engine-messages.ts';
import { type EngineProcessOptions, startEngineProcess } from './engine-process.ts';

/** Time an engine has to end by itself once it is asked to, in ms: within the pool's 500. */
const STOP_MS = 150;

/** Longest wait for a killed process to be gone before its attempt counts as over, in ms. */
const GONE_MS = 250;

export type EngineChildOptions = Omit<EngineProcessOptions, 'said' | 'ended'>;

/** What a child is to run. */
interface ChildAttempt {
  readonly taskId: string;
  readonly engine: string;
  readonly params: { readonly [name: string]: Json };
  readonly files: readonly EngineFile[];
  /** Of the attempts before, as JSON. */
  readonly checkpoint?: string | undefined;
  news(news: AttemptNews): void;
}

/** A child process, from its start to its end. */
export interface EngineChild {
  readonly id: string;
  readonly pid: number | undefined;
  /** Resolves to false where it ended before it could run anything. */
  readonly ready: Promise<boolean>;
  isReady(): boolean;
  /** The process has ended. */
  readonly gone: Promise<void>;
  /** False once it has ended, or is being ended. */
  isAlive(): boolean;
  /** True where this engine was asked for before. */
  holds(engine: string): boolean;
  /** Has an engine made ready. */
  load(engine: string): void;
  /** Runs an attempt; the one before MUST be over. Never rejects. */
  run(attempt: ChildAttempt): Promise<AttemptOutcome>;
  /** Ends the attempt as `stopped`: the engine is asked first, then the process is killed. */
  stop(): void;
  /** Kills the process; the attempt that it runs ends as `outcome`. */
  kill(outcome: AttemptOutcome): void;
  /** Bytes it has resident, as last known. */
  memory(): number | undefined;
  /** Kills it where it has more memory than it may. */
  checkMemory(): void;
}

interface Running {
  readonly number: number;
  readonly attempt: ChildAttempt;
  readonly settle: (outcome: AttemptOutcome) => void;
  /** What it ends as, once that is decided: what the engine still says comes too late. */
  verdict?: AttemptOutcome;
  timer?: ReturnType<typeof setTimeout>;
}

/** Starts a child. Never throws: a failure to start shows in `ready`. */
export function startEngineChild(options: EngineChildOptions): EngineChild {
  const { id, logger, memoryLimitBytes } = options;
  const engines = new Set<string>();
  const ready = Promise.withResolvers<boolean>();
  const gone = Promise.withResolvers<void>();
  let running: Running | undefined;
  let attempts = 0;
  let isAlive = true;
  let isReady = false;
  const engineProcess = startEngineProcess({ ...options, said, ended });

  function settle(outcome: AttemptOutcome): void {
    const over = running;
    if (over === undefined) return;
    running = undefined;
    clearTimeout(over.timer);
    over.settle(outcome);
  }

  function said(message: FromChild): void {
    if (message.type === 'ready') {
      isReady = true;
      ready.resolve(true);
      return;
    }
    if (message.type === 'dying') {
      const fields = { child: id, taskId: running?.attempt.taskId, cause: message.cause };
      logger.error(fields, 'engine process failed');
      return;
    }
    // Attempts that are over have nothing to say; and what is being killed is over by its exit.
    if (running?.number !== message.attempt || !isAlive) return;
    const { verdict } = running;
    if (verdict !== undefined) {
      if (message.type !== 'news') settle(verdict);
      return;
    }
    if ('news' in message && message.news !== undefined) tell(running.attempt, message.news);
    if (message.type === 'done') settle({ type: 'succeeded', result: message.result });
    else if (message.type === 'failed') fail(running.attempt, message);
  }

  function fail(attempt: ChildAttempt, message: Extract<FromChild, { type: 'failed' }>): void {
    const { code, message: text, retryAfterMs, cause, isUnloadable } = message;
    const fields = { child: id, taskId: attempt.taskId, engine: attempt.engine, code, cause };
    logger.warn(fields, isUnloadable ? 'engine not loaded' : 'engine failed');
    const error = { code, message: text };
    settle({
      type: 'failed',
      error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    if (!isUnloadable) return;
    // A module that failed to load stays so for the life of its process.
    isAlive = false;
    engineProcess.kill();
  }

  function kill(outcome: AttemptOutcome): void {
    isAlive = false;
    engineProcess.kill();
    if (running === undefined) return;
    const verdict = running.verdict ?? outcome;
    running.verdict = verdict;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => {
      logger.error({ child: id }, 'engine process is slow to end');
      settle(verdict);
    }, GONE_MS);
  }

  function ended(how: string, isHeapFull: boolean): void {
    // Whoever killed it knows.
    if (isAlive)
      logger.warn({ child: id, taskId: running?.attempt.taskId, how }, 'engine process ended');
    isAlive = false;
    const reason = isHeapFull
      ? memoryReason(memoryLimitBytes)
      : `The engine process ended (${how}).`;
    ready.resolve(false);
    settle(running?.verdict ?? { type: 'crashed', reason });
    gone.resolve();
  }

  return {
    id,
    pid: engineProcess.pid,
    ready: ready.promise,
    gone: gone.promise,
    isReady: () => isReady,
    isAlive: () => isAlive,
    holds: (engine) => engines.has(engine),
    load(engine) {
      engines.add(engine);
      engineProcess.send({ type: 'load', engine });
    },
    run(attempt) {
      if (!isAlive) {
        return Promise.resolve({ type: 'crashed', reason: 'The engine process ended.' });
      }
      attempts += 1;
      const number = attempts;
      const { engine, params, files, checkpoint } = attempt;
      const before = checkpoint === undefined ? {} : { checkpoint };
      engines.add(engine);
      return new Promise((settle) => {
        running = { number, attempt, settle };
        engineProcess.send({ type: 'run', attempt: number, engine, params, files, ...before });
      });
    },
    stop() {
      if (running === undefined || running.verdict !== undefined) return;
      running.verdict = { type: 'stopped' };
      engineProcess.send({ type: 'stop', attempt: running.number });
      running.timer = setTimeout(() => kill({ type: 'stopped' }), STOP_MS);
    },
    kill,
    memory: engineProcess.memory,
    checkMemory() {
      const bytes = engineProcess.memory();
      if (bytes === undefined || bytes <= memoryLimitBytes) return;
      const fields = { child: id, taskId: running?.attempt.taskId, bytes };
      logger.warn(fields, 'engine took too much memory');
      kill({ type: 'crashed', reason: memoryReason(memoryLimitBytes) });
    },
  };
}

function tell(attempt: ChildAttempt, { progress, stage, text, checkpoint }: EngineNews): void {
  if (progress !== undefined) {
    attempt.news({ type: 'progress', progress, ...(stage === undefined ? {} : { stage }) });
  }
  if (text !== undefined && text !== '') attempt.news({ type: 'text', text });
  if (checkpoint !== undefined) attempt.news({ type: 'checkpoint', checkpoint });
}

/** Names the setting: whoever runs the gateway may see fit to raise it. */
function memoryReason(limitBytes: number): string {
  const mib = Math.round(limitBytes / 1024 / 1024);
  return `The engine took more memory than it may: WORKER_MEMORY_MB is ${mib}.`;
}
