import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSubjectLedgerContract } from '@headwater/shared/testing/subject-ledger-contract';
import { openSqliteDatabase } from './sqlite-database.ts';
import { createSqliteSubjectLedger } from './sqlite-subject-ledger.ts';

describeSubjectLedgerContract(
  'SQLite in DATA_DIR',
  async (limits, test) => {
    const folder = mkdtempSync(join(tmpdir(), 'headwater-ledger-'));
    let database = openSqliteDatabase(folder);
    try {
      await test({
        ledger: createSqliteSubjectLedger(database, limits, 0),
        reopen() {
          database.close();
          database = openSqliteDatabase(folder);
          return createSqliteSubjectLedger(database, limits, 0);
        },
      });
    } finally {
      database.close();
      rmSync(folder, { recursive: true });
    }
  },
  { claims: true, leases: true },
);
