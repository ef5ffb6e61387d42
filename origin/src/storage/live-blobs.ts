/** Which files the tasks of an embedded database still need. */

import type { SqliteDatabase } from '../adapters/sqlite-database.ts';

/** Names of the files of all tasks that are not over. */
export function readLiveBlobs(database: SqliteDatabase): ReadonlySet<string> {
  const rows = database
    .prepare(
      `SELECT json_extract(file.value, '$.blob') AS blob
       FROM tasks JOIN task_specs USING (number), json_each(spec, '$.input.files') AS file
       WHERE ended IS NULL`,
    )
    .all();
  return new Set(rows.map(({ blob }) => String(blob)));
}
