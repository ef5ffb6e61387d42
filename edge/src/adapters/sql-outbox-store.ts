/** Deliveries in a Durable Object's SQLite. */

import type { DeliveryState } from '@headwater/shared/callbacks/delivery';
import type { OutboxStore } from '@headwater/shared/callbacks/outbox';

type Row = { state: string };

const parse = (row: Row): DeliveryState => JSON.parse(row.state) as DeliveryState;

/** Opens the store. */
export function createSqlOutboxStore(sql: SqlStorage): OutboxStore {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS outbox (id TEXT PRIMARY KEY, pending INTEGER NOT NULL, state TEXT NOT NULL)',
  );
  return {
    put(state) {
      sql.exec(
        'INSERT INTO outbox (id, pending, state) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET pending = excluded.pending, state = excluded.state',
        state.id,
        state.status === 'pending' ? 1 : 0,
        JSON.stringify(state),
      );
    },
    get(id) {
      const [row] = sql.exec<Row>('SELECT state FROM outbox WHERE id = ?', id).toArray();
      return row === undefined ? undefined : parse(row);
    },
    pending: () => sql.exec<Row>('SELECT state FROM outbox WHERE pending = 1').toArray().map(parse),
    drop(id) {
      sql.exec('DELETE FROM outbox WHERE id = ?', id);
    },
  };
}
