/** Brings callbacks home: keeps them, sends them one at a time each, retries until it is over. */

import type { Alarm, Clock, Logger, MaybePromise, Outbox } from '../stream/ports.ts';
import { afterAttempt, type DeliveryState, newDelivery } from './delivery.ts';
import type { SendCallback } from './send.ts';

/** Keeps deliveries, so that a restart finds them. */
export interface OutboxStore {
  /** MUST be durable when it resolves. */
  put(state: DeliveryState): MaybePromise<void>;
  get(id: string): MaybePromise<DeliveryState | undefined>;
  /** Every delivery that is still `pending`. */
  pending(): MaybePromise<readonly DeliveryState[]>;
  /** Forgets a delivery that is over. */
  drop(id: string): MaybePromise<void>;
}

/** What an outbox is wired to. */
export interface OutboxPorts {
  readonly store: OutboxStore;
  readonly send: SendCallback;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly logger: Logger;
  /** 0–1; spreads retries. */
  random(): number;
}

/** An outbox that a host drives. */
export interface OutboxEngine extends Outbox {
  /** The alarm rang: sends what is due. */
  wake(): Promise<void>;
  /** The host has just started: sets the alarm for what it finds waiting. */
  rearm(): Promise<void>;
  /** Tries to deliver what waits until nothing does, or `withinMs` is over. */
  flush(withinMs: number): Promise<void>;
}

/** Pause between two rounds of a flush, in ms. */
const FLUSH_PAUSE_MS = 25;

/** Makes an outbox. After a restart its host calls `rearm` once. */
export function createOutbox(ports: OutboxPorts): OutboxEngine {
  /** Ids on the wire: two resumes at once would run an n8n workflow's rest twice. */
  const inFlight = new Set<string>();
  /** Counts new callbacks, so that an alarm computed before one does not silence it. */
  let enqueued = 0;

  async function attempt({ id }: DeliveryState): Promise<void> {
    if (inFlight.has(id)) return;
    inFlight.add(id);
    try {
      // What made this attempt due was read some time ago: another one may have come between.
      const state = await ports.store.get(id);
      if (state?.status !== 'pending' || state.nextAttemptAtMs > ports.clock.nowMs()) return;
      const outcome = await ports.send(state);
      const next = afterAttempt(state, outcome, ports.clock.nowMs(), ports.random());
      await ports.store.put(next);
      const fields = { callbackId: next.id, status: outcome.status, attempts: next.attempts };
      if (next.status === 'delivered') ports.logger.info(fields, 'callback delivered');
      else if (next.status === 'failed') ports.logger.error(fields, 'callback given up');
      else ports.logger.warn(fields, 'callback will be sent again');
    } finally {
      inFlight.delete(id);
    }
  }

  async function wake(): Promise<void> {
    const nowMs = ports.clock.nowMs();
    const pending = await ports.store.pending();
    await Promise.all(
      pending
        .filter((state) => state.nextAttemptAtMs <= nowMs)
        // Each sets the alarm for its own next attempt: a receiver that hangs delays no other.
        .map((state) => attempt(state).then(rearm)),
    );
    await rearm();
  }

  async function rearm(): Promise<void> {
    let seen: number;
    let pending: readonly DeliveryState[];
    do {
      seen = enqueued;
      pending = await ports.store.pending();
    } while (seen !== enqueued);
    const next = pending
      .filter((state) => !inFlight.has(state.id))
      .reduce((least, state) => Math.min(least, state.nextAttemptAtMs), Number.POSITIVE_INFINITY);
    ports.alarm.set(Number.isFinite(next) ? next : undefined);
  }

  return {
    async enqueue(callback) {
      if ((await ports.store.get(callback.id)) !== undefined) return;
      const nowMs = ports.clock.nowMs();
      await ports.store.put(newDelivery(callback, nowMs));
      enqueued += 1;
      ports.alarm.set(nowMs);
    },
    async view(id) {
      const state = await ports.store.get(id);
      if (state === undefined) return undefined;
      const { status, attempts, lastStatus } = state;
      return { status, attempts, ...(lastStatus === undefined ? {} : { lastStatus }) };
    },
    wake,
    rearm,
    async flush(withinMs) {
      const untilMs = ports.clock.nowMs() + withinMs;
      const over = new Promise<void>((resolve) => setTimeout(resolve, withinMs));
      while ((await ports.store.pending()).length > 0 && ports.clock.nowMs() < untilMs) {
        const pause = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_PAUSE_MS));
        await Promise.race([Promise.all([wake(), pause]), over]);
      }
    },
    forget: (id) => ports.store.drop(id),
  };
}
