/** Deliveries in a Durable Object's storage. */

import { createClaimBook } from '@headwater/shared/callbacks/claim-book';
import type { DeliveryState } from '@headwater/shared/callbacks/delivery';
import { type OutboxStore, receiverOf } from '@headwater/shared/callbacks/outbox-store';
import { openLongTexts } from './kv-long-text.ts';

/** All that changes from attempt to attempt, and no body: that is kept once. */
type Progress = Omit<DeliveryState, 'body'>;

const PREFIX = 'outbox:';
const progressKey = (id: string): string => PREFIX + id;
const bodyKey = (id: string): string => `body:${id}`;

/**
 * Opens the store. Claims live in the object's memory: a restart has cut their attempts short and
 * frees them.
 */
export function createKvOutboxStore(kv: SyncKvStorage): OutboxStore {
  const bodies = openLongTexts(kv);
  const book = createClaimBook();
  for (const [, { id, url, status, nextAttemptAtMs }] of kv.list<Progress>({ prefix: PREFIX })) {
    if (status === 'pending') book.add(id, receiverOf(url), nextAttemptAtMs);
  }

  const progressOf = (id: string): Progress | undefined => kv.get<Progress>(progressKey(id));

  function get(id: string): DeliveryState | undefined {
    const progress = progressOf(id);
    return progress && { ...progress, body: bodies.get(bodyKey(id)) ?? '' };
  }

  function keep({ body: _body, ...progress }: DeliveryState): void {
    kv.put<Progress>(progressKey(progress.id), progress);
  }

  function drop(id: string): void {
    kv.delete(progressKey(id));
    bodies.drop(bodyKey(id));
    book.drop(id);
  }

  return {
    add(state) {
      if (progressOf(state.id) !== undefined) return false;
      try {
        bodies.put(bodyKey(state.id), state.body);
        keep(state);
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
      keep(state);
      book.settle(state.id, state.status === 'pending' ? state.nextAttemptAtMs : undefined);
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
