/**
 * The steps that Redis takes as one. Each may come twice, because a broken connection sends again
 * what was not answered: the second time changes nothing and answers as the first.
 *
 * They touch keys of several streams and instances at once: one Redis, with replicas or Sentinel,
 * not a sharded Redis Cluster.
 */

import type { Redis } from 'ioredis';
import {
  ALIVE,
  heartbeatKey,
  INSTANCES_KEY,
  LEAVING,
  LIVE_TTL_MS,
  logKey,
  newsChannel,
  ownedKey,
  ownerKey,
  RETAINED_KEY,
  SPARE_TTL_MS,
  stateKey,
  TOMBSTONE_MS,
} from './redis-keys.ts';

/** A right to write a stream. A takeover has a higher fence than every owner before it. */
export interface Lease {
  readonly streamId: string;
  readonly instanceId: string;
  readonly fence: string;
}

/**
 * What Redis thinks of a lease: `held`; `unknown`, where Redis has lost its keys or their latest
 * state; `lost` to another owner.
 */
export type LeaseStatus = 'held' | 'unknown' | 'lost';

/** A batch as Redis keeps it. */
interface KeptBatch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly json: string;
}

/** What the scripts do; each is one step. */
export interface RedisScripts {
  /** A new stream's owner and state. `undefined` where another instance has made it already. */
  create(streamId: string, instanceId: string, stateJson: string): Promise<string | undefined>;
  /** `gap`: the log does not end where the batch begins. */
  append(lease: Lease, batch: KeptBatch): Promise<LeaseStatus | 'gap'>;
  /** With `forgetAtMs` the stream has ended: it has no owner any more, and goes after its retention. */
  save(lease: Lease, stateJson: string, ttlMs: number, forgetAtMs?: number): Promise<LeaseStatus>;
  /** Renews the lives of a stream's keys; with `rewrite`, an `unknown` lease is written again. */
  renew(lease: Lease, rewrite: boolean): Promise<LeaseStatus>;
  /**
   * Takes a stream over from an instance. Returns the new fence; `alive` where the instance is not
   * dead after all, `gone` where it does not own the stream.
   */
  claim(streamId: string, from: string, to: string): Promise<string>;
  /** A sign of life; false where the one before it had run out. */
  beat(instanceId: string, lifeMs: number): Promise<boolean>;
  /** Forgets a dead instance that owns nothing any more. */
  bury(instanceId: string): Promise<void>;
  /** Ended streams whose time is over; nobody else is given them until `untilMs`. */
  overdue(nowMs: number, untilMs: number, limit: number): Promise<string[]>;
}

/** KEYS[1] is the owner key, ARGV[1] and ARGV[2] are the instance and its fence. */
const LEASE = `
local owner = redis.call('HMGET', KEYS[1], 'instance', 'fence')
local function lease()
  if not owner[2] or tonumber(owner[2]) < tonumber(ARGV[2]) then return 'unknown' end
  if owner[1] == ARGV[1] and owner[2] == ARGV[2] then return 'held' end
  return 'lost'
end
`;

/** Fences rise with the clock, so that one that a crash of Redis has lost is never given again. */
const FENCE = `
local function fence(before)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return string.format('%.0f', math.max(now, (tonumber(before) or 0) + 1))
end
`;

const CREATE = `${FENCE}
local owner = redis.call('HMGET', KEYS[1], 'instance', 'fence')
if owner[2] then return owner[1] == ARGV[1] and owner[2] or '' end
if redis.call('EXISTS', KEYS[2]) == 1 then return '' end
local mine = fence()
redis.call('HSET', KEYS[1], 'instance', ARGV[1], 'fence', mine)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('SADD', KEYS[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return mine
`;

const APPEND = `${LEASE}
local status = lease()
if status ~= 'held' then return status end
local epoch, first, last = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local headEpoch, headSeq = 0, 0
local head = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if head then
  local e, s = string.match(head[1], '^(%d+)-(%d+)$')
  headEpoch, headSeq = tonumber(e), tonumber(s)
end
if headEpoch == epoch and headSeq >= last then return 'held' end
if epoch > headEpoch and first == 1 then
  redis.call('DEL', KEYS[2])
elseif headEpoch ~= epoch or headSeq + 1 ~= first then
  return 'gap'
end
redis.call('XADD', KEYS[2], ARGV[3] .. '-' .. ARGV[5], 'e', ARGV[6])
if first == 1 then redis.call('PEXPIRE', KEYS[2], ARGV[7]) end
redis.call('PUBLISH', ARGV[8], ARGV[3] .. '-' .. ARGV[5])
return 'held'
`;

const SAVE = `${LEASE}
local status = lease()
local ends = ARGV[5] ~= ''
if ends and owner[1] == '' and owner[2] == ARGV[2] then return 'held' end
if status ~= 'held' then return status end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
if ends then
  redis.call('PEXPIRE', KEYS[3], ARGV[4])
  redis.call('ZADD', KEYS[4], ARGV[5], ARGV[6])
  redis.call('HSET', KEYS[1], 'instance', '')
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  redis.call('SREM', KEYS[5], ARGV[6])
  redis.call('PUBLISH', ARGV[8], 'state')
end
return 'held'
`;

const RENEW = `${LEASE}
local status = lease()
if status == 'unknown' and ARGV[5] == '1' then
  redis.call('HSET', KEYS[1], 'instance', ARGV[1], 'fence', ARGV[2])
  status = 'held'
end
if status ~= 'held' then return status end
for at = 1, 3 do redis.call('PEXPIRE', KEYS[at], ARGV[4]) end
redis.call('SADD', KEYS[4], ARGV[3])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
return status
`;

const CLAIM = `${FENCE}
local beat = redis.call('GET', KEYS[4])
if ARGV[2] ~= ARGV[3] and beat and beat ~= ARGV[5] then return 'alive' end
local owner = redis.call('HMGET', KEYS[1], 'instance', 'fence')
if owner[1] ~= ARGV[2] then
  redis.call('SREM', KEYS[2], ARGV[1])
  return 'gone'
end
local mine = fence(owner[2])
redis.call('HSET', KEYS[1], 'instance', ARGV[3], 'fence', mine)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return mine
`;

const BEAT = `
local was = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return was
`;

const BURY = `
local beat = redis.call('GET', KEYS[1])
if beat and beat ~= ARGV[2] then return 0 end
if redis.call('SCARD', KEYS[3]) > 0 then return 0 end
redis.call('DEL', KEYS[1])
return redis.call('SREM', KEYS[2], ARGV[1])
`;

const OVERDUE = `
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
return ids
`;

/** Makes the scripts known to a connection. */
export function createRedisScripts(redis: Redis): RedisScripts {
  const create = define(redis, 'hwCreate', 3, CREATE);
  const append = define(redis, 'hwAppend', 2, APPEND);
  const save = define(redis, 'hwSave', 5, SAVE);
  const renew = define(redis, 'hwRenew', 4, RENEW);
  const claim = define(redis, 'hwClaim', 4, CLAIM);
  const beat = define(redis, 'hwBeat', 2, BEAT);
  const bury = define(redis, 'hwBury', 3, BURY);
  const overdue = define(redis, 'hwOverdue', 1, OVERDUE);

  return {
    async create(streamId, instanceId, stateJson) {
      const keys = [ownerKey(streamId), stateKey(streamId), ownedKey(instanceId)];
      const fence = await create(...keys, instanceId, streamId, stateJson, LIVE_TTL_MS);
      return fence === '' ? undefined : String(fence);
    },
    append({ streamId, instanceId, fence }, { epoch, firstSeq, lastSeq, json }) {
      const batch = [epoch, firstSeq, lastSeq, json];
      return append(
        ...[ownerKey(streamId), logKey(streamId), instanceId, fence],
        ...[...batch, LIVE_TTL_MS, newsChannel(streamId)],
      ) as Promise<LeaseStatus | 'gap'>;
    },
    save({ streamId, instanceId, fence }, stateJson, ttlMs, forgetAtMs) {
      const keys = [ownerKey(streamId), stateKey(streamId), logKey(streamId)];
      return save(
        ...[...keys, RETAINED_KEY, ownedKey(instanceId)],
        ...[instanceId, fence, stateJson, ttlMs, forgetAtMs ?? ''],
        ...[streamId, TOMBSTONE_MS, newsChannel(streamId)],
      ) as Promise<LeaseStatus>;
    },
    renew({ streamId, instanceId, fence }, rewrite) {
      const keys = [ownerKey(streamId), stateKey(streamId), logKey(streamId)];
      return renew(
        ...[...keys, ownedKey(instanceId)],
        ...[instanceId, fence, streamId, LIVE_TTL_MS, rewrite ? 1 : 0],
      ) as Promise<LeaseStatus>;
    },
    claim(streamId, from, to) {
      const keys = [ownerKey(streamId), ownedKey(from), ownedKey(to), heartbeatKey(from)];
      return claim(...keys, streamId, from, to, LIVE_TTL_MS, LEAVING) as Promise<string>;
    },
    async beat(instanceId, lifeMs) {
      const keys = [heartbeatKey(instanceId), INSTANCES_KEY];
      return (await beat(...keys, instanceId, lifeMs, LIVE_TTL_MS, ALIVE)) === 1;
    },
    async bury(instanceId) {
      const keys = [heartbeatKey(instanceId), INSTANCES_KEY, ownedKey(instanceId)];
      await bury(...keys, instanceId, LEAVING);
    },
    overdue: (nowMs, untilMs, limit) =>
      overdue(RETAINED_KEY, nowMs, untilMs, limit) as Promise<string[]>,
  };
}

type Run = (...args: (string | number)[]) => Promise<unknown>;

/** ioredis adds a method by the script's name, which its types cannot know. */
function define(redis: Redis, name: string, numberOfKeys: number, lua: string): Run {
  redis.defineCommand(name, { numberOfKeys, lua });
  const methods = redis as unknown as Readonly<Record<string, Run>>;
  return (...args) => {
    const run = methods[name];
    if (run === undefined) throw new Error(`the script ${name} is not defined`);
    return run.apply(redis, args);
  };
}

/** Life of an ended stream's keys, in ms. */
export const endedTtlMs = (retentionMs: number): number => retentionMs + SPARE_TTL_MS;
