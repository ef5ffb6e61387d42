/** The ledger of an origin that is one process, in its data folder. */

import { createLazyLeaseKeeper, createLeaseBook } from '@headwater/shared/gateway/subject-leases';
import type { SubjectLedger, SubjectLimits } from '@headwater/shared/gateway/subject-ledger';
import { createLocalLedger } from '@headwater/shared/gateway/subject-ledger-local';
import { openSqlSubjectTables } from '@headwater/shared/gateway/subject-ledger-sql';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.ts';

/** Live streams are written this long after the first that changed, in ms; 0 is at once. */
const LEASE_WRITE_MS = 1_000;

/**
 * Makes the ledger, with what the database has: keys and live streams survive a crash, as the
 * sessions do, but for the streams of the last second; the rate begins anew. A key costs two small
 * writes, a stream that ends within the second none.
 */
export function createSqliteSubjectLedger(
  database: SqliteDatabase,
  limits: SubjectLimits,
  leaseWriteMs = LEASE_WRITE_MS,
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
  const lazy = createLazyLeaseKeeper(tables.leases, (flush) => {
    setTimeout(() => {
      try {
        database.transact(flush);
      } catch {
        // A full disk. The streams still count here; a crash would forget them, as it does the last
        // second's, and what has ended counts after one until its lease ends.
      }
    }, leaseWriteMs).unref();
  });
  const leases = createLeaseBook(leaseWriteMs === 0 ? tables.leases : lazy);
  return createLocalLedger(limits, { claims: tables.claims, leases });
}
