/**
 * A process that runs PGlite in a folder, its argument: its queries are computed where no stream waits
 * for them, and what ends it ends no gateway. It speaks Postgres' own wire protocol: each message is
 * bytes of a client, each answer bytes of the server. Started by embedded-server.ts alone.
 */

import { behaveAsChild } from '../engines/child-manners.ts';
import { holdFolder } from './hold-folder.ts';
import { OOM_SCORE } from './oom-score.ts';
import { openPglite } from './open-pglite.ts';
import type { ServerRequest, ServerWord } from './server-words.ts';

behaveAsChild(OOM_SCORE);

const tell = (word: ServerWord) => process.send?.(word, undefined, undefined, () => undefined);

const dataDir = process.argv[2] ?? '';
// One that was killed may have left a process that is about to notice: two on one folder destroy it.
holdFolder(dataDir);
const db = await openPglite(dataDir);

const NOTHING = new Uint8Array();

/** The connection that was served last. */
let current = 0;

async function serve({ connection, bytes }: Extract<ServerRequest, { type: 'bytes' }>) {
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
  return tell({ type: 'bytes', connection, bytes: await db.execProtocolRaw(bytes) });
}

/** What comes in is answered in order. */
let last: Promise<unknown> = Promise.resolve();

process.on('message', (request: ServerRequest) => {
  last = last.then(async () => {
    if (request.type === 'bytes') return serve(request);
    await db.close();
    process.exit(0);
  });
});

tell({ type: 'ready' });
