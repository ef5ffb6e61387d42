/** The ledger of a cluster, in Redis: one script a decision. */

import type {
  Admission,
  SubjectLedger,
  SubjectLimits,
} from '@headwater/shared/gateway/subject-ledger';
import { CLAIM_MS, LIVE_RETRY_SECONDS } from '@headwater/shared/gateway/subject-ledger';
import { RATE_WINDOW_MS } from '@headwater/shared/security/rate-bucket';
import type { Redis } from 'ioredis';
import { redisFault } from './redis-connection.ts';

/**
 * KEYS: rate (list of times), live (sorted set of streams by their end), claim (hash). ARGV: now in
 * ms ('' for the server's), stream id, URL, fingerprint ('' where no key was sent), live time in ms,
 * limit a minute, limit of live ones, window in ms, claim time in ms.
 */
const ADMIT = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local stream, url, fingerprint = ARGV[2], ARGV[3], ARGV[4]
local live_ms, per_minute, max_live = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local window, claim_ms = tonumber(ARGV[8]), tonumber(ARGV[9])
local rate, live, claim = KEYS[1], KEYS[2], KEYS[3]

if fingerprint ~= '' then
  local known = redis.call('HMGET', claim, 'fingerprint', 'stream', 'url', 'confirmed', 'expires')
  if known[1] and tonumber(known[5]) > now then
    if known[1] ~= fingerprint then return {'conflict'} end
    if known[2] == stream then return {'admitted'} end
    return {'again', known[2], known[3], known[4]}
  end
end
if redis.call('ZSCORE', live, stream) then return {'admitted'} end

if redis.call('ZCARD', live) >= max_live then
  redis.call('ZREMRANGEBYSCORE', live, '-inf', now)
  if redis.call('ZCARD', live) >= max_live then return {'live'} end
end

local at = now
local newest = tonumber(redis.call('LINDEX', rate, -1) or now)
if newest > at then at = newest end
local oldest = tonumber(redis.call('LINDEX', rate, 0))
while oldest and oldest + window <= at do
  redis.call('LPOP', rate)
  oldest = tonumber(redis.call('LINDEX', rate, 0))
end
if redis.call('LLEN', rate) >= per_minute then
  local blocking = tonumber(redis.call('LINDEX', rate, -per_minute))
  return {'rate', tostring(blocking + window - now)}
end
redis.call('RPUSH', rate, string.format('%.0f', at))
redis.call('PEXPIRE', rate, at - now + window)

redis.call('ZADD', live, now + live_ms, stream)
if redis.call('PTTL', live) < live_ms then redis.call('PEXPIRE', live, live_ms) end
if fingerprint ~= '' then
  local kept_ms = math.min(live_ms, claim_ms)
  redis.call('HSET', claim, 'fingerprint', fingerprint, 'stream', stream, 'url', url,
    'confirmed', '0', 'claimed', string.format('%.0f', now),
    'expires', string.format('%.0f', now + kept_ms))
  redis.call('PEXPIRE', claim, kept_ms)
end
return {'admitted'}
`;

/** KEYS: claim. ARGV: claim time in ms. The key itself may live a little longer than the claim. */
const CONFIRM = `
local claimed = redis.call('HGET', KEYS[1], 'claimed')
if not claimed or redis.call('HGET', KEYS[1], 'confirmed') == '1' then return end
redis.call('HSET', KEYS[1], 'confirmed', '1', 'expires', string.format('%.0f', claimed + ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`;

/** The scripts, as ioredis adds them to its client. */
interface Scripts {
  headwaterAdmit(...keysAndValues: (string | number)[]): Promise<string[]>;
  headwaterConfirm(claim: string, claimMs: number): Promise<null>;
}

/** How the ledger is set up. */
export interface RedisLedgerOptions extends SubjectLimits {
  /**
   * Goes by the `nowMs` of each call, for tests that own the time. Default false: the server's own
   * clock counts, and of the caller's only how long a stream may live, because with the clocks of
   * several instances the limits would be exact to their difference alone.
   */
  readonly byCallersClock?: boolean;
}

/**
 * Makes the ledger. A subject's keys share a hash tag, and each ends by itself: the rate after its
 * window, live streams after the longest of them, claims at their time.
 *
 * Errors: `unavailable` where Redis does not answer.
 */
export function createRedisSubjectLedger(redis: Redis, options: RedisLedgerOptions): SubjectLedger {
  redis.defineCommand('headwaterAdmit', { numberOfKeys: 3, lua: ADMIT });
  redis.defineCommand('headwaterConfirm', { numberOfKeys: 1, lua: CONFIRM });
  const scripts = redis as Redis & Scripts;

  return {
    admit: ({ subject, streamId, streamUrl, idempotency, liveUntilMs, nowMs }) =>
      ask(async () =>
        admissionOf(
          await scripts.headwaterAdmit(
            keyOf(subject, 'rate'),
            keyOf(subject, 'live'),
            claimKeyOf(subject, idempotency?.key ?? ''),
            options.byCallersClock === true ? nowMs : '',
            streamId,
            streamUrl,
            idempotency?.fingerprint ?? '',
            Math.max(1, liveUntilMs - nowMs),
            options.perMinute,
            options.maxLive,
            RATE_WINDOW_MS,
            CLAIM_MS,
          ),
        ),
      ),
    confirm: (subject, key) =>
      ask(async () => {
        await scripts.headwaterConfirm(claimKeyOf(subject, key), CLAIM_MS);
      }),
    release: (subject, streamId) =>
      ask(async () => {
        await redis.zrem(keyOf(subject, 'live'), streamId);
      }),
  };
}

/** Subjects are encoded: one with a brace in it would end its own hash tag. */
function keyOf(subject: string, part: string): string {
  return `hw:subject:{${Buffer.from(subject).toString('base64url')}}:${part}`;
}

const claimKeyOf = (subject: string, key: string) => keyOf(subject, `key:${key}`);

function admissionOf(answer: readonly string[]): Admission {
  const [type, first = '', streamUrl = '', confirmed] = answer;
  switch (type) {
    case 'admitted':
    case 'conflict':
      return { type };
    case 'again':
      return { type, streamId: first, streamUrl, confirmed: confirmed === '1' };
    case 'rate': {
      const retryAfterSeconds = Math.max(1, Math.ceil(Number(first) / 1000));
      return { type: 'limited', by: 'rate', retryAfterSeconds };
    }
    default:
      return { type: 'limited', by: 'live', retryAfterSeconds: LIVE_RETRY_SECONDS };
  }
}

async function ask<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw redisFault(cause);
  }
}
