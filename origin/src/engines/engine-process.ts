/** Starts the process that runs engines, hears what it says, and knows when it has ended. */

import { type ChildProcess, fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@headwater/shared/stream/ports';
import { readOutput } from './child-output.ts';
import { type FromChild, LIFELINE_FD, readFromChild, type ToChild } from './engine-messages.ts';
import { canReadMemory, readResidentBytes } from './resident-memory.ts';

const CHILD_MAIN = fileURLToPath(new URL('./child-main.ts', import.meta.url));

/** Time the last words of a process have to arrive once it has ended, in ms. */
const LAST_WORDS_MS = 50;

/** How V8 says that its heap is full, right before it aborts. */
const HEAP_FULL = /heap out of memory/i;

export interface EngineProcessOptions {
  /** Its name in the log. */
  readonly id: string;
  readonly env: Readonly<Record<string, string>>;
  /** Bound of V8's heap. */
  readonly memoryLimitBytes: number;
  readonly logger: Logger;
  /** Default: the child of this folder; another one in tests. */
  readonly entry?: string | undefined;
  /** Default: true where the system shows it. False: the process tells how much memory it has. */
  readonly readsMemory?: boolean | undefined;
  said(message: FromChild): void;
  /** It has ended, and all it said was heard. `how` is such as `SIGKILL`, or `exit code 1`. */
  ended(how: string, isHeapFull: boolean): void;
}

/** A process, from its start to its end. */
export interface EngineProcess {
  /** `undefined` where it could not be started. */
  readonly pid: number | undefined;
  /** What cannot be sent is lost: the process has ended, and `ended` says so. */
  send(message: ToChild): void;
  /** Ends it with SIGKILL, and the programs that its engines have started. */
  kill(): void;
  /** Bytes it has resident, as last known. Programs that it has started are not counted. */
  memory(): number | undefined;
}

/** Starts it. Never throws: what could not be started has `ended`, in a later turn. */
export function startEngineProcess(options: EngineProcessOptions): EngineProcess {
  const { id, logger, readsMemory = canReadMemory } = options;
  let isHeapFull = false;
  let toldBytes: number | undefined;
  const child = forkChild(options, readsMemory);
  const pid = child?.pid;

  function kill(): void {
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody is left in the group, which is what was wanted.
    }
  }

  if (child === undefined || pid === undefined) {
    child?.once('error', (err) => logger.error({ child: id, err }, 'engine process not started'));
    setImmediate(() => options.ended('it could not be started', false));
    return { pid: undefined, send: () => undefined, kill, memory: () => undefined };
  }

  // A signal that cannot be sent, a message that cannot be written: the exit tells it all.
  child.on('error', () => undefined);
  child.on('message', (message) => {
    const said = readFromChild(message);
    if (said !== undefined) options.said(said);
  });
  child.once('exit', (code, signal) => {
    // Programs that its engines have started would live on, and keep its pipes open.
    kill();
    void heardOut(child).then(() => options.ended(signal ?? `exit code ${code}`, isHeapFull));
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    readOutput(stream, {
      nowMs: () => Date.now(),
      line(line) {
        isHeapFull ||= HEAP_FULL.test(line);
        logger.info({ child: id, line }, 'engine printed');
      },
      dropped: (lines) => logger.warn({ child: id, lines }, 'engine printed more'),
    });
  }
  const lifeline = child.stdio[LIFELINE_FD] as Readable;
  lifeline.on('error', () => undefined);
  lifeline.on('data', (chunk: Buffer) => {
    const told = Number(/(\d+)\n$/.exec(chunk.toString('latin1'))?.[1]);
    if (told > 0) toldBytes = told;
  });

  return {
    pid,
    send(message) {
      if (child.connected) child.send(message, () => undefined);
    },
    kill,
    memory: () => (readsMemory ? readResidentBytes(pid) : toldBytes),
  };
}

function forkChild(options: EngineProcessOptions, readsMemory: boolean): ChildProcess | undefined {
  try {
    return fork(options.entry ?? CHILD_MAIN, readsMemory ? [] : ['tell-memory'], {
      env: options.env,
      execArgv: [`--max-old-space-size=${Math.ceil(options.memoryLimitBytes / 1024 / 1024)}`],
      // Measured: a no-op round trip costs the parent 12 µs so, 14 µs with `advanced`, and 13 µs
      // over a pipe with a protocol of its own.
      serialization: 'json',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      // A group of its own: it ends together with the programs that its engines have started, and
      // Ctrl-C leaves it to its parent.
      detached: true,
    });
  } catch (err) {
    options.logger.error({ child: options.id, err }, 'engine process not started');
    return undefined;
  }
}

/** Resolves when all that the ended process had said, and printed, has come; or soon anyway. */
async function heardOut(child: ChildProcess): Promise<void> {
  const disconnected = new Promise<void>((resolve) => {
    if (child.connected) child.once('disconnect', resolve);
    else resolve();
  });
  const printed = child.stderr === null ? undefined : finished(child.stderr).catch(() => undefined);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_WORDS_MS);
  });
  await Promise.race([Promise.all([disconnected, printed]), late]);
  clearTimeout(timer);
}
