/**
 * The Lua scripts of the Redis task store; each runs as one step. A connection that broke sends again
 * what was not answered: each script knows what it has done already, and answers as the first time.
 */

import { DROP_CHECKPOINT } from './redis-task-codec.ts';
import { TASK_LUA } from './redis-task-keys.ts';

/** Fields and values that one call sets: Lua's stack has room for some thousands. */
const FIELDS_AT_ONCE = 1_000;

/**
 * ARGV: spare life of what is over in ms; then for each submission: id of the answer, owner, most
 * of the owner, most of all, batch id or '', its JSON, its time, idempotency key or '', fingerprint,
 * number of tasks; and for each task: id, type, rank, later time or '', spec, state. Answers one
 * word for each submission.
 */
export const SUBMIT = `${TASK_LUA}
local ttl = ARGV[1]
local at = 1
local function read() at = at + 1; return ARGV[at] end

local function standing(answer, batch, first, key, fingerprint)
  local used = key and call('HMGET', key, 'fingerprint', 'answer')
  if used and used[1] then
    if used[1] ~= fingerprint then return 'mismatch' end
    if used[2] ~= answer then return 'again ' .. used[2] end
    return 'kept'
  end
  local mark = batch ~= '' and batchKey(batch) or first and taskKey(first)
  return mark and call('EXISTS', mark) == 1 and 'kept'
end

local stored = {}
local function queuedOf(name, field)
  local key = prefix .. name
  local mark = name .. field
  stored[mark] = stored[mark] or tonumber(call('HGET', key, field) or '0')
  return stored[mark] + summed(key, field)
end

local function submit()
  local answer, owner, mostOwner, mostAll = read(), read(), tonumber(read()), tonumber(read())
  local batch, batchJson, batchMs, key, fingerprint = read(), read(), read(), read(), read()
  local count = tonumber(read())
  local first = at
  at = at + 6 * count
  if key ~= '' then key = prefix .. 'key:' .. #owner .. ':' .. owner .. ':' .. key else key = false end
  local word = standing(answer, batch, ARGV[first + 1], key, fingerprint)
  if word then return word end
  if count > 0 then
    if queuedOf('queued', owner) + count > mostOwner then return 'owner' end
    if queuedOf('all', 'queued') + count > mostAll then return 'all' end
  end
  if batch ~= '' then
    call('HSET', batchKey(batch), 'json', batchJson, 'left', count, 'k', key or '')
    if count == 0 then
      call('ZADD', prefix .. 'refusals', batchMs, batch)
      call('PEXPIRE', batchKey(batch), ttl)
    end
  end
  if key then
    call('HSET', key, 'fingerprint', fingerprint, 'answer', answer)
    if count == 0 then call('PEXPIRE', key, ttl) end
  end
  local isBatch = batch ~= ''
  for task = 0, count - 1 do
    local base = first + 6 * task
    local id, type, rank, laterMs = ARGV[base + 1], ARGV[base + 2], ARGV[base + 3], ARGV[base + 4]
    call('HSET', taskKey(id), 'spec', ARGV[base + 5], 'state', ARGV[base + 6], 'v', 1,
      'o', owner, 'r', rank, 'n', '', 'e', 1, 'q', 0, 'b', batch, 'k', not isBatch and key or '')
    if not stored['type ' .. type] then
      stored['type ' .. type] = call('SADD', prefix .. 'types', type)
    end
    countQueued(type, owner, 1)
    wait(type, owner, rank, id, laterMs)
  end
  return 'kept'
end

local words = {}
while at < #ARGV do words[#words + 1] = submit() end
writeSums()
return words
`;

/** ARGV: type, node, limit, now. Answers specs and states in turn. */
export const CLAIM = `${TASK_LUA}
local type, node, limit, nowMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
promote(type, nowMs)
local callers = typed('callers', type)
local records, claimed, turn = {}, 0, nil
while claimed < limit do
  local head = call('ZPOPMIN', callers)
  local owner = head[1]
  if not owner then break end
  local id = call('ZPOPMIN', lineKey(type, owner))[1]
  -- An owner whose line has run empty goes when it is its turn.
  if id then
    turn = head[2]
    local after = turn
    if putRecord(records, id) then
      -- One that was put back has had its turn.
      if call('HSET', taskKey(id), 'n', node, 'p', 1) == 1 then after = tonumber(turn) + 1 end
      call('SADD', heldKey(node), id)
      countQueued(type, owner, -1)
      claimed = claimed + 1
    end
    call('ZADD', callers, after, owner)
  end
end
if claimed > 0 then
  call('SET', typed('turn', type), turn)
  sum(typed('counts', type), 'running', claimed)
  writeSums()
  -- A node that nobody knows can hold nothing: what it has is lost at once.
  call('ZADD', prefix .. 'nodes', 'NX', '-inf', node)
end
return records
`;

/**
 * ARGV: spare life of what is over in ms; then for each change: name of the change, who asks, id,
 * type, owner, rank, batch or '', version before, whether it was over before, status, state, version,
 * epoch, node, later time or '', end, whether a callback is owed, checkpoint, '-' to drop it or '' to leave
 * it, number of events, and these.
 * Answers 1 for each that was made.
 */
export const COMMIT = `${TASK_LUA}
local ttl = ARGV[1]
local at = 1
local function read() at = at + 1; return ARGV[at] end

local function expire(id, batch, key)
  call('PEXPIRE', taskKey(id), ttl)
  if key ~= '' then call('PEXPIRE', key, ttl) end
  if batch == '' then return end
  call('PEXPIRE', batchKey(batch), ttl)
  local batchUse = call('HGET', batchKey(batch), 'k')
  if batchUse and batchUse ~= '' then call('PEXPIRE', batchUse, ttl) end
end

local function keep(key, first, count, fields, seq)
  for event = 1, count do
    fields[#fields + 1] = seq + event
    fields[#fields + 1] = ARGV[first + event]
    if #fields > ${FIELDS_AT_ONCE} then
      call('HSET', key, unpack(fields))
      fields = {}
    end
  end
  if #fields > 0 then call('HSET', key, unpack(fields)) end
end

local function commit()
  local change, by, id, type, owner, rank, batch = read(), read(), read(), read(), read(), read(), read()
  local before, wasOver = read(), read()
  local status, state, version, epoch, node = read(), read(), read(), read(), read()
  local laterMs, endMs, owed, checkpoint = read(), read(), read(), read()
  local count = tonumber(read())
  local first = at
  at = at + count
  local key = taskKey(id)
  local was, last, holder, shown, seq, use = unpack(call('HMGET', key, 'v', 'c', 'n', 'e', 'q', 'k'))
  if was ~= before then return was == version and last == change and 1 or 0 end

  local counts = typed('counts', type)
  local stays = status == 'running' and node or ''
  if wasOver == '0' then
    if holder ~= '' then
      if holder ~= stays then
        call('SREM', heldKey(holder), id)
        sum(counts, 'running', -1)
      end
    else
      leave(type, owner, id)
      countQueued(type, owner, -1)
    end
    if stays ~= '' and holder ~= stays then
      call('SADD', heldKey(stays), id)
      sum(counts, 'running', 1)
      call('ZADD', prefix .. 'nodes', 'NX', '-inf', stays)
    elseif status == 'queued' then
      countQueued(type, owner, 1)
      wait(type, owner, rank, id, laterMs)
    elseif status ~= 'running' then
      sum(counts, status, 1)
      call('ZADD', prefix .. 'over', endMs, id)
    end
  end
  if tonumber(epoch) > tonumber(shown) then
    for event = 1, seq do call('HDEL', key, event) end
    seq = 0
  end
  local fields = { 'state', state, 'v', version, 'c', change, 'n', stays, 'e', epoch, 'q', seq + count }
  if checkpoint == '${DROP_CHECKPOINT}' then
    call('HDEL', key, 'checkpoint')
  elseif checkpoint ~= '' then
    fields[#fields + 1] = 'checkpoint'
    fields[#fields + 1] = checkpoint
  end
  keep(key, first, count, fields, seq)
  if endMs ~= '' then
    if owed == '1' then
      call('ZADD', prefix .. 'owing', endMs, id)
    elseif wasOver == '1' then
      call('ZREM', prefix .. 'owing', id)
    end
    expire(id, batch, use)
  end
  call('PUBLISH', prefix .. 'news:' .. id, version)
  if holder ~= '' and holder ~= stays and holder ~= by then
    call('PUBLISH', prefix .. 'taken:' .. holder, id)
  end
  return 1
end

local made = {}
while at < #ARGV do made[#made + 1] = commit() end
writeSums()
return made
`;

/** ARGV: ids. Answers `{spec, state}`, or nothing, for each. */
export const RECORDS = `${TASK_LUA}
local records = {}
for at, id in ipairs(ARGV) do
  local record = call('HMGET', taskKey(id), 'spec', 'state')
  records[at] = record[1] and record or false
end
return records
`;

/** ARGV: id, epoch, number after which to begin, most events. */
export const READ = `${TASK_LUA}
local key = taskKey(ARGV[1])
local epoch, last = unpack(call('HMGET', key, 'e', 'q'))
if epoch ~= ARGV[2] then return {} end
local events = {}
last = math.min(tonumber(last), ARGV[3] + ARGV[4])
for seq = ARGV[3] + 1, last do events[#events + 1] = call('HGET', key, seq) end
return events
`;

/** ARGV: id. Answers the epoch and the number of events. */
export const HEAD = `${TASK_LUA}
return call('HMGET', taskKey(ARGV[1]), 'e', 'q')
`;

/** ARGV: node, end of its life, its types as JSON. */
export const BEAT = `${TASK_LUA}
call('ZADD', prefix .. 'nodes', ARGV[2], ARGV[1])
return call('HSET', prefix .. 'abilities', ARGV[1], ARGV[3])
`;

/** ARGV: now. Answers the types of each node that lives, as JSON. */
export const ABILITIES = `${TASK_LUA}
local nodes = call('ZRANGEBYSCORE', prefix .. 'nodes', ARGV[1], '+inf')
local all = {}
for at, node in ipairs(nodes) do all[at] = call('HGET', prefix .. 'abilities', node) or '[]' end
return all
`;

/** ARGV: node. */
export const LEAVE = `${TASK_LUA}
local node = ARGV[1]
call('HDEL', prefix .. 'abilities', node)
if call('EXISTS', heldKey(node)) == 1 then
  return call('ZADD', prefix .. 'nodes', '-inf', node)
end
return call('ZREM', prefix .. 'nodes', node)
`;

/** ARGV: now, limit. Answers specs and states in turn. */
export const LOST = `${TASK_LUA}
local nowMs, limit = ARGV[1], tonumber(ARGV[2])
local records = {}
for _, node in ipairs(call('ZRANGEBYSCORE', prefix .. 'nodes', '-inf', '(' .. nowMs)) do
  local held = heldKey(node)
  -- Several keepers pick at random, so that they seldom want the same ones.
  for _, id in ipairs(call('SRANDMEMBER', held, limit - #records / 2)) do
    if not putRecord(records, id) then call('SREM', held, id) end
  end
  if call('EXISTS', held) == 0 then
    call('ZREM', prefix .. 'nodes', node)
    call('HDEL', prefix .. 'abilities', node)
  end
  if #records >= 2 * limit then break end
end
return records
`;

/** ARGV: now. Answers for each type: its name, due and delayed ones, running ones, and the four ends. */
export const COUNTS = `${TASK_LUA}
local all = {}
for _, type in ipairs(call('SMEMBERS', prefix .. 'types')) do
  local counts = call('HMGET', typed('counts', type),
    'queued', 'running', 'succeeded', 'failed', 'canceled', 'timed_out')
  for at = 1, 6 do counts[at] = tonumber(counts[at] or '0') end
  local delayed = call('ZCOUNT', typed('delayed', type), '(' .. ARGV[1], '+inf')
  all[#all + 1] = { type, counts[1] - delayed, delayed, unpack(counts, 2) }
end
return all
`;

/** ARGV: limit. Answers specs and states in turn. */
export const OWING = `${TASK_LUA}
local records = {}
for _, id in ipairs(call('ZRANGE', prefix .. 'owing', 0, ARGV[1] - 1)) do
  if not putRecord(records, id) then call('ZREM', prefix .. 'owing', id) end
end
return records
`;

/** ARGV: time before which it was over, limit. Answers specs and states in turn. */
export const FORGET = `${TASK_LUA}
local before, limit = '(' .. ARGV[1], ARGV[2]
local records = {}

local function dropBatch(batch)
  local use = call('HGET', batchKey(batch), 'k')
  if use and use ~= '' then call('DEL', use) end
  call('DEL', batchKey(batch))
end

for _, id in ipairs(call('ZRANGEBYSCORE', prefix .. 'over', '-inf', before, 'LIMIT', 0, limit)) do
  if putRecord(records, id) then
    local batch, use = unpack(call('HMGET', taskKey(id), 'b', 'k'))
    if use ~= '' then call('DEL', use) end
    if batch ~= '' and call('EXISTS', batchKey(batch)) == 1
      and call('HINCRBY', batchKey(batch), 'left', -1) <= 0 then dropBatch(batch) end
  end
  call('DEL', taskKey(id))
  call('ZREM', prefix .. 'over', id)
  call('ZREM', prefix .. 'owing', id)
end
local refusals = call('ZRANGEBYSCORE', prefix .. 'refusals', '-inf', before, 'LIMIT', 0, limit)
for _, batch in ipairs(refusals) do
  dropBatch(batch)
  call('ZREM', prefix .. 'refusals', batch)
end
return records
`;
