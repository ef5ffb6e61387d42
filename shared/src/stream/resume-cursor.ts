/** Decides where a reader begins. */

import { GatewayError, type WireError } from '../protocol/errors.ts';
import type { EventPosition } from './event.ts';

/** What the reader of a stream is told when it attaches. */
export type AttachDecision =
  /** Read the log after `seq`, then go live. */
  | { readonly type: 'read'; readonly afterSeq: number }
  /** The reader has seen the final event: HTTP answers 204, so that a browser stops reconnecting. */
  | { readonly type: 'nothing-left' }
  /** The id names another epoch or an event that does not exist: the reader starts again at 0. */
  | { readonly type: 'gap' };

/** Facts of the stream that {@link decideAttach} weighs. */
export interface StreamHead {
  readonly epoch: number;
  /** Number of the last durable event; 0 before the first. */
  readonly seq: number;
  /** True once the final event is durable. */
  readonly ended: boolean;
  /** Set for a stream that is over and has no final event, because its end could not be kept. */
  readonly unfinished?: WireError | undefined;
}

/**
 * Where a reader that has read up to `after` (absent: nothing) goes on. An unfinished stream has
 * nothing left for who has all there is, or a browser would come back for ever; and one without any
 * event throws its error.
 */
export function decideAttach(head: StreamHead, after: EventPosition | undefined): AttachDecision {
  const { unfinished } = head;
  if (unfinished !== undefined) {
    if (head.seq === 0) throw new GatewayError(unfinished.code, unfinished.message);
    if (after?.epoch === head.epoch && after.seq === head.seq) return { type: 'nothing-left' };
  }
  if (after === undefined) return { type: 'read', afterSeq: 0 };
  if (after.epoch !== head.epoch || after.seq > head.seq) return { type: 'gap' };
  if (head.ended && after.seq === head.seq) return { type: 'nothing-left' };
  return { type: 'read', afterSeq: after.seq };
}
