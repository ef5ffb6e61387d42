/** Deliveries in a Durable Object's SQLite. */

import { createClaimBook } from '@headwater/shared/callbacks/claim-book';
import type { DeliveryState } from '@headwater/shared/callbacks/delivery';
import { type OutboxStore, receiverOf } from '@headwater/shared/callbacks/outbox-store';

type Row = { state: string };

const parse = (row: Row): DeliveryState => JSON.parse(row.state) as DeliveryState;

/**
 * Opens the store. Claims live in the object's memory: a restart has cut their attempts short and
 * frees them.
 */
export function createSqlOutboxStore(sql: SqlStorage): OutboxStore {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS outbox (id TEXT PRIMARY KEY, pending INTEGER NOT NULL, state TEXT NOT NULL)',
  );
  const book = createClaimBook();
  for (const row of sql.exec<Row>('SELECT state FROM outbox WHERE pending = 1')) {
    const { id, url, nextAttemptAtMs } = parse(row);
    book.add(id, receiverOf(url), nextAttemptAtMs);
  }

  function get(id: string): DeliveryState | undefined {
    const [row] = sql.exec<Row>('SELECT state FROM outbox WHERE id = ?', id).toArray();
    return row === undefined ? undefined : parse(row);
  }

  return {
    add(state) {
      const { rowsWritten } = sql.exec(
        'INSERT INTO outbox (id, pending, state) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
        state.id,
        state.status === 'pending' ? 1 : 0,
        JSON.stringify(state),
      );
      if (rowsWritten === 0) return false;
      book.add(state.id, receiverOf(state.url), state.nextAttemptAtMs);
      return true;
    },
    put(state, token) {
      if (!book.accepts(state.id, token, state.status === 'delivered')) return;
      const isPending = state.status === 'pending';
      sql.exec(
        'UPDATE outbox SET pending = ?, state = ? WHERE id = ?',
        isPending ? 1 : 0,
        JSON.stringify(state),
        state.id,
      );
      book.settle(state.id, isPending ? state.nextAttemptAtMs : undefined);
    },
    get,
    claim: (nowMs, untilMs, limit) =>
      book.claim(nowMs, untilMs, limit).flatMap(({ id, token }) => {
        const state = get(id);
        return state === undefined ? [] : [{ state, token }];
      }),
    nextDueMs: book.nextDueMs,
    drop(id) {
      sql.exec('DELETE FROM outbox WHERE id = ?', id);
      book.drop(id);
    },
  };
}
