/** A session's state in a Durable Object's SQLite. */

import type { SessionStore } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';

/** Opens the store: one row, one JSON value. */
export function createSqlSessionStore(sql: SqlStorage): SessionStore {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)',
  );
  return {
    save(state) {
      sql.exec(
        'INSERT INTO session (id, state) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state',
        JSON.stringify(state),
      );
    },
    load() {
      const [row] = sql.exec<{ state: string }>('SELECT state FROM session').toArray();
      return row === undefined ? undefined : (JSON.parse(row.state) as SessionState);
    },
    drop() {
      sql.exec('DELETE FROM session');
    },
  };
}

/** Whether the object keeps a session; looking creates nothing. */
export function hasSession(sql: SqlStorage): boolean {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'session'");
  return tables.toArray().length > 0;
}
