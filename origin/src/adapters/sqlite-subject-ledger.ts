/** The ledger of an origin that is one process, in its data folder. */

import { createLeaseBook } from '@headwater/shared/gateway/subject-leases';
import type { SubjectLedger, SubjectLimits } from '@headwater/shared/gateway/subject-ledger';
import { createLocalLedger } from '@headwater/shared/gateway/subject-ledger-local';
import { openSqlSubjectTables } from '@headwater/shared/gateway/subject-ledger-sql';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.ts';

/**
 * Makes the ledger, with what the database has: keys and live streams survive a crash, as the
 * sessions do, and the rate begins anew. A stream costs two small writes, a key two more.
 */
export function createSqliteSubjectLedger(
  database: SqliteDatabase,
  limits: SubjectLimits,
): SubjectLedger {
  const statements = new Map<string, SqliteStatement>();

  function prepared(query: string): SqliteStatement {
    let statement = statements.get(query);
    if (statement === undefined) {
      statement = database.prepare(query);
      statements.set(query, statement);
    }
    return statement;
  }

  const tables = openSqlSubjectTables((query, ...values) => prepared(query).all(...values));
  const leases = createLeaseBook(tables.leases);
  return createLocalLedger(limits, { claims: tables.claims, leases });
}
