/** A process that fills an empty folder with a database, and ends: its argument is the folder. */

import { behaveAsChild } from '../engines/child-manners.ts';
import { OOM_SCORE } from './oom-score.ts';
import { openPglite } from './open-pglite.ts';

// What it has made when its parent ends is a draft, which the next one must not find it at.
behaveAsChild(OOM_SCORE);

const db = await openPglite(process.argv[2] ?? '');
await db.close();
process.exit(0);
