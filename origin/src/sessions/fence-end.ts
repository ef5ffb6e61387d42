/** The end of a session of a cluster, told and kept by its owner alone. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Outbox, SessionStore } from '@headwater/shared/stream/ports';
import { isEnded } from '@headwater/shared/stream/session-state';
import { keepLease, type RedisLogPorts } from '../adapters/redis-stream-log.ts';

/**
 * Only the owner may call home: an instance that was away would tell the end of an answer that has
 * begun again elsewhere. And no end is kept whose callback is not: the session would count as told.
 */
export function fenceEnd(
  { scripts, lease }: Pick<RedisLogPorts, 'scripts' | 'lease'>,
  store: SessionStore,
  outbox: Outbox,
): { readonly store: SessionStore; readonly outbox: Outbox } {
  let isUntold = false;
  return {
    store: {
      save(state) {
        if (!isUntold || !isEnded(state.status)) return store.save(state);
        throw new GatewayError('unavailable', 'The callback of the stream could not be kept.');
      },
      load: () => store.load(),
      drop: () => store.drop(),
    },
    outbox: {
      async enqueue(callback) {
        isUntold = true;
        await keepLease(scripts, lease);
        await outbox.enqueue(callback);
        isUntold = false;
      },
      view: (id) => outbox.view(id),
      forget: (id) => outbox.forget(id),
    },
  };
}
