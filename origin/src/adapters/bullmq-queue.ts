/** Tasks and hands brought together by BullMQ, for every instance of a cluster. */

import type { Logger } from '@headwater/shared/stream/ports';
import type { TaskQueue, WorkOptions } from '@headwater/shared/tasks/ports';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { BULLMQ_PREFIX, createHands, type Hands, queueName } from './bullmq-hands.ts';
import { createSlots, type Slots } from './bullmq-slots.ts';
import { MAX_CALLS, type TicketData } from './bullmq-ticket.ts';
import { redisFault, tellOutages } from './redis-connection.ts';
import { type Ask, createTurnBatch } from './redis-task-batch.ts';

/** What the queue is made of. */
export interface BullmqQueueOptions {
  /** The connection that others of it are made of. */
  readonly redis: Redis;
  /** Types that {@link BullmqQueue.queues} has from the start. */
  readonly types: readonly string[];
  readonly logger: Logger;
}

/** The queue, and what a board shows of it. */
export interface BullmqQueue extends TaskQueue {
  /** One for each type. */
  queues(): readonly Queue[];
}

/** Tickets that one call adds. */
const ADDED_AT_ONCE = 500;

/**
 * Tickets that wait, of one type, with which every hand has enough to do: calls beyond are put
 * together, up to {@link MAX_CALLS} a ticket. One ticket costs Redis as much as a whole task.
 */
const ENOUGH = 256;

/** Where enough tickets wait, offers gather for so long, in ms: nobody waits for them. */
const GATHER_MS = 25;

/** Calls that one `ensure` adds at most: what is missing then, the next one adds. */
const ENSURED_AT_ONCE = 10_000;

/** How long it is known how many tickets wait, in ms. */
const KNOWN_MS = 250;

/** Events of a queue that BullMQ keeps. */
const KEPT_EVENTS = 1_000;

/** How many tickets wait, as far as it is known. */
interface Depth {
  waiting: number;
  /** Tickets that were added here, ever. */
  added: number;
  readonly atMs: number;
}

/** Longest wait for an answer where the connection names none, in ms. */
const ANSWER_MS = 15_000;

/** Time that tickets, and connections, have to be let go of in order, in ms. */
const LET_GO_MS = 1_000;

/**
 * Makes it. There is one BullMQ queue for each type, and one job in it, a ticket, for each offer. A
 * ticket names no task: which one is run with it the store decides.
 *
 * Redis that does not answer is `unavailable`; work goes on by itself when it is back.
 */
export function createBullmqQueue(options: BullmqQueueOptions): BullmqQueue {
  const { logger } = options;
  let stopping: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  const connection = connect(options.redis.duplicate());
  let workConnection: Redis | undefined;
  const answerMs = options.redis.options.commandTimeout ?? ANSWER_MS;
  const queues = new Map<string, Queue>();
  const offers = new Map<string, Ask<number, boolean>>();
  const depths = new Map<string, Depth>();
  let slots: Slots | undefined;
  let hands: readonly Hands[] = [];

  /** BullMQ waits without end for a Redis that it has never seen. */
  async function answered<T>(reply: Promise<T>): Promise<T> {
    try {
      if (await within(reply, answerMs)) return await reply;
    } catch (thrown) {
      throw redisFault(thrown);
    }
    throw redisFault(new Error(`no answer within ${answerMs} ms`));
  }

  function connect(made: Redis): Redis {
    tellOutages(made, (err) => {
      if (closing === undefined) logger.warn({ err }, 'the task queue has lost Redis');
    });
    return made;
  }

  /** Each outage is told by the connection: what BullMQ says of it besides is not. */
  const failed = (err: unknown) => {
    if (stopping === undefined && connection.status === 'ready') {
      logger.warn({ err }, 'BullMQ refused');
    }
  };

  function queueOf(type: string): Queue {
    let queue = queues.get(type);
    if (queue === undefined) {
      queue = new Queue(queueName(type), {
        connection,
        prefix: BULLMQ_PREFIX,
        streams: { events: { maxLen: KEPT_EVENTS } },
      });
      queue.on('error', failed);
      queues.set(type, queue);
    }
    return queue;
  }

  /** Tickets that wait now. */
  async function look(type: string): Promise<number> {
    const before = depths.get(type)?.added ?? 0;
    const counts = await answered(queueOf(type).getJobCounts('wait', 'prioritized'));
    const seen = Object.values(counts).reduce((sum, own) => sum + own, 0);
    const added = depths.get(type)?.added ?? 0;
    // What was added meanwhile may be seen or not: some too many do no harm.
    const waiting = seen + added - before;
    depths.set(type, { waiting, added, atMs: Date.now() });
    return waiting;
  }

  /** What was seen last, and added since. */
  function depthOf(type: string): number {
    const depth = depths.get(type);
    if (depth === undefined || Date.now() - depth.atMs > KNOWN_MS) {
      depths.set(type, {
        waiting: depth?.waiting ?? 0,
        added: depth?.added ?? 0,
        atMs: Date.now(),
      });
      // A wrong number costs some tickets more, or puts some calls together that need not be.
      look(type).catch(failed);
    }
    return depths.get(type)?.waiting ?? 0;
  }

  async function add(type: string, calls: number, waiting: number, delay = 0): Promise<void> {
    const queue = queueOf(type);
    const opts = delay > 0 ? { delay } : {};
    const ticketOf = (data: TicketData) => ({ name: type, data, opts });
    const single = Math.min(calls, Math.max(0, ENOUGH - waiting));
    const tickets = Array.from({ length: single }, () => ticketOf({}));
    for (let left = calls - single; left > 0; left -= MAX_CALLS) {
      tickets.push(ticketOf(left === 1 ? {} : { calls: Math.min(left, MAX_CALLS) }));
    }
    const depth = depths.get(type);
    if (depth !== undefined && delay === 0) {
      depth.waiting += tickets.length;
      depth.added += tickets.length;
    }
    for (let at = 0; at < tickets.length; at += ADDED_AT_ONCE) {
      await answered(queue.addBulk(tickets.slice(at, at + ADDED_AT_ONCE)));
    }
  }

  /** Offers of one turn of the event loop are added together, or of some turns where many wait. */
  function offerNow(type: string, count: number): Promise<boolean> {
    let ask = offers.get(type);
    if (ask === undefined) {
      const addAll = async (counts: readonly number[]) => {
        const calls = counts.reduce((sum, own) => sum + own, 0);
        await add(type, calls, depthOf(type));
        return counts.map(() => true);
      };
      const later = (flush: () => void): void => {
        if (depthOf(type) < ENOUGH) setImmediate(flush);
        else setTimeout(flush, GATHER_MS);
      };
      ask = createTurnBatch(addAll, (own) => own, ENSURED_AT_ONCE, later);
      offers.set(type, ask);
    }
    return ask(count);
  }

  for (const type of options.types) queueOf(type);

  async function stop(): Promise<void> {
    for (const some of hands) some.stop();
    slots?.close();
    await calls.settled();
    await within(Promise.all(hands.map(({ ended }) => ended)), LET_GO_MS);
  }

  const calls = createCallCount();

  async function close(): Promise<void> {
    for (const some of hands) some.stop();
    await within(letGo(), LET_GO_MS);
    connection.disconnect();
    workConnection?.disconnect();
  }

  async function letGo(): Promise<void> {
    await Promise.allSettled(hands.map((some) => some.close()));
    await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
  }

  return {
    async offer(type, count, atMs) {
      if (count <= 0) return;
      const delay = atMs === undefined ? 0 : atMs - Date.now();
      if (delay > 0) await add(type, count, 0, delay);
      else await offerNow(type, count);
    },
    async ensure(type, count) {
      if (count <= 0) return;
      const waiting = await look(type);
      if (waiting >= ENOUGH) return;
      await add(type, Math.min(count - waiting, ENSURED_AT_ONCE), waiting);
    },
    work(work: WorkOptions) {
      if (stopping !== undefined) return;
      const shared = createSlots(work.concurrency);
      slots = shared;
      // Whoever waits for work waits for Redis too, for as long as it takes.
      const forHands = connect(options.redis.duplicate({ commandTimeout: undefined }));
      workConnection = forHands;
      const run = calls.count(work.run);
      hands = work.types.map((type) =>
        createHands({ type, connection: forHands, slots: shared, run, failed }),
      );
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    close() {
      stopping ??= stop();
      closing ??= close();
      return closing;
    },
    queues: () => [...queues.values()],
  };
}

/** Knows when no call is under way. */
function createCallCount() {
  const whenNone = new Set<() => void>();
  let running = 0;
  return {
    count:
      (run: WorkOptions['run']): WorkOptions['run'] =>
      async (type, free) => {
        running += 1;
        try {
          return await run(type, free);
        } finally {
          running -= 1;
          if (running === 0) for (const tell of whenNone) tell();
        }
      },
    settled: () =>
      running === 0
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            whenNone.add(resolve);
          }),
  };
}

/** Waits no longer than that: Redis may be away. True where the work was done by then. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
