/** The embedded database as a server with one connection: PGlite in a process of its own. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Duplex, type Readable } from 'node:stream';
import { LIFELINE_FD } from '../engines/engine-messages.ts';
import type { ServerRequest, ServerWord } from './server-words.ts';

/** A running server. */
export interface EmbeddedServer {
  /** The client's end of a new connection, in place of the one before; after the end a broken one. */
  connect(): Duplex;
  /** Aborts once the process has ended, whatever the reason. */
  readonly ended: AbortSignal;
  /** Ends it after what it was asked so far. */
  close(): Promise<void>;
}

/** Longest time it has to put its files in order, in ms; then it is ended as a crash would. */
const CLOSE_MS = 5_000;

/**
 * Starts it on a folder of its own, which is made where there is none (some seconds of CPU) and
 * recovered where a crash left it. It waits for a process that still has the folder, as one may whose
 * gateway was killed. Errors: whatever keeps PGlite from starting.
 */
export async function startEmbeddedServer(dataDir: string): Promise<EmbeddedServer> {
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await makeFolder(dataDir);
  return startServer(dataDir);
}

/**
 * Makes the folder as a whole: a crash in between leaves a draft, which the next one begins anew. It
 * is made by a process of its own, which gives back the memory that only making one takes.
 */
async function makeFolder(dataDir: string): Promise<void> {
  const draft = `${dataDir}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const maker = forkChild('./pglite-maker.ts', draft);
  const [code] = (await once(maker, 'exit')) as [number | null];
  if (code !== 0)
    throw new Error(
      `the embedded database could not be made in DATA_DIR (exit ${code}): look at its disk, and at the memory that is left`,
    );
  await rename(draft, dataDir);
}

/** Starts a process that ends with this one, however that goes. */
function forkChild(module: string, folder: string): ChildProcess {
  const child = fork(new URL(module, import.meta.url), [folder], {
    // Neither flags nor settings nor secrets of the gateway belong to it.
    execArgv: [],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
    // Ctrl-C leaves it to its parent.
    detached: true,
  });
  const lifeline = child.stdio[LIFELINE_FD] as (Readable & { unref(): void }) | undefined;
  lifeline?.on('error', () => undefined);
  lifeline?.resume();
  lifeline?.unref();
  return child;
}

async function startServer(dataDir: string): Promise<EmbeddedServer> {
  const child = forkChild('./pglite-child.ts', dataDir);
  const ended = new AbortController();
  const exited = Promise.withResolvers<void>();
  let cause: unknown;
  /** What it was asked and has not answered. Without any it must not keep a process alive. */
  let unanswered = 0;
  const ask = (request: ServerRequest) => {
    unanswered += 1;
    child.channel?.ref();
    // What cannot be sent has no answer: the process has ended, and its exit says so.
    if (child.connected) child.send(request, () => undefined);
  };
  const answered = () => {
    unanswered -= 1;
    if (unanswered === 0) child.channel?.unref();
  };
  let connection: Duplex | undefined;
  let connections = 0;

  const started = Promise.withResolvers<void>();
  child.on('message', (word: ServerWord) => {
    if (word.type === 'ready') started.resolve();
    else if (word.type === 'dying') ({ cause } = word);
    else {
      answered();
      if (word.connection === connections && word.bytes.byteLength > 0) {
        connection?.push(Buffer.from(word.bytes.buffer, word.bytes.byteOffset, word.bytes.length));
      }
    }
  });
  const end = (how: string) => {
    const error = new Error(`the embedded database has ended: ${how}`, { cause });
    started.reject(error);
    exited.resolve();
    ended.abort(error);
    connection?.destroy(error);
  };
  // Of one that could not be started; of a signal or a message that was not taken, the exit tells.
  child.on('error', () => {
    if (child.pid === undefined) end('it could not be started');
  });
  child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  await started.promise;
  child.unref();
  child.channel?.unref();

  return {
    ended: ended.signal,
    connect() {
      connections += 1;
      const number = connections;
      connection = openConnection((bytes) => ask({ type: 'bytes', connection: number, bytes }));
      if (ended.signal.aborted) connection.destroy(ended.signal.reason as Error);
      return connection;
    },
    async close() {
      if (ended.signal.aborted) return;
      child.ref();
      ask({ type: 'close' });
      const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
      await exited.promise;
      clearTimeout(timer);
    },
  };
}

/** A client's farewell, which ends its connection alone: the one session of PGlite goes on. */
const TERMINATE = 'X'.charCodeAt(0);

/** A stream that node-postgres takes for a socket. */
function openConnection(send: (bytes: Uint8Array) => void): Duplex {
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (chunk[0] !== TERMINATE) send(chunk);
      done();
    },
    final(done) {
      stream.push(null);
      done();
    },
  });
  return Object.assign(stream, {
    connect() {
      process.nextTick(() => stream.emit('connect'));
      return stream;
    },
    setNoDelay: () => stream,
    setKeepAlive: () => stream,
    ref: () => stream,
    unref: () => stream,
  });
}
