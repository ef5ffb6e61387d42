/** Deliveries in memory: they do not outlive the process. */

import type { DeliveryState } from './delivery.ts';
import type { OutboxStore } from './outbox.ts';

/** Makes an empty store. */
export function createMemoryOutboxStore(): OutboxStore {
  const kept = new Map<string, DeliveryState>();
  const waiting = new Map<string, DeliveryState>();
  return {
    put(state) {
      kept.set(state.id, state);
      if (state.status === 'pending') waiting.set(state.id, state);
      else waiting.delete(state.id);
    },
    get: (id) => kept.get(id),
    pending: () => [...waiting.values()],
    drop(id) {
      kept.delete(id);
      waiting.delete(id);
    },
  };
}
