import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { SupervisorReport } from './supervisor.ts';

const SUPERVISOR = fileURLToPath(new URL('./supervisor.ts', import.meta.url));
// A little after the supervisor's own 5 s, so that this is for a supervisor that hangs.
const KILL_AFTER_MS = 6000;

/** A program that runs until it is stopped. */
export type SupervisedProcess = {
  readonly name: string;
  /** Resolves, never rejects, when it and everything it started are gone, to how it ended in words. */
  readonly ended: Promise<string>;
  /** Whether it has written anything to stderr so far. */
  readonly hasComplained: () => boolean;
  /** SIGTERM, after 5 s SIGKILL, to its whole group in the end; resolves once all of it is gone. */
  readonly stop: () => Promise<void>;
};

/** What to start. */
export type SupervisedOptions = {
  /** What to call it in messages. */
  readonly name: string;
  /** Program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line it writes, without its end. */
  readonly onLine: (line: string, from: 'stdout' | 'stderr') => void;
};

/** Starts a program in a process group of its own, which ends with it and with this process. */
export function startSupervised(options: SupervisedOptions): SupervisedProcess {
  const { name, command, cwd, env, onLine } = options;
  const child = spawn(process.execPath, [SUPERVISOR, ...command], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let complained = false;
  const readLines = (input: Readable | null, onText: (line: string) => void): void => {
    // Null only when the spawn itself failed; then there is nothing to read.
    if (input !== null) createInterface({ input }).on('line', onText);
  };
  readLines(child.stdout, (line) => onLine(line, 'stdout'));
  readLines(child.stderr, (line) => {
    complained = true;
    onLine(line, 'stderr');
  });

  const ended = new Promise<string>((resolve) => {
    let ending: string | undefined;
    child.on('message', (message) => {
      ending = describeEnding(message as SupervisorReport);
    });
    child.on('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.on('exit', () => {
      // Without a report the supervisor was killed, and could not end its group itself.
      if (ending === undefined && child.pid !== undefined) killGroup(child.pid);
    });
    // `close`, not `exit`: by then its last lines have been read.
    child.on('close', (_code, signal) => {
      resolve(ending ?? `its supervisor was ended by ${signal ?? 'an error'}`);
    });
  });

  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const killTimer = setTimeout(() => {
      // The supervisor leads its group: while it is not reaped the group's id cannot be another's.
      const { pid, exitCode, signalCode } = child;
      if (pid !== undefined && exitCode === null && signalCode === null) killGroup(pid);
    }, KILL_AFTER_MS);
    await ended;
    clearTimeout(killTimer);
  };

  return { name, ended, hasComplained: () => complained, stop };
}

function killGroup(groupId: number): void {
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch (error) {
    // ESRCH: nothing of the group is left, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** How a program ended, in words that follow "because": never a sentence of its own. */
export function describeEnding({ exitCode, signal, fault }: SupervisorReport): string {
  if (fault !== undefined) return `it could not be started: ${fault}`;
  return signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
}
