/** A stream log in memory: the log of an origin without Redis, and the contract's first subject. */

import { GatewayError } from '../protocol/errors.ts';
import type { StreamEvent } from './event.ts';
import type { StreamLog } from './ports.ts';

/** Makes an empty log. It lives and dies with the process. */
export function createMemoryLog(): StreamLog {
  let events: StreamEvent[] = [];
  let epoch = 0;
  return {
    append(batch) {
      if (batch.firstSeq !== events.length + 1) {
        throw new GatewayError('conflict', 'Another writer appended to this stream.');
      }
      epoch = batch.epoch;
      for (const event of batch.events) events.push(event);
    },
    read: (afterSeq, limit) => events.slice(afterSeq, afterSeq + limit),
    head: () => ({ epoch, seq: events.length }),
    drop() {
      events = [];
      epoch = 0;
    },
  };
}
