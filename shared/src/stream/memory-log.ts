/** A stream log in memory, and what makes it last once its stream has ended. */

import { GatewayError } from '../protocol/errors.ts';
import type { EventPosition, StreamEvent } from './event.ts';
import type { MaybePromise, StreamLog } from './ports.ts';

/** A whole log. */
export interface KeptEvents {
  readonly epoch: number;
  readonly events: readonly StreamEvent[];
}

/** Where the events of an ended stream are kept. */
export interface EventKeeper {
  /** MUST be durable when it resolves. */
  keep(kept: KeptEvents): MaybePromise<void>;
  load(): MaybePromise<KeptEvents | undefined>;
  drop(): MaybePromise<void>;
}

const NOTHING: KeptEvents = { epoch: 0, events: [] };

/**
 * Makes an empty log, or with `kept` the log of an ended stream. It lives and dies with the process,
 * but for what `keeper` was given by `seal`.
 */
export function createMemoryLog(keeper?: EventKeeper, kept: KeptEvents = NOTHING): StreamLog {
  let events: StreamEvent[] = [...kept.events];
  let epoch = kept.epoch;

  function read(after: EventPosition, limit: number): readonly StreamEvent[] {
    return after.epoch === epoch ? events.slice(after.seq, after.seq + limit) : [];
  }

  return {
    append(batch) {
      const isNext = batch.epoch === epoch && batch.firstSeq === events.length + 1;
      const beginsAgain = batch.epoch > epoch && batch.firstSeq === 1;
      if (!isNext && !beginsAgain) {
        throw new GatewayError('conflict', 'Another writer appended to this stream.');
      }
      if (beginsAgain) events = [];
      epoch = batch.epoch;
      for (const event of batch.events) events.push(event);
    },
    read,
    head: () => ({ epoch, seq: events.length }),
    seal: () => keeper?.keep({ epoch, events }),
    drop() {
      events = [];
      epoch = 0;
      return keeper?.drop();
    },
  };
}
