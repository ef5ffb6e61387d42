/** Deliveries in the origin's embedded database. */

import { createClaimBook } from '@headwater/shared/callbacks/claim-book';
import type { DeliveryState } from '@headwater/shared/callbacks/delivery';
import { type OutboxStore, receiverOf } from '@headwater/shared/callbacks/outbox-store';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * New deliveries that are remembered until they are first claimed, which mostly is at once; with
 * longest bodies of so many characters they take some megabytes.
 */
const MAX_FRESH = 64;
const MAX_FRESH_BODY = 64 * 1024;

/**
 * Opens the store. Times and claims of what is pending are in memory, the deliveries on disk: a
 * restart frees the claims at once, for the attempts that held them are gone too. Every call may be
 * part of a transaction.
 */
export function createSqliteOutboxStore(database: SqliteDatabase): OutboxStore {
  const insert = database.prepare(
    'INSERT INTO outbox (id, receiver, due, pending, state) VALUES (?, ?, ?, 1, ?) ON CONFLICT (id) DO NOTHING',
  );
  const update = database.prepare('UPDATE outbox SET due = ?, pending = ?, state = ? WHERE id = ?');
  const select = database.prepare('SELECT state FROM outbox WHERE id = ?');
  const remove = database.prepare('DELETE FROM outbox WHERE id = ?');

  const book = createClaimBook();
  const pending = database.prepare('SELECT id, receiver, due FROM outbox WHERE pending = 1');
  for (const { id, receiver, due } of pending.all()) {
    book.add(String(id), String(receiver), Number(due));
  }

  const fresh = new Map<string, DeliveryState>();

  function remember(state: DeliveryState): void {
    if (fresh.size < MAX_FRESH && state.body.length <= MAX_FRESH_BODY) fresh.set(state.id, state);
  }

  /** The state of a delivery that is claimed: what is remembered of it ends with its first claim. */
  function take(id: string): DeliveryState | undefined {
    const state = fresh.get(id) ?? get(id);
    fresh.delete(id);
    return state;
  }

  function get(id: string): DeliveryState | undefined {
    const row = select.get(id);
    return row === undefined ? undefined : (JSON.parse(String(row['state'])) as DeliveryState);
  }

  return {
    add(state) {
      const { id, url } = state;
      // A column of whole numbers; a due time may have a fraction.
      const dueMs = Math.ceil(state.nextAttemptAtMs);
      const receiver = receiverOf(url);
      return database.group(() => {
        if (insert.run(id, receiver, dueMs, JSON.stringify(state)) === 0) return false;
        database.afterCommit(() => {
          book.add(id, receiver, dueMs);
          remember(state);
        });
        return true;
      });
    },
    put(state, token) {
      const { id, status } = state;
      if (!book.accepts(id, token, status === 'delivered')) return undefined;
      const dueMs = Math.ceil(state.nextAttemptAtMs);
      const isPending = status === 'pending';
      return database.group(() => {
        update.run(dueMs, isPending ? 1 : 0, JSON.stringify(state), id);
        database.afterCommit(() => book.settle(id, isPending ? dueMs : undefined));
      });
    },
    get,
    claim: (nowMs, untilMs, limit) =>
      book.claim(nowMs, untilMs, limit).flatMap(({ id, token }) => {
        const state = take(id);
        return state === undefined ? [] : [{ state, token }];
      }),
    nextDueMs: book.nextDueMs,
    drop: (id) =>
      database.group(() => {
        remove.run(id);
        database.afterCommit(() => {
          book.drop(id);
          fresh.delete(id);
        });
      }),
  };
}
