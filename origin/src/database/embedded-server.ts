/** The embedded database as a server with one connection: PGlite in a thread. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { ThreadRequest, ThreadWord } from './thread-words.ts';

/** A running thread. */
export interface EmbeddedServer {
  /** The client's end of a new connection, which takes the place of the one before. */
  connect(): Duplex;
  /** Aborts once the thread has ended, whatever the reason. */
  readonly ended: AbortSignal;
  /** Ends it after what it was asked so far. */
  close(): Promise<void>;
}

/** Longest time a thread has to put its files in order, in ms; then it is ended as a crash would. */
const CLOSE_MS = 5_000;

/**
 * Starts it on a folder of its own, which is made where there is none (some seconds of CPU) and
 * recovered where a crash left it. The folder MUST belong to this process alone. Errors: whatever
 * keeps PGlite from starting.
 */
export async function startEmbeddedServer(dataDir: string): Promise<EmbeddedServer> {
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await makeFolder(dataDir);
  return startThread(dataDir);
}

/**
 * Makes the folder as a whole: a crash in between leaves a draft, which the next one begins anew. It
 * is made by a process of its own, which gives back the memory that only making one takes.
 */
async function makeFolder(dataDir: string): Promise<void> {
  const draft = `${dataDir}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const maker = fork(new URL('./pglite-maker.ts', import.meta.url), [draft], {
    execArgv: [],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const [code] = (await once(maker, 'exit')) as [number | null];
  if (code !== 0)
    throw new Error(
      `the embedded database could not be made in DATA_DIR (exit ${code}): look at its disk, and at the memory that is left`,
    );
  await rename(draft, dataDir);
}

async function startThread(dataDir: string): Promise<EmbeddedServer> {
  const thread = new Worker(new URL('./pglite-thread.ts', import.meta.url), {
    workerData: { dataDir },
    // Neither flags of a test runner nor its output belong to it.
    execArgv: [],
    name: 'database',
  });
  const ended = new AbortController();
  const exited = Promise.withResolvers<void>();
  /** What it was asked and has not answered. Without any it must not keep a process alive. */
  let unanswered = 0;
  const ask = (request: ThreadRequest) => {
    unanswered += 1;
    thread.ref();
    thread.postMessage(request);
  };
  const answered = () => {
    unanswered -= 1;
    if (unanswered === 0) thread.unref();
  };
  let connection: Duplex | undefined;
  let connections = 0;

  const started = Promise.withResolvers<void>();
  thread.on('message', (word: ThreadWord) => {
    if (word.type === 'ready') started.resolve();
    else answered();
    if (word.type === 'bytes' && word.connection === connections && word.bytes.byteLength > 0) {
      connection?.push(Buffer.from(word.bytes));
    }
  });
  const end = (error: Error) => {
    started.reject(error);
    ended.abort(error);
    connection?.destroy(error);
  };
  thread.on('error', (error) => end(error instanceof Error ? error : new Error('PGlite failed')));
  thread.on('exit', () => {
    exited.resolve();
    end(new Error('the thread of the embedded database has ended'));
  });
  await started.promise;
  thread.unref();

  return {
    ended: ended.signal,
    connect() {
      connections += 1;
      const number = connections;
      connection = openConnection((bytes) => ask({ type: 'bytes', connection: number, bytes }));
      return connection;
    },
    async close() {
      if (ended.signal.aborted) return;
      ask({ type: 'close' });
      // It ends by itself; ending it from here in the middle of its work can take the process along.
      const timer = setTimeout(() => void thread.terminate(), CLOSE_MS);
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
      // A copy: node-postgres may write into the same memory again.
      if (chunk[0] !== TERMINATE) send(Uint8Array.from(chunk));
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
