/** Brings callbacks home: keeps them, sends them one at a time each, retries until it is over. */

import type { Alarm, Clock, Logger, Outbox } from '../stream/ports.ts';
import { type AttemptOutcome, afterAttempt, type DeliveryState, newDelivery } from './delivery.ts';
import type { DeliveryClaim, OutboxStore } from './outbox-store.ts';
import type { SendCallback } from './send.ts';

/** What an outbox is wired to. */
export interface OutboxPorts {
  readonly store: OutboxStore;
  readonly send: SendCallback;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly logger: Logger;
  /** 0–1; spreads retries. */
  random(): number;
  /**
   * Longest time between two looks at a store that other instances share, in ms: what they kept, or
   * left behind, rings no alarm here. Absent: the store is this outbox's own.
   */
  readonly sharedPollMs?: number;
}

/** An outbox that a host drives. */
export interface OutboxEngine extends Outbox {
  /** The alarm rang: sends what is due. Resolves once every attempt in flight then is over. */
  wake(): Promise<void>;
  /** The host has just started: sets the alarm for what it finds waiting. */
  rearm(): Promise<void>;
  /**
   * Tries to deliver what waits until nothing does, or `withinMs` is over. On a shared store it
   * waits for this instance's own attempts alone.
   */
  flush(withinMs: number): Promise<void>;
}

/** Attempts in flight, for all receivers together: each holds a connection and a body. */
const MAX_IN_FLIGHT = 64;

/** Length of a claim, in ms: three times what an attempt may last, so that clocks may differ. */
const LEASE_MS = 60_000;

/** The same where claims are prolonged: what an instance that dies leaves behind waits so long. */
const RENEWED_LEASE_MS = 10_000;

/** A claim is prolonged once this much of it is over, in ms. */
const RENEW_AFTER_MS = 2_000;

/** Pause before a store that refused is asked again, in ms. */
const STORE_PAUSE_MS = 1_000;

/** Pause between two rounds of a flush, in ms. */
const FLUSH_PAUSE_MS = 25;

/** One attempt. */
interface Attempt {
  readonly id: string;
  token: number;
  /** What came of it, while the store has refused to keep that. */
  unkept?: DeliveryState;
  over: Promise<void>;
}

/** Makes an outbox. After a restart its host calls `rearm` once. */
export function createOutbox(ports: OutboxPorts): OutboxEngine {
  const { store, clock, logger } = ports;
  /** By id; two resumes at once would run an n8n workflow's rest twice. */
  const inFlight = new Map<string, Attempt>();
  /** Counts new callbacks, so that an alarm computed before one does not silence it. */
  let enqueued = 0;
  let filling: Promise<void> | undefined;
  let fillAgain = false;
  const leaseMs = store.renew === undefined ? LEASE_MS : RENEWED_LEASE_MS;
  let renewedAtMs = 0;

  async function send(state: DeliveryState): Promise<AttemptOutcome> {
    try {
      return await ports.send(state);
    } catch (err) {
      // A sender answers and does not throw; if it does, nothing says that the receiver has it.
      logger.error({ callbackId: state.id, err }, 'callback could not be sent');
      return { type: 'retry' };
    }
  }

  async function keep(attempt: Attempt, state: DeliveryState): Promise<void> {
    await store.put(state, attempt.token);
    delete attempt.unkept;
    inFlight.delete(attempt.id);
  }

  async function run(attempt: Attempt, state: DeliveryState, claimedAtMs: number): Promise<void> {
    // A claim that has been held up could end before its answer.
    if (clock.nowMs() - claimedAtMs > leaseMs / 2) {
      inFlight.delete(attempt.id);
      return;
    }
    const outcome = await send(state);
    const next = afterAttempt(state, outcome, clock.nowMs(), ports.random());
    const fields = { callbackId: next.id, status: outcome.status, attempts: next.attempts };
    if (next.status === 'delivered') logger.info(fields, 'callback delivered');
    else if (next.status === 'failed') logger.error(fields, 'callback given up');
    else logger.warn(fields, 'callback will be sent again');
    try {
      await keep(attempt, next);
    } catch (err) {
      // It stays in flight, so that it is not sent once more, and is kept when the store is back.
      attempt.unkept = next;
      logger.error({ callbackId: next.id, err }, 'outcome of a callback could not be kept');
    }
  }

  function begin({ state, token }: DeliveryClaim, claimedAtMs: number): void {
    const running = inFlight.get(state.id);
    if (running !== undefined) {
      // Its lease ran out under it, and the new claim is its own too: what comes of it counts.
      running.token = token;
      return;
    }
    const attempt: Attempt = { id: state.id, token, over: Promise.resolve() };
    inFlight.set(state.id, attempt);
    attempt.over = run(attempt, state, claimedAtMs).then(fill);
  }

  async function renew(): Promise<void> {
    const nowMs = clock.nowMs();
    if (inFlight.size === 0 || nowMs - renewedAtMs < RENEW_AFTER_MS) return;
    renewedAtMs = nowMs;
    await store.renew?.([...inFlight.values()], nowMs + leaseMs);
  }

  async function claimDue(): Promise<void> {
    await renew();
    for (const attempt of [...inFlight.values()]) {
      if (attempt.unkept !== undefined) await keep(attempt, attempt.unkept);
    }
    const room = MAX_IN_FLIGHT - inFlight.size;
    if (room <= 0) return;
    const nowMs = clock.nowMs();
    for (const claim of await store.claim(nowMs, nowMs + leaseMs, room)) begin(claim, nowMs);
  }

  async function setAlarm(): Promise<void> {
    let seen: number;
    let dueMs: number | undefined;
    do {
      seen = enqueued;
      dueMs = await store.nextDueMs();
    } while (seen !== enqueued);
    const nowMs = clock.nowMs();
    const times: number[] = [];
    if (ports.sharedPollMs !== undefined) times.push(nowMs + ports.sharedPollMs);
    // Without room the end of an attempt looks for more, and the alarm is only a second chance.
    const hasRoom = inFlight.size < MAX_IN_FLIGHT;
    if (dueMs !== undefined) times.push(hasRoom ? dueMs : Math.max(dueMs, nowMs + leaseMs));
    ports.alarm.set(times.length === 0 ? undefined : Math.min(...times));
  }

  /** Runs a step with the store; one that it refuses is done again after a pause. */
  async function orLater(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (err) {
      logger.error({ err }, 'the outbox store refused');
      ports.alarm.set(clock.nowMs() + STORE_PAUSE_MS);
    }
  }

  async function refill(): Promise<void> {
    do {
      fillAgain = false;
      await orLater(async () => {
        await claimDue();
        await setAlarm();
      });
    } while (fillAgain);
    filling = undefined;
  }

  /** Begins what is due and has room, then sets the alarm; one round at a time. */
  function fill(): Promise<void> {
    fillAgain = true;
    filling ??= refill();
    return filling;
  }

  async function wake(): Promise<void> {
    await fill();
    await Promise.all([...inFlight.values()].map(({ over }) => over));
  }

  async function isBusy(): Promise<boolean> {
    if (ports.sharedPollMs !== undefined) return filling !== undefined || inFlight.size > 0;
    return (await store.nextDueMs()) !== undefined;
  }

  return {
    async enqueue(callback) {
      const nowMs = clock.nowMs();
      // Before anything is waited for: a host may do this inside a transaction of its own.
      const isNew = await store.add(newDelivery(callback, nowMs));
      if (!isNew) return;
      enqueued += 1;
      ports.alarm.set(nowMs);
    },
    async view(id) {
      const state = await store.get(id);
      if (state === undefined) return undefined;
      const { status, attempts, lastStatus } = state;
      return { status, attempts, ...(lastStatus === undefined ? {} : { lastStatus }) };
    },
    wake,
    rearm: () => orLater(setAlarm),
    async flush(withinMs) {
      const untilMs = clock.nowMs() + withinMs;
      const over = new Promise<void>((resolve) => setTimeout(resolve, withinMs));
      await orLater(async () => {
        while ((await isBusy()) && clock.nowMs() < untilMs) {
          const pause = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_PAUSE_MS));
          await Promise.race([Promise.all([wake(), pause]), over]);
        }
      });
    },
    forget: (id) => store.drop(id),
  };
}
