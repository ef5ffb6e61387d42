/** The processes of a run: each can be talked to, and none outlives the run. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const KILL_AFTER_MS = 6_000;

/** Lines of a log that are shown when a process ends too early. */
const SHOWN_LINES = 15;

/** What to start. */
interface ChildOptions {
  /** Names it in messages, and its log file. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running process. */
export interface Child {
  readonly pid: number;
  /** The next message it sends; rejects, with the end of its log, when it ends instead. */
  message(): Promise<unknown>;
  send(message: object): void;
}

/** All processes of a run. */
export interface Children {
  /** Rejects when it cannot be started. */
  start(options: ChildOptions): Promise<Child>;
  /** Asks every one to end, then insists; resolves when all are gone. */
  stopAll(): Promise<void>;
}

/**
 * Keeps the processes of one run. What they write goes to files in `directory`, as a service's
 * output would. Each has an IPC channel, by which it sees the sudden end of this process.
 */
export function createChildren(directory: string): Children {
  const running = new Set<ChildProcess>();

  return {
    async start({ name, command: [program, ...args], env = {} }) {
      const log = join(directory, `${name.replaceAll(' ', '-')}.log`);
      const output = openSync(log, 'w');
      const child = spawn(program, args, {
        env: { PATH: process.env['PATH'] ?? '', ...env },
        stdio: ['ignore', output, output, 'ipc'],
      });
      closeSync(output);
      await once(child, 'spawn');
      running.add(child);
      const messages = createInbox(child, name, log);
      child.once('exit', () => running.delete(child));
      return {
        pid: child.pid ?? 0,
        message: messages,
        send(message) {
          // It may have just ended; then the inbox tells, with a reason.
          child.send(message, () => undefined);
        },
      };
    },
    async stopAll() {
      await Promise.all([...running].map(end));
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await gone;
  clearTimeout(insist);
}

function createInbox(child: ChildProcess, name: string, log: string): () => Promise<unknown> {
  const arrived: unknown[] = [];
  const waiting: { resolve(message: unknown): void; reject(reason: Error): void }[] = [];
  let fault: Error | undefined;
  child.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push(message);
    else next.resolve(message);
  });
  child.once('exit', (code, signal) => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES);
    fault = new Error([`${name} ended early (${signal ?? `code ${code}`}):`, ...lines].join('\n'));
    for (const { reject } of waiting.splice(0)) reject(fault);
  });
  return () => {
    if (arrived.length > 0) return Promise.resolve(arrived.shift());
    if (fault !== undefined) return Promise.reject(fault);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
}
