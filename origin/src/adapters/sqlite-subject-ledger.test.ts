import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSubjectLedgerContract } from '@headwater/shared/testing/subject-ledger-contract';
import { expect, it, vi } from 'vitest';
import { withSqliteFolder } from '../testing/sqlite-folder.ts';
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

it('DATA-5: live streams that a full disk refuses still count, and the process lives on', () =>
  withSqliteFolder(({ open }) => {
    vi.useFakeTimers();
    try {
      const transact = vi.fn(() => {
        throw new Error('full');
      });
      const limits = { perMinute: 10, maxLive: 1 };
      const ledger = createSqliteSubjectLedger({ ...open(), transact }, limits);
      const times = { nowMs: 0, liveUntilMs: 60_000 };
      const admit = (streamId: string) =>
        ledger.admit({ subject: 'alice', streamId, streamUrl: '', ...times });
      expect(admit('s1')).toEqual({ type: 'admitted' });
      vi.advanceTimersByTime(1_000);
      expect(transact).toHaveBeenCalledOnce();
      expect(admit('s2')).toMatchObject({ type: 'limited', by: 'live' });
    } finally {
      vi.useRealTimers();
    }
  }));
