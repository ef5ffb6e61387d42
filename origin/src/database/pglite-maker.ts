/** A process that fills an empty folder with a database, and ends: its argument is the folder. */

import { openPglite } from './open-pglite.ts';

// Nobody waits for it any more: what it has made so far is a draft.
process.on('disconnect', () => process.exit(1));

const db = await openPglite(process.argv[2] ?? '');
await db.close();
process.exit(0);
