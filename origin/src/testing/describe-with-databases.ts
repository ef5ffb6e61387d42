/** Suites that run on both databases: the embedded one, and a real Postgres server. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Database } from '../database/database.ts';
import { createPooledDatabase } from '../database/pooled-database.ts';
import { describeWithPostgres } from './describe-with-postgres.ts';
import { makeEmbeddedFolder } from './embedded-folder.ts';
import { startPostgres } from './postgres-server.ts';

/** The kinds, as suites are named. */
export type DatabaseKind = 'embedded' | 'postgres';

/** Longest time a database has to be made in, in ms. */
const OPEN_MS = 60_000;

/**
 * Declares a suite for each. One database serves all tests of a suite: they keep apart by their
 * owners' names. Without Postgres its half is a visible skip, and a failure in CI.
 */
export function describeWithDatabases(
  name: string,
  suite: (database: () => Database, kind: DatabaseKind) => void,
): void {
  describe(`${name} (embedded)`, () => describeOn('embedded', suite));
  describeWithPostgres(`${name} (postgres)`, () => describeOn('postgres', suite));
}

function describeOn(
  kind: DatabaseKind,
  suite: (database: () => Database, kind: DatabaseKind) => void,
): void {
  let opened: { database: Database; close(): Promise<void> } | undefined;
  beforeAll(async () => {
    opened = kind === 'embedded' ? await openTestDatabase() : await openPostgres();
    await opened.database.hasVectors();
  }, OPEN_MS);
  afterAll(async () => opened?.close(), OPEN_MS);
  suite(() => {
    if (opened === undefined) throw new Error('the database is not open yet');
    return opened.database;
  }, kind);
}

/** An embedded database in a folder of its own, for suites that need no more. */
export async function openTestDatabase(): Promise<{
  readonly database: Database;
  /** Ends it and deletes its folder. */
  close(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-database-'));
  const dataDir = join(folder, 'postgres');
  await makeEmbeddedFolder(dataDir);
  const database = createPooledDatabase({ kind: 'embedded', dataDir }, createSilentLogger());
  return {
    database,
    async close() {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openPostgres() {
  const server = await startPostgres();
  const database = createPooledDatabase(
    { kind: 'postgres', url: await server.createDatabase() },
    createSilentLogger(),
  );
  return {
    database,
    async close() {
      await database.close();
      await server.stop();
    },
  };
}
