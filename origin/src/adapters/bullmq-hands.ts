/** Takes the tickets of one type of task from BullMQ, and calls `run` for each. */

import type { WorkOptions, WorkOutcome } from '@headwater/shared/tasks/ports';
import { Job, type JobJson, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Slots } from './bullmq-slots.ts';
import { createTicket, type Ticket } from './bullmq-ticket.ts';

/** BullMQ's keys begin with it. */
export const BULLMQ_PREFIX = 'hw';

/** The queue of a type of task. */
export const queueName = (type: string): string => `tasks-${type}`;

/** Tickets that are over and stay for the board to show, of each type. */
const KEPT_COMPLETED = 200;
const KEPT_FAILED = 1_000;

/**
 * A ticket that its worker has not renewed for this long is another's, in ms. Nothing hangs on it:
 * the keeper finds the task itself by its node's beat, and offers it anew.
 */
const LOCK_MS = 30_000;

/** Time between two renewals, in ms. */
const RENEW_MS = 10_000;

/** A ticket that comes while all hands are full waits this long for one, in ms; then others get it. */
const HOLD_MS = 50;

/**
 * Longest wait for a ticket in one call, in seconds; it ends at once when one comes, but where
 * another node heard of it first. So long a free hand may miss calls that a ticket owes.
 */
const WAIT_SECONDS = 1;

/** Pause after BullMQ or Redis refused, in ms. */
const PAUSE_MS = 250;

/** What the hands are wired to. */
export interface HandsPorts {
  readonly type: string;
  /** For commands; BullMQ makes another one of it, to wait on. */
  readonly connection: Redis;
  readonly slots: Slots;
  readonly run: WorkOptions['run'];
  /** BullMQ or Redis refused; they are asked again. */
  failed(thrown: unknown): void;
}

/** The hands of one type. */
export interface Hands {
  /** Takes no more tickets, and puts back what it has not begun. Does not wait for what runs. */
  stop(): void;
  /** Resolves when everything begun is over and its tickets are settled. */
  readonly ended: Promise<void>;
  /** Lets go of the connections. */
  close(): Promise<void>;
}

/** Begins to work. */
export function createHands(ports: HandsPorts): Hands {
  const { type, slots, failed } = ports;
  const worker = new Worker(queueName(type), null, {
    connection: ports.connection,
    prefix: BULLMQ_PREFIX,
    autorun: false,
    drainDelay: WAIT_SECONDS,
    lockDuration: LOCK_MS,
    stalledInterval: LOCK_MS,
    removeOnComplete: { count: KEPT_COMPLETED },
    removeOnFail: { count: KEPT_FAILED },
  });
  worker.on('error', failed);
  /** Tickets that are not settled. */
  const tickets = new Set<Ticket>();
  const renewal = setInterval(() => void renew(), RENEW_MS);
  /** Hands at work, and calls that go on without one. */
  const serving = new Set<Promise<void>>();
  let tokens = 0;
  let isStopping = false;

  async function renew(): Promise<void> {
    const jobs = [...tickets].map(({ job }) => job);
    if (jobs.length === 0) return;
    const ids = jobs.map(({ id }) => id ?? '');
    const locks = jobs.map(({ token }) => token ?? '');
    try {
      await worker.extendJobLocks(ids, locks, LOCK_MS);
    } catch (thrown) {
      failed(thrown);
    }
  }

  async function fetch(block: boolean): Promise<Ticket | undefined> {
    tokens += 1;
    try {
      const job = await worker.getNextJob(`${worker.id}:${tokens}`, { block });
      return job && open(job);
    } catch (thrown) {
      if (isStopping) return undefined;
      failed(thrown);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      return undefined;
    }
  }

  function open(job: Job): Ticket {
    const ticket = createTicket(job);
    tickets.add(ticket);
    return ticket;
  }

  /** A ticket that owes more calls. */
  function owing(): Ticket | undefined {
    for (const ticket of tickets) if (ticket.left > 0) return ticket;
    return undefined;
  }

  /** Where nobody has a hand free here, another node may. */
  async function putBack(ticket: Ticket): Promise<void> {
    tickets.delete(ticket);
    try {
      await ticket.job.moveToWait(ticket.job.token);
    } catch (thrown) {
      // The keeper makes up for tickets that are lost.
      failed(thrown);
    }
  }

  /** Ends a ticket; gives the next one, where it is wanted and there is one. */
  async function settle(ticket: Ticket, wantsNext: boolean): Promise<Ticket | undefined> {
    const { job, failure } = ticket;
    const { token = '' } = job;
    tickets.delete(ticket);
    try {
      const next = await (failure === undefined
        ? job.moveToCompleted(ticket.result, token, wantsNext)
        : job.moveToFailed(failure, token, wantsNext));
      if (!Array.isArray(next) || !next[0]) return undefined;
      const nextJob = Job.fromJSON(worker, next[0] as JobJson, String(next[1]));
      nextJob.token = token;
      return open(nextJob);
    } catch (thrown) {
      // Another worker has the ticket by now, or Redis was away: the task is where the store has it.
      failed(thrown);
      return undefined;
    }
  }

  async function call(free: () => void): Promise<WorkOutcome | undefined> {
    try {
      return await ports.run(type, free);
    } catch (thrown) {
      // It does not reject; if it did, the hand would be free all the same.
      failed(thrown);
      return undefined;
    }
  }

  const goesOn = (): boolean => !isStopping && !slots.isWantedBeside(type);

  /** One call of a ticket; gives what the hand goes on with. */
  async function serveOne(ticket: Ticket): Promise<Ticket | undefined> {
    ticket.begin();
    const free = Promise.withResolvers<void>();
    const ended = call(free.resolve).then((outcome) => {
      ticket.end(outcome);
      free.resolve();
    });
    await free.promise;
    const more = goesOn() ? owing() : undefined;
    if (more === undefined && !ticket.isShared) return await endLast(ticket, ended);
    track(endLater(ticket, ended));
    return more;
  }

  /** Of a ticket with one call the hand waits for the end, and gets the next ticket with it. */
  async function endLast(ticket: Ticket, ended: Promise<void>): Promise<Ticket | undefined> {
    await ended;
    const next = await settle(ticket, goesOn() && owing() === undefined);
    // Another hand may have begun it meanwhile, or everybody stops.
    if (next !== undefined) return next;
    return goesOn() ? owing() : undefined;
  }

  async function endLater(ticket: Ticket, ended: Promise<void>): Promise<void> {
    await ended;
    if (ticket.isOver && tickets.has(ticket)) await settle(ticket, false);
  }

  function track(work: Promise<void>): void {
    const tracked = work.finally(() => serving.delete(tracked));
    serving.add(tracked);
  }

  async function serve(first: Ticket): Promise<void> {
    for (let ticket: Ticket | undefined = first; ticket !== undefined; ) {
      // Another hand was quicker, or will put back what is left.
      if (ticket.left === 0 || (isStopping && ticket.isBegun)) break;
      if (isStopping) {
        await putBack(ticket);
        break;
      }
      ticket = await serveOne(ticket);
    }
    slots.give();
  }

  /** A hand that is taken serves the ticket, and goes on as long as no other type waits for it. */
  function lend(ticket: Ticket): void {
    track(serve(ticket));
  }

  async function takeTickets(): Promise<void> {
    while (!isStopping && (await slots.take(type))) {
      const ticket = owing() ?? (await fetch(false));
      if (ticket !== undefined) {
        lend(ticket);
        continue;
      }
      // Whoever waits for a ticket must not keep a hand from the other types.
      slots.give();
      const awaited = await fetch(true);
      if (awaited === undefined) continue;
      if (await slots.take(type, HOLD_MS)) lend(awaited);
      else if (!awaited.isBegun) await putBack(awaited);
    }
  }

  async function work(): Promise<void> {
    await takeTickets();
    while (serving.size > 0) await Promise.all(serving);
    await Promise.all([...tickets].map(putBack));
  }

  worker.startStalledCheckTimer().catch(failed);

  return {
    stop() {
      isStopping = true;
      // Ends a wait for tickets.
      worker.getBackend().disconnectBlocking(false).catch(failed);
    },
    ended: work(),
    async close() {
      clearInterval(renewal);
      await worker.close(true);
    },
  };
}
