/** Databases in a folder of their own. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteDatabase, type SqliteDatabase } from '../adapters/sqlite-database.ts';

/** A folder and what is open in it. */
export interface SqliteFolder {
  readonly folder: string;
  /** The database, opened anew each time: the one before is closed. */
  open(): SqliteDatabase;
}

/** Runs a test with an empty folder, which is deleted after it. */
export async function withSqliteFolder(
  test: (subject: SqliteFolder) => Promise<void> | void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-sqlite-'));
  let database: SqliteDatabase | undefined;
  try {
    await test({
      folder,
      open() {
        database?.close();
        database = undefined;
        database = openSqliteDatabase(folder);
        return database;
      },
    });
  } finally {
    database?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
