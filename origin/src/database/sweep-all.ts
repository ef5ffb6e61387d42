/** Removes what is old, some rows at a time, so that no other query waits for long. */

import type { Database, Db } from './database.ts';

/** Rows of one statement. */
export const SWEPT_AT_ONCE = 200;

/**
 * Calls `sweepSome`, which removes at most {@link SWEPT_AT_ONCE} and says how many, until there is
 * nothing left. Returns how many went in all.
 */
export async function sweepAll(
  database: Database,
  sweepSome: (db: Db) => Promise<number>,
): Promise<number> {
  // It is no reason to open a database that nobody has needed yet.
  if (database.look().state !== 'open') return 0;
  let swept = 0;
  for (;;) {
    const count = await database.use(sweepSome);
    swept += count;
    if (count < SWEPT_AT_ONCE) return swept;
  }
}
