/**
 * A thread that runs PGlite: its queries are computed where no stream waits for them. It speaks
 * Postgres' own wire protocol: each message is bytes of a client, each answer bytes of the server.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { openPglite } from './open-pglite.ts';
import type { ThreadRequest, ThreadWord } from './thread-words.ts';

const port = parentPort;
if (port === null) throw new Error('this module runs as a worker thread');
const { dataDir } = workerData as { readonly dataDir: string };

const tell = (word: ThreadWord) => port.postMessage(word);

const db = await openPglite(dataDir);

const NOTHING = new Uint8Array();

/** The connection that was served last. */
let current = 0;

async function serve({ connection, bytes }: Extract<ThreadRequest, { type: 'bytes' }>) {
  // One that was given up, after an error of its query, says nothing that still counts.
  if (connection < current) return tell({ type: 'bytes', connection, bytes: NOTHING });
  if (connection > current) {
    // PGlite has one session for all connections: the next one must not inherit the last one's.
    if (current > 0) {
      await db.exec('rollback');
      await db.exec('discard all');
    }
    current = connection;
  }
  tell({ type: 'bytes', connection, bytes: await db.execProtocolRaw(bytes) });
}

/** What comes in is answered in order. */
let last: Promise<void> = Promise.resolve();

port.on('message', (request: ThreadRequest) => {
  last = last.then(async () => {
    if (request.type === 'bytes') return serve(request);
    await db.close();
    port.close();
  });
});

tell({ type: 'ready' });
