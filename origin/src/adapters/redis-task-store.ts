/** Tasks in Redis, shared by every instance of a cluster. */

import { randomBytes } from 'node:crypto';
import type { EventPosition, StreamEvent } from '@headwater/shared/stream/event';
import type { Logger } from '@headwater/shared/stream/ports';
import type { TaskStore } from '@headwater/shared/tasks/ports';
import type { BatchRecord, TaskRecord } from '@headwater/shared/tasks/task';
import type { Redis } from 'ioredis';
import { redisFault } from './redis-connection.ts';
import { createTurnBatch } from './redis-task-batch.ts';
import { CLAIM } from './redis-task-claim.ts';
import {
  decodeCounts,
  decodeOutcome,
  decodeRecord,
  decodeRecords,
  encodeChange,
  encodeSubmission,
  lengthOf,
} from './redis-task-codec.ts';
import { nodeChannel, TASK_PREFIX, taskChannel } from './redis-task-keys.ts';
import { createRedisTaskNews } from './redis-task-news.ts';
import * as lua from './redis-task-scripts.ts';

/** What the store is made of. */
export interface RedisTaskStoreOptions {
  /** For commands. The store opens one more, to listen. */
  readonly redis: Redis;
  /**
   * How long a task that is over is kept, in ms. It leaves Redis a day later also where nobody
   * forgets it.
   */
  readonly retentionMs: number;
  readonly logger: Logger;
  /** What every key begins with. Default {@link TASK_PREFIX}. */
  readonly prefix?: string;
}

/** The store, and what ends it; `redis` stays open. */
export interface RedisTaskStore extends TaskStore {
  close(): void;
}

/** How much longer than its retention a task is kept where nobody forgets it, in ms. */
const SPARE_MS = 24 * 60 * 60 * 1000;

/** Most characters of one script call: Redis serves nobody else while it runs. */
const MAX_CALL_LENGTH = 512 * 1024;

/** Most tasks whose records one call reads. */
const MAX_READ = 1_000;

/** A script, bound to its prefix. */
type Run = (...args: readonly (string | number)[]) => Promise<unknown>;

/**
 * Opens the store. It is as durable as Redis is: with `appendonly yes` what was acknowledged outlives
 * a crash of Redis, and `appendfsync everysec` may cost a power cut's last second. Its scripts touch
 * keys of many tasks: one Redis, with replicas or Sentinel, not a sharded Redis Cluster.
 *
 * What is submitted and committed within one turn of the event loop is one call. Redis that does
 * not answer is `unavailable`.
 */
export function createRedisTaskStore(options: RedisTaskStoreOptions): RedisTaskStore {
  const { redis, retentionMs, logger, prefix = TASK_PREFIX } = options;
  const ttlMs = retentionMs + SPARE_MS;
  const news = createRedisTaskNews(redis, logger);
  /** Names changes, so that one that is sent again is known, and an equal one of others is not it. */
  const maker = `${randomBytes(9).toString('base64url')}.`;
  let changes = 0;

  const submit = define('hwTaskSubmit', lua.SUBMIT);
  const claim = define('hwTaskClaim', CLAIM);
  const commit = define('hwTaskCommit', lua.COMMIT);
  const records = define('hwTaskRecords', lua.RECORDS);
  const read = define('hwTaskRead', lua.READ);
  const head = define('hwTaskHead', lua.HEAD);
  const beat = define('hwTaskBeat', lua.BEAT);
  const abilities = define('hwTaskAbilities', lua.ABILITIES);
  const leave = define('hwTaskLeave', lua.LEAVE);
  const lost = define('hwTaskLost', lua.LOST);
  const counts = define('hwTaskCounts', lua.COUNTS);
  const owing = define('hwTaskOwing', lua.OWING);
  const forget = define('hwTaskForget', lua.FORGET);

  function define(name: string, script: string): Run {
    redis.defineCommand(name, { numberOfKeys: 1, lua: script });
    const methods = redis as unknown as Readonly<Record<string, Run>>;
    return (...args) => {
      const run = methods[name];
      if (run === undefined) throw new Error(`the script ${name} is not defined`);
      return answered(run.call(redis, prefix, ...args));
    };
  }

  const send = (run: Run) => (items: readonly (readonly string[])[]) =>
    run(ttlMs, ...items.flat()) as Promise<readonly (string | number)[]>;
  const submitOne = createTurnBatch(send(submit), lengthOf, MAX_CALL_LENGTH);
  const commitOne = createTurnBatch(send(commit), lengthOf, MAX_CALL_LENGTH);

  async function readRecords(ids: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    if (ids.length === 0) return [];
    const found = (await records(...ids)) as readonly ([string, string | null] | null)[];
    return found.map((record) => (record === null ? undefined : decodeRecord(...record)));
  }

  return {
    async submit(submission) {
      if (submission.tasks.length === 0 && submission.batch === undefined) return { type: 'kept' };
      return decodeOutcome(String(await submitOne(encodeSubmission(submission))));
    },
    get: async (id) => (await readRecords([id]))[0],
    async getMany(ids) {
      if (ids.length <= MAX_READ) return readRecords(ids);
      const found: (TaskRecord | undefined)[] = [];
      for (let at = 0; at < ids.length; at += MAX_READ) {
        found.push(...(await readRecords(ids.slice(at, at + MAX_READ))));
      }
      return found;
    },
    async getBatch(id) {
      const json = await answered(redis.hget(`${prefix}batch:${id}`, 'json'));
      return json === null ? undefined : (JSON.parse(json) as BatchRecord);
    },
    claim: async (type, node, limit, nowMs) => decodeRecords(await claim(type, node, limit, nowMs)),
    async commit(some, by = '') {
      const made = await Promise.all(
        some.map((change) => {
          changes += 1;
          return commitOne(encodeChange(change, by, `${maker}${changes}`));
        }),
      );
      return made.map((word) => word === 1);
    },
    async checkpointOf(id) {
      return (await answered(redis.hget(`${prefix}task:${id}`, 'checkpoint'))) ?? undefined;
    },

    async beat(node, untilMs, types = []) {
      await beat(node, untilMs, JSON.stringify(types));
    },
    async liveTypes(nowMs) {
      const all = (await abilities(nowMs)) as readonly string[];
      return [...new Set(all.flatMap((json) => JSON.parse(json) as string[]))];
    },
    async leave(node) {
      await leave(node);
    },
    nodes: (nowMs) => answered(redis.zrangebyscore(`${prefix}nodes`, nowMs, '+inf')),
    lost: async (nowMs, limit) => decodeRecords(await lost(nowMs, limit)),
    listen: (node, taken) => news.hear(nodeChannel(prefix, node), taken),
    held: (node) => answered(redis.smembers(`${prefix}held:${node}`)),

    async read(id, after, limit) {
      const events = (await read(id, after.epoch, after.seq, limit)) as readonly string[];
      return events.map((json) => JSON.parse(json) as StreamEvent);
    },
    async head(id): Promise<EventPosition> {
      const [epoch, seq] = ((await head(id)) as (string | null)[]).map(Number);
      // As of a log that nothing was written to.
      if (epoch === undefined || !seq) return { epoch: 0, seq: 0 };
      return { epoch, seq };
    },
    watch: (id, hint) => news.hear(taskChannel(prefix, id), () => hint()),

    counts: async (nowMs) => decodeCounts(await counts(nowMs)),
    async nextDueMs(type) {
      const [, dueMs] = await answered(
        redis.zrange(`${prefix}delayed:${type}`, '0', '0', 'WITHSCORES'),
      );
      return dueMs === undefined ? undefined : Number(dueMs);
    },
    owing: async (limit) => decodeRecords(await owing(limit)),
    forget: async (beforeMs, limit) => decodeRecords(await forget(beforeMs, limit)),
    close: () => news.close(),
  };
}

async function answered<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (thrown) {
    throw redisFault(thrown);
  }
}
