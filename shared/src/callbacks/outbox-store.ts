/** Where deliveries are kept, and who may attempt one. */

import type { MaybePromise } from '../stream/ports.ts';
import type { DeliveryState } from './delivery.ts';

/**
 * Deliveries of one receiver (host and port of the URL) that can be claimed at the same time,
 * whoever claims them: one that hangs holds no more of an outbox's attempts than this.
 */
export const CLAIMS_PER_HOST = 8;

/** The right to attempt one delivery, until its lease runs out. */
export interface DeliveryClaim {
  readonly state: DeliveryState;
  /** Fencing number: a later claim of the same delivery has another one. */
  readonly token: number;
}

/** Keeps deliveries, so that a restart finds them, and hands each to one attempt at a time. */
export interface OutboxStore {
  /**
   * Keeps a new delivery. MUST be durable when it resolves, and atomic: of two calls with one id
   * one changes nothing and resolves to false. MUST do its work in the call itself where the store
   * answers without waiting, so that it can be part of a host's transaction.
   */
  add(state: DeliveryState): MaybePromise<boolean>;
  /**
   * Keeps what came of an attempt, and gives the claim back. MUST be durable when it resolves. MUST
   * change nothing where the delivery is unknown or over, or where it was claimed again after this
   * claim's lease; but what was delivered is delivered, by whatever claim.
   */
  put(state: DeliveryState, token: number): MaybePromise<void>;
  get(id: string): MaybePromise<DeliveryState | undefined>;
  /**
   * Claims at most `limit` pending deliveries that are due at `nowMs`, of those the oldest due
   * first, at most {@link CLAIMS_PER_HOST} of one host. Until `untilMs` no other call MUST get them;
   * after that they can be claimed again. Claims of a store that only one process can own may end
   * with that process.
   */
  claim(nowMs: number, untilMs: number, limit: number): MaybePromise<readonly DeliveryClaim[]>;
  /**
   * Prolongs claims to `untilMs`; one that ran out and is another's now, or is over, is left as it
   * is. There where claims outlive the process that made them: it asks for short ones, and what it
   * leaves behind when it dies is soon free.
   */
  renew?(
    claims: readonly { readonly id: string; readonly token: number }[],
    untilMs: number,
  ): MaybePromise<void>;
  /**
   * The earliest time at which something can be claimed that cannot be now, or a time in the past
   * where something can: the first due delivery of a host with room, or the end of a lease.
   * `undefined` where nothing is pending.
   */
  nextDueMs(): MaybePromise<number | undefined>;
  /** Forgets a delivery. */
  drop(id: string): MaybePromise<void>;
}

/** The receiver that a delivery's fairness counts for: host and port. */
export function receiverOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '';
}
