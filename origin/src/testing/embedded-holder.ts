/** A process with an embedded database that never ends its query; a test kills it. */

import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { sql } from '../database/orm.ts';
import { createPooledDatabase } from '../database/pooled-database.ts';

const place = { kind: 'embedded', dataDir: process.argv[2] ?? '' } as const;
const database = createPooledDatabase(place, createSilentLogger());
await database.use((db) => db.execute(sql`select 1`));
void database.use((db) =>
  db.execute(sql`select count(*) from generate_series(1, 1000000000000) a where a % 7 = 3`),
);
// Once it is sent; this process answers nobody any more.
setImmediate(() => process.send?.('busy'));
