/** States of sessions in the origin's embedded database. */

import type { SessionStore } from '@headwater/shared/stream/ports';
import { isEnded, type SessionState } from '@headwater/shared/stream/session-state';
import type { SqliteDatabase, SqliteRow } from './sqlite-database.ts';

/** The sessions of one origin. */
export interface SqliteSessionStores {
  /** The store of one session. */
  of(streamId: string): SessionStore;
  /** Ids of the sessions that have not ended. */
  live(): readonly string[];
  /**
   * Ids of at most `limit` ended sessions whose retention is over, the longest first. One whose
   * callback is still on its way is left out: it is kept until that is over.
   */
  overdue(nowMs: number, limit: number): readonly string[];
}

const idsOf = (rows: readonly SqliteRow[]): string[] => rows.map(({ id }) => String(id));

/**
 * Opens the stores.
 *
 * @param callbackIdPrefix a session's delivery in the outbox of this database has this and the
 *   stream id as its id
 */
export function createSqliteSessionStores(
  database: SqliteDatabase,
  callbackIdPrefix: string,
): SqliteSessionStores {
  const upsert = database.prepare(
    'INSERT INTO sessions (id, ended, wake_at, state) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, wake_at = excluded.wake_at, state = excluded.state',
  );
  const select = database.prepare('SELECT state FROM sessions WHERE id = ?');
  const remove = database.prepare('DELETE FROM sessions WHERE id = ?');
  const selectLive = database.prepare('SELECT id FROM sessions WHERE ended = 0');
  const selectOverdue = database.prepare(`
    SELECT id FROM sessions WHERE ended = 1 AND wake_at <= ? AND NOT EXISTS
      (SELECT 1 FROM outbox WHERE outbox.id = ? || sessions.id AND pending = 1)
    ORDER BY wake_at LIMIT ?`);

  return {
    of: (streamId) => ({
      save(state) {
        const wakeAtMs = Math.ceil(state.wakeAtMs);
        const ended = isEnded(state.status) ? 1 : 0;
        return database.group(() => {
          upsert.run(streamId, ended, wakeAtMs, JSON.stringify(state));
        });
      },
      load() {
        const row = select.get(streamId);
        return row === undefined ? undefined : (JSON.parse(String(row['state'])) as SessionState);
      },
      drop: () =>
        database.group(() => {
          remove.run(streamId);
        }),
    }),
    live: () => idsOf(selectLive.all()),
    overdue: (nowMs, limit) => idsOf(selectOverdue.all(nowMs, callbackIdPrefix, limit)),
  };
}
