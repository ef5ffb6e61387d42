/**
 * The Lua scripts of the Redis outbox; each runs as one step.
 *
 * Keys, all under one prefix: `delivery:<id>`, a hash of one delivery; `due:<receiver>`, its waiting
 * deliveries by due time; `open`, receivers with room by the due time of their first one; `leases`,
 * `<receiver> <id>` by the end of the claim; `claims`, claims of each receiver; `tokens`, a counter.
 * A receiver has no blank: it is the host and port of a URL.
 */

import { CLAIMS_PER_HOST } from '@headwater/shared/callbacks/outbox-store';

const COMMON = `
local prefix = KEYS[1]
local function deliveryKey(id) return prefix .. 'delivery:' .. id end
local function dueKey(receiver) return prefix .. 'due:' .. receiver end

local function offer(receiver)
  local head = redis.call('ZRANGE', dueKey(receiver), 0, 0, 'WITHSCORES')
  local claims = tonumber(redis.call('HGET', prefix .. 'claims', receiver) or '0')
  if head[1] and claims < ${CLAIMS_PER_HOST} then
    redis.call('ZADD', prefix .. 'open', head[2], receiver)
  else
    redis.call('ZREM', prefix .. 'open', receiver)
  end
end

local function release(receiver, id)
  if redis.call('ZREM', prefix .. 'leases', receiver .. ' ' .. id) == 0 then return end
  if redis.call('HINCRBY', prefix .. 'claims', receiver, -1) <= 0 then
    redis.call('HDEL', prefix .. 'claims', receiver)
  end
end
`;

/** ARGV: id, receiver, due time, state, time to live in ms. 1 where it was new. */
export const ADD = `${COMMON}
local id, receiver, due, state, ttl = unpack(ARGV)
local key = deliveryKey(id)
if redis.call('EXISTS', key) == 1 then return 0 end
redis.call('HSET', key, 'state', state, 'status', 'pending', 'receiver', receiver, 'due', due)
redis.call('PEXPIRE', key, ttl)
redis.call('ZADD', dueKey(receiver), due, id)
offer(receiver)
return 1
`;

/** ARGV: id, token, status, due time, state. 1 where it was kept. */
export const PUT = `${COMMON}
local id, token, status, due, state = unpack(ARGV)
local key = deliveryKey(id)
local kept, receiver, holder = unpack(redis.call('HMGET', key, 'status', 'receiver', 'token'))
if kept ~= 'pending' then return 0 end
if holder ~= token and status ~= 'delivered' then return 0 end
release(receiver, id)
redis.call('HSET', key, 'state', state, 'status', status, 'due', due)
if status == 'pending' then
  redis.call('ZADD', dueKey(receiver), due, id)
else
  redis.call('ZREM', dueKey(receiver), id)
end
offer(receiver)
return 1
`;

/** ARGV: now, end of the lease, limit. */
export const CLAIM = `${COMMON}
local now, untilMs, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'leases', '-inf', now)) do
  local receiver, id = string.match(lease, '^(%S*) (.*)$')
  release(receiver, id)
  local due = redis.call('HGET', deliveryKey(id), 'due')
  if due then redis.call('ZADD', dueKey(receiver), due, id) end
  offer(receiver)
end
local claimed = {}
while #claimed < 2 * limit do
  local receiver = redis.call('ZRANGEBYSCORE', prefix .. 'open', '-inf', now, 'LIMIT', 0, 1)[1]
  if not receiver then break end
  local id = redis.call('ZPOPMIN', dueKey(receiver))[1]
  local state = id and redis.call('HGET', deliveryKey(id), 'state')
  -- A delivery that is past its time to live is gone, and its place with it.
  if state then
    local token = redis.call('INCR', prefix .. 'tokens')
    redis.call('HSET', deliveryKey(id), 'token', token)
    redis.call('ZADD', prefix .. 'leases', untilMs, receiver .. ' ' .. id)
    redis.call('HINCRBY', prefix .. 'claims', receiver, 1)
    claimed[#claimed + 1] = state
    claimed[#claimed + 1] = token
  end
  offer(receiver)
end
return claimed
`;

/** ARGV: end of the lease, then ids and tokens in turn. */
export const RENEW = `${COMMON}
for at = 2, #ARGV, 2 do
  local id, token = ARGV[at], ARGV[at + 1]
  local receiver, holder = unpack(redis.call('HMGET', deliveryKey(id), 'receiver', 'token'))
  if receiver and holder == token then
    redis.call('ZADD', prefix .. 'leases', 'XX', ARGV[1], receiver .. ' ' .. id)
  end
end
return 1
`;

/** The earliest time at which something can be claimed, or nothing. */
export const NEXT_DUE = `
local open = redis.call('ZRANGE', KEYS[1] .. 'open', 0, 0, 'WITHSCORES')[2]
local lease = redis.call('ZRANGE', KEYS[1] .. 'leases', 0, 0, 'WITHSCORES')[2]
if open and lease and tonumber(lease) < tonumber(open) then return lease end
return open or lease or false
`;

/** ARGV: id. */
export const DROP = `${COMMON}
local id = ARGV[1]
local key = deliveryKey(id)
local receiver = redis.call('HGET', key, 'receiver')
if not receiver then return 0 end
release(receiver, id)
redis.call('DEL', key)
redis.call('ZREM', dueKey(receiver), id)
offer(receiver)
return 1
`;
