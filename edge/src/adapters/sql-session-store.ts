/** A session's state in a Durable Object's SQLite. */

import type { SessionStore } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';
import { cutLongText } from './sql-long-text.ts';

/** Opens the store: one JSON value, mostly in one row; a long prompt makes more. */
export function createSqlSessionStore(sql: SqlStorage): SessionStore {
  sql.exec('CREATE TABLE IF NOT EXISTS session (part INTEGER PRIMARY KEY, state TEXT NOT NULL)');
  return {
    save(state) {
      const parts = cutLongText(JSON.stringify(state));
      for (const [part, text] of parts.entries()) {
        sql.exec(
          'INSERT INTO session (part, state) VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET state = excluded.state',
          part,
          text,
        );
      }
      sql.exec('DELETE FROM session WHERE part >= ?', parts.length);
    },
    load() {
      const rows = sql.exec<{ state: string }>('SELECT state FROM session ORDER BY part').toArray();
      if (rows.length === 0) return undefined;
      return JSON.parse(rows.map(({ state }) => state).join('')) as SessionState;
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
