/** Deliveries in memory: they do not outlive the process. */

import { createClaimBook } from './claim-book.ts';
import type { DeliveryState } from './delivery.ts';
import { type OutboxStore, receiverOf } from './outbox-store.ts';

/** Makes an empty store. */
export function createMemoryOutboxStore(): OutboxStore {
  const kept = new Map<string, DeliveryState>();
  const book = createClaimBook();
  return {
    add(state) {
      if (kept.has(state.id)) return false;
      kept.set(state.id, state);
      book.add(state.id, receiverOf(state.url), state.nextAttemptAtMs);
      return true;
    },
    put(state, token) {
      if (!book.accepts(state.id, token, state.status === 'delivered')) return;
      kept.set(state.id, state);
      book.settle(state.id, state.status === 'pending' ? state.nextAttemptAtMs : undefined);
    },
    get: (id) => kept.get(id),
    claim: (nowMs, untilMs, limit) =>
      book.claim(nowMs, untilMs, limit).flatMap(({ id, token }) => {
        const state = kept.get(id);
        return state === undefined ? [] : [{ state, token }];
      }),
    nextDueMs: book.nextDueMs,
    drop(id) {
      kept.delete(id);
      book.drop(id);
    },
  };
}
