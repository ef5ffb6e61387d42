/** The storage of an origin that is one process: an embedded database in `DATA_DIR`. */

import type { SubjectLimits } from '@headwater/shared/gateway/subject-ledger';
import { CALLBACK_ID_PREFIX } from '@headwater/shared/stream/callback-payload';
import { openSqliteDatabase } from '../adapters/sqlite-database.ts';
import { createSqliteOutboxStore } from '../adapters/sqlite-outbox-store.ts';
import { createSqliteSessionVault } from '../adapters/sqlite-session-vault.ts';
import { createSqliteSubjectLedger } from '../adapters/sqlite-subject-ledger.ts';
import { createLocalRegistry } from '../sessions/local-registry.ts';
import { openLocalTasks } from './local-tasks.ts';
import type { OriginStorage } from './origin-storage.ts';

/** Opens it. Errors: `unavailable`, which names `DATA_DIR`. */
export async function openLocalStorage(
  dataDir: string,
  limits: SubjectLimits,
): Promise<OriginStorage> {
  const database = openSqliteDatabase(dataDir);
  const vault = createSqliteSessionVault(database, CALLBACK_ID_PREFIX);
  return {
    kind: 'disk',
    ledger: createSqliteSubjectLedger(database, limits),
    outboxStore: createSqliteOutboxStore(database),
    openSessions: (runtime) => createLocalRegistry({ ...runtime, vault }),
    openTasks: (runtime) => openLocalTasks(database, dataDir, runtime),
    async close() {
      database.close();
    },
  };
}
