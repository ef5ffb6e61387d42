/** Claims and leases in SQLite, of a Durable Object or of Node. */

import type { Lease, LeaseKeeper } from './subject-leases.ts';
import type { Claim, ClaimStore } from './subject-ledger-local.ts';

/** Runs one statement, at once, and returns its rows. MUST be durable as the host's writes are. */
export type RunSql = (query: string, ...values: (string | number)[]) => Record<string, unknown>[];

/** Both stores of one database. */
export interface SqlSubjectTables {
  readonly claims: ClaimStore;
  readonly leases: LeaseKeeper;
  /** When the first claim expires; undefined where there is none. */
  nextExpiryMs(): number | undefined;
  /** The tables are gone: the next write makes them anew. */
  forget(): void;
}

const TABLES = [
  'CREATE TABLE IF NOT EXISTS claims (subject TEXT NOT NULL, key TEXT NOT NULL, expires_ms INTEGER NOT NULL, claim TEXT NOT NULL, PRIMARY KEY (subject, key)) WITHOUT ROWID',
  'CREATE INDEX IF NOT EXISTS claims_by_expiry ON claims (expires_ms)',
  'CREATE TABLE IF NOT EXISTS leases (subject TEXT NOT NULL, stream_id TEXT NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (subject, stream_id)) WITHOUT ROWID',
];

/**
 * Opens the tables. They are made by the first write, of which `onMade` hears in the same turn: an
 * object that is only asked must stay without storage.
 */
export function openSqlSubjectTables(run: RunSql, onMade?: () => void): SqlSubjectTables {
  let made = run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'claims'").length > 0;

  const read: RunSql = (query, ...values) => (made ? run(query, ...values) : []);

  function write(query: string, ...values: (string | number)[]): void {
    if (!made) {
      for (const table of TABLES) run(table);
      made = true;
      onMade?.();
    }
    run(query, ...values);
  }

  return {
    claims: {
      get(subject, key) {
        const [row] = read('SELECT claim FROM claims WHERE subject = ? AND key = ?', subject, key);
        return row === undefined ? undefined : (JSON.parse(String(row['claim'])) as Claim);
      },
      put(subject, key, claim) {
        write(
          'INSERT INTO claims (subject, key, expires_ms, claim) VALUES (?, ?, ?, ?) ON CONFLICT (subject, key) DO UPDATE SET expires_ms = excluded.expires_ms, claim = excluded.claim',
          subject,
          key,
          claim.expiresAtMs,
          JSON.stringify(claim),
        );
      },
      sweep(nowMs) {
        read('DELETE FROM claims WHERE expires_ms <= ?', nowMs);
      },
    },
    leases: {
      load: () =>
        read('SELECT subject, stream_id, until_ms FROM leases').map(
          (row): Lease => ({
            subject: String(row['subject']),
            streamId: String(row['stream_id']),
            untilMs: Number(row['until_ms']),
          }),
        ),
      put({ subject, streamId, untilMs }) {
        write(
          'INSERT INTO leases (subject, stream_id, until_ms) VALUES (?, ?, ?) ON CONFLICT (subject, stream_id) DO UPDATE SET until_ms = excluded.until_ms',
          subject,
          streamId,
          untilMs,
        );
      },
      drop(subject, streamId) {
        read('DELETE FROM leases WHERE subject = ? AND stream_id = ?', subject, streamId);
      },
    },
    nextExpiryMs() {
      const [row] = read('SELECT min(expires_ms) AS next FROM claims');
      return typeof row?.['next'] === 'number' ? row['next'] : undefined;
    },
    forget() {
      made = false;
    },
  };
}
