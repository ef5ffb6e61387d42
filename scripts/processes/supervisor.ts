// Runs one program and answers for its whole process group: started detached, so that it leads a
// group of its own, by a parent that holds its IPC channel. The group is ended when the program
// ends, and also when the channel closes, which is how the parent's sudden death shows.
//
// Usage: node supervisor.ts <program> [args]
import { spawn } from 'node:child_process';

const KILL_AFTER_MS = 5000;

/** How the program ended, sent to the parent just before the group is ended. */
export type SupervisorReport = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the program could not be started at all. */
  readonly fault?: string;
};

// Process 0 stands for the caller's own group, so no id can be mistaken for another's.
const signalGroup = (signal: NodeJS.Signals): boolean => process.kill(0, signal);

function report(message: SupervisorReport): void {
  if (!process.connected) {
    signalGroup('SIGKILL');
    return;
  }
  process.send?.(message, undefined, undefined, () => signalGroup('SIGKILL'));
}

const [program = '', ...args] = process.argv.slice(2);

// Listened for before the program can say anything: who hears it may ask for its end at once.
process.on('SIGTERM', endProgram);
process.on('disconnect', endProgram);

// A channel to the program as well: it can then notice that this process is gone.
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
child.on('error', (error) => report({ exitCode: null, signal: null, fault: error.message }));
child.on('exit', (exitCode, signal) => report({ exitCode, signal }));

// The program alone is asked to end: it knows how to end what it started, and complains when that
// ends under its hands. What it leaves behind is killed with the group.
function endProgram(): void {
  child.kill('SIGTERM');
  setTimeout(() => signalGroup('SIGKILL'), KILL_AFTER_MS);
}
