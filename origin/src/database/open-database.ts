/** Opens the database that the settings name: a Postgres server, or PGlite in `DATA_DIR`. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { OriginSettings } from '@headwater/shared/protocol/settings';
import type { Logger } from '@headwater/shared/stream/ports';
import type { Database } from './database.ts';
import { noDatabase } from './no-database.ts';
import { createPooledDatabase } from './pooled-database.ts';

/** What decides which one. */
export type DatabaseSettings = Pick<OriginSettings, 'databaseUrl' | 'redisUrl' | 'dataDir'>;

/**
 * A database that is opened by its first use; a server, and an embedded one that exists, at once in
 * the background, so that no caller waits for their migrations. In a cluster an embedded one would
 * be another one on every instance: there is none without `DATABASE_URL`.
 */
export function openDatabase(settings: DatabaseSettings, logger: Logger): Database {
  const { databaseUrl, redisUrl } = settings;
  if (databaseUrl === undefined && redisUrl !== undefined) return noDatabase;
  const dataDir = join(resolve(settings.dataDir), 'postgres');
  const database =
    databaseUrl === undefined
      ? createPooledDatabase({ kind: 'embedded', dataDir }, logger)
      : createPooledDatabase({ kind: 'postgres', url: databaseUrl }, logger);
  if (databaseUrl !== undefined || existsSync(join(dataDir, 'PG_VERSION'))) {
    // It has said why in the log; whoever needs it hears of it again.
    database.hasVectors().catch(() => undefined);
  }
  return database;
}
