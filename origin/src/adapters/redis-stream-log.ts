/** Stream logs in Redis Streams: the owner's, which writes, and everybody's, which reads. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { EventBatch, EventPosition, StreamEvent } from '@headwater/shared/stream/event';
import type { StreamLog } from '@headwater/shared/stream/ports';
import type { Redis } from 'ioredis';
import { redisFault } from './redis-connection.ts';
import { logKey } from './redis-keys.ts';
import type { Lease, LeaseStatus, RedisScripts } from './redis-scripts.ts';

/** A lease that its owner lives on. */
export interface LiveLease extends Lease {
  /** False once the owner was away for so long that the stream may be another's, or forgotten. */
  mayRewrite(): boolean;
}

/** What the owner of a log is wired to. */
export interface RedisLogPorts {
  readonly redis: Redis;
  readonly scripts: RedisScripts;
  readonly lease: LiveLease;
}

/** The owner's log. */
export interface RedisStreamLog extends StreamLog {
  /**
   * Writes again what Redis has lost of it. Throws `conflict` when the stream is another's now,
   * `unavailable` when Redis does not answer.
   */
  restore(): Promise<void>;
}

/** What every instance may do with a stream's log. */
export type LogReader = Pick<StreamLog, 'read' | 'head'>;

/** Entries of one read; each has one event at least. */
const PAGE_ENTRIES = 128;

/** Events of one write when a lost part is written again. */
const REWRITE_EVENTS = 256;

const NOWHERE: EventPosition = { epoch: 0, seq: 0 };

/** An entry of a Redis stream: its id, then its fields and values in turn. */
type Entry = readonly [id: string, fields: readonly string[]];

/** Reads a log that another instance may be writing. */
export function createRedisLogReader(redis: Redis, streamId: string): LogReader {
  const key = logKey(streamId);
  return {
    async head() {
      const [entry] = await redis.xrevrange(key, '+', '-', 'COUNT', 1).catch(throwFault);
      return entry === undefined ? NOWHERE : positionOf(entry);
    },
    async read({ epoch, seq }, limit) {
      if (epoch === 0) return [];
      const count = Math.min(limit, PAGE_ENTRIES);
      // An end without a number is the last entry of its epoch.
      const entries = await redis
        .xrange(key, `(${epoch}-${seq}`, String(epoch), 'COUNT', count)
        .catch(throwFault);
      const events: StreamEvent[] = [];
      for (const entry of entries) {
        const batch = eventsOf(entry);
        const firstSeq = positionOf(entry).seq - batch.length + 1;
        for (const event of batch.slice(Math.max(0, seq + 1 - firstSeq))) events.push(event);
        if (events.length >= limit) break;
      }
      return events.slice(0, limit);
    },
  };
}

/**
 * The log of an owner. Every append is kept by Redis, under the owner's fence, when it resolves. The
 * epoch is held in memory too: the owner's readers cost Redis nothing, and what Redis loses in a
 * crash is written again.
 *
 * `isNew` says that the stream has just been made, so that nothing needs to be looked for.
 */
export function createRedisStreamLog(ports: RedisLogPorts, isNew: boolean): RedisStreamLog {
  const { redis, scripts, lease } = ports;
  const reader = createRedisLogReader(redis, lease.streamId);
  let epoch = 0;
  let events: StreamEvent[] = [];
  let loading: Promise<void> | undefined;
  let isLoaded = isNew;
  /** Appends go one after the other, whatever a connection makes of their order. */
  let tail: Promise<void> | undefined;

  async function load(): Promise<void> {
    const head = await reader.head();
    const found: StreamEvent[] = [];
    while (found.length < head.seq) {
      const page = await reader.read({ epoch: head.epoch, seq: found.length }, head.seq);
      if (page.length === 0) throw redisFault(new Error('the log has a hole'));
      for (const event of page) found.push(event);
    }
    epoch = head.epoch;
    events = found;
    isLoaded = true;
  }

  function loaded(): Promise<void> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function append(batch: EventBatch): Promise<void> {
    if (!isLoaded) await loaded();
    const isNext = batch.epoch === epoch && batch.firstSeq === events.length + 1;
    const beginsAgain = batch.epoch > epoch && batch.firstSeq === 1;
    if (!isNext && !beginsAgain) throw takenOver();
    let status = await write(batch);
    if (status === 'unknown' || status === 'gap') {
      await restore();
      status = await write(batch);
    }
    if (status !== 'held') throw takenOver();
    if (beginsAgain) events = [];
    epoch = batch.epoch;
    for (const event of batch.events) events.push(event);
  }

  function write(batch: EventBatch): Promise<LeaseStatus | 'gap'> {
    const lastSeq = batch.firstSeq + batch.events.length - 1;
    const { epoch, firstSeq } = batch;
    const json = JSON.stringify(batch.events);
    return scripts.append(lease, { epoch, firstSeq, lastSeq, json }).catch(throwFault);
  }

  async function restore(): Promise<void> {
    await keepLease(scripts, lease);
    const head = await reader.head();
    const isAhead = head.epoch > epoch || (head.epoch === epoch && head.seq > events.length);
    if (isAhead) throw takenOver();
    for (let at = head.epoch === epoch ? head.seq : 0; at < events.length; at += REWRITE_EVENTS) {
      const batch = { epoch, firstSeq: at + 1, events: events.slice(at, at + REWRITE_EVENTS) };
      if ((await write(batch)) !== 'held') throw takenOver();
    }
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = tail === undefined ? work() : tail.then(work);
    const over = mine
      .catch(() => undefined) // The caller of `mine` hears of it.
      .then(() => {
        if (tail === over) tail = undefined;
      });
    tail = over;
    return mine;
  }

  return {
    append: (batch) => inTurn(() => append(batch)),
    restore: () => inTurn(async () => (isLoaded ? restore() : keepLease(scripts, lease))),
    read(after, limit) {
      if (!isLoaded) return loaded().then(() => readKept(after, limit));
      return readKept(after, limit);
    },
    head() {
      if (!isLoaded) return loaded().then(() => ({ epoch, seq: events.length }));
      return { epoch, seq: events.length };
    },
    // Every append is durable already; the end's own save sets how long the log is kept.
    seal: () => undefined,
    async drop() {
      await redis.del(logKey(lease.streamId)).catch(throwFault);
      epoch = 0;
      events = [];
      isLoaded = true;
    },
  };

  function readKept(after: EventPosition, limit: number): readonly StreamEvent[] {
    return after.epoch === epoch ? events.slice(after.seq, after.seq + limit) : [];
  }
}

/**
 * Makes sure that Redis knows the lease, or knows it again. Throws `conflict` where another has the
 * stream, or may have had it.
 */
export async function keepLease(scripts: RedisScripts, lease: LiveLease): Promise<void> {
  const status = await scripts.renew(lease, lease.mayRewrite()).catch(throwFault);
  if (status !== 'held') throw takenOver();
}

/** Another instance owns the stream. */
export function takenOver(): GatewayError {
  return new GatewayError('conflict', 'Another instance writes this stream.');
}

function throwFault(cause: unknown): never {
  throw redisFault(cause);
}

function positionOf([id]: Entry): EventPosition {
  const [epoch, seq] = id.split('-');
  return { epoch: Number(epoch), seq: Number(seq) };
}

function eventsOf([, fields]: Entry): readonly StreamEvent[] {
  return JSON.parse(fields[1] ?? '[]') as readonly StreamEvent[];
}
