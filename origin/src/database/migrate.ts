/** Brings a database's tables up to date. */

import { join } from 'node:path';
import pg, { type PoolClient } from 'pg';
import { drizzle, migrate } from './orm.ts';

/** Schema of all tables: the database may be shared with other applications. */
export const SCHEMA = 'headwater';

/** Of the advisory lock that instances which start together take in turn; any number will do. */
const LOCK = 4_853_277_401;

/**
 * Applies the migrations that are missing, each once, whoever else starts at the same time, and says
 * whether vectors can be kept.
 */
export async function migrateDatabase(client: PoolClient): Promise<{ hasVectors: boolean }> {
  await client.query('select pg_advisory_lock($1)', [LOCK]);
  try {
    await client.query(`create schema if not exists ${SCHEMA}`);
    await migrate(drizzle(client), {
      migrationsFolder: join(import.meta.dirname, 'migrations'),
      migrationsSchema: SCHEMA,
      migrationsTable: 'migrations',
    });
    return { hasVectors: await enableVectors(client) };
  } finally {
    await client.query('select pg_advisory_unlock($1)', [LOCK]);
  }
}

/** False where the server lacks pgvector, or the role may not make extensions. */
async function enableVectors(client: PoolClient): Promise<boolean> {
  try {
    await client.query('create extension if not exists vector');
    return true;
  } catch (thrown) {
    if (thrown instanceof pg.DatabaseError) return false;
    throw thrown;
  }
}
