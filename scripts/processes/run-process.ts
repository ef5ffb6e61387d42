import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CommandFault } from './command.ts';

const KILL_AFTER_MS = 5000;

/** How a process ended. */
export type ProcessResult = {
  /** Exit code, or 128 + the signal's number, as a shell counts. */
  readonly exitCode: number;
  /** stdout and stderr together in the order they came; empty unless `output` was `capture`. */
  readonly output: string;
};

/** What to run and how. */
export type ProcessOptions = {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the process and everything it started. */
  readonly stop: AbortSignal;
  /**
   * `inherit` shows what it writes, `capture` collects it, `foreground` also lends it the terminal,
   * so that it can ask.
   */
  readonly output: 'inherit' | 'capture' | 'foreground';
};

/**
 * Runs one process to its end.
 *
 * @returns its exit code and output; rejects with a `CommandFault` when it cannot be started
 */
export function runProcess(
  command: string,
  args: readonly string[],
  { cwd, env = process.env, stop, output }: ProcessOptions,
): Promise<ProcessResult> {
  const foreground = output === 'foreground';
  const pipe = output === 'capture' ? 'pipe' : 'inherit';
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      // In a group of its own, so that a tool's own children can be ended with it. What uses the
      // terminal stays in the terminal's group, which Ctrl-C reaches as a whole.
      detached: !foreground,
      stdio: [foreground ? 'inherit' : 'ignore', pipe, pipe],
    });
    let collected = '';
    const collect = (chunk: Buffer): void => {
      collected += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);

    let killTimer: NodeJS.Timeout | undefined;
    const end = (): void => {
      signalChild(child, foreground, 'SIGTERM');
      killTimer = setTimeout(() => signalChild(child, foreground, 'SIGKILL'), KILL_AFTER_MS);
    };
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, { once: true });
    const settle = (): void => {
      clearTimeout(killTimer);
      stop.removeEventListener('abort', end);
    };
    child.on('error', (error) => {
      settle();
      reject(new CommandFault(`${command} could not be started: ${error.message}.`));
    });
    child.on('close', (code, signal) => {
      settle();
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve({ exitCode, output: collected });
    });
  });
}

function signalChild(child: ChildProcess, foreground: boolean, signal: NodeJS.Signals): void {
  // Once it has ended its id may be another's.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (foreground) child.kill(signal);
  else process.kill(-child.pid, signal);
}
