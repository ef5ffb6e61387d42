/** Deliveries in a Durable Object's SQLite. */

import { createClaimBook } from '@headwater/shared/callbacks/claim-book';
import type { DeliveryState } from '@headwater/shared/callbacks/delivery';
import { type OutboxStore, receiverOf } from '@headwater/shared/callbacks/outbox-store';
import { cutLongText } from './sql-long-text.ts';

/** All that changes from attempt to attempt, and no body: that has rows of its own. */
type Progress = Omit<DeliveryState, 'body'>;

type Row = { state: string };

const TABLES = [
  'CREATE TABLE IF NOT EXISTS outbox (id TEXT PRIMARY KEY, pending INTEGER NOT NULL, state TEXT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS outbox_bodies (id TEXT NOT NULL, part INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, part)) WITHOUT ROWID',
];

function progressOf({ body: _body, ...progress }: DeliveryState): string {
  return JSON.stringify(progress);
}

/**
 * Opens the store. Claims live in the object's memory: a restart has cut their attempts short and
 * frees them.
 */
export function createSqlOutboxStore(sql: SqlStorage): OutboxStore {
  for (const table of TABLES) sql.exec(table);
  const book = createClaimBook();
  for (const row of sql.exec<Row>('SELECT state FROM outbox WHERE pending = 1')) {
    const { id, url, nextAttemptAtMs } = JSON.parse(row.state) as Progress;
    book.add(id, receiverOf(url), nextAttemptAtMs);
  }

  const rowOf = (id: string): Row | undefined =>
    sql.exec<Row>('SELECT state FROM outbox WHERE id = ?', id).toArray()[0];

  function get(id: string): DeliveryState | undefined {
    const row = rowOf(id);
    if (row === undefined) return undefined;
    const parts = sql
      .exec<{ body: string }>('SELECT body FROM outbox_bodies WHERE id = ? ORDER BY part', id)
      .toArray();
    const body = parts.map((part) => part.body).join('');
    return { ...(JSON.parse(row.state) as Progress), body };
  }

  function drop(id: string): void {
    sql.exec('DELETE FROM outbox WHERE id = ?', id);
    sql.exec('DELETE FROM outbox_bodies WHERE id = ?', id);
    book.drop(id);
  }

  function insert(state: DeliveryState): void {
    for (const [part, text] of cutLongText(state.body).entries()) {
      sql.exec('INSERT INTO outbox_bodies (id, part, body) VALUES (?, ?, ?)', state.id, part, text);
    }
    const pending = state.status === 'pending' ? 1 : 0;
    sql.exec(
      'INSERT INTO outbox (id, pending, state) VALUES (?, ?, ?)',
      state.id,
      pending,
      progressOf(state),
    );
  }

  return {
    add(state) {
      if (rowOf(state.id) !== undefined) return false;
      try {
        insert(state);
      } catch (thrown) {
        // What came before the fault would be committed with the turn.
        drop(state.id);
        throw thrown;
      }
      book.add(state.id, receiverOf(state.url), state.nextAttemptAtMs);
      return true;
    },
    put(state, token) {
      if (!book.accepts(state.id, token, state.status === 'delivered')) return;
      const isPending = state.status === 'pending';
      sql.exec(
        'UPDATE outbox SET pending = ?, state = ? WHERE id = ?',
        isPending ? 1 : 0,
        progressOf(state),
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
    drop,
  };
}
