/** Everything that the origin's embedded database keeps of a session. */

import type { SessionVault } from '../sessions/local-registry.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { createSqliteSealedLogs } from './sqlite-sealed-log.ts';
import { createSqliteSessionStores } from './sqlite-session-store.ts';

/** Opens the vault; `callbackIdPrefix` as in {@link createSqliteSessionStores}. */
export function createSqliteSessionVault(
  database: SqliteDatabase,
  callbackIdPrefix: string,
): SessionVault {
  const { of: store, live, overdue } = createSqliteSessionStores(database, callbackIdPrefix);
  return {
    store,
    live,
    overdue,
    keeper: createSqliteSealedLogs(database),
    asOne: (work) => database.group(() => database.transact(work)),
  };
}
