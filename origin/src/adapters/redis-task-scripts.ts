/**
 * The Lua scripts of the Redis task store; each runs as one step. A connection that broke sends again
 * what was not answered: each script knows what it has done already, and answers as the first time.
 */

import { TASK_LUA } from './redis-task-keys.ts';

/** Fields and values that one call sets: Lua's stack has room for some thousands. */
const FIELDS_AT_ONCE = 1_000;

/**
 * ARGV: spare life of what is over in ms; then for each submission: what it asks for as JSON (see
 * `SubmissionHead`), the batch as JSON where it has one, and for each task its spec, and its state
 * where it has one. Answers one word for each submission.
 */
export const SUBMIT = `${TASK_LUA}
local ttl = ARGV[1]
local at = 1
local function read() at = at + 1; return ARGV[at] end

local function standing(head, key)
  local used = key and call('HMGET', key, 'fingerprint', 'answer')
  if used and used[1] then
    if used[1] ~= head.fingerprint then return 'mismatch' end
    if used[2] ~= head.answer then return 'again ' .. used[2] end
    return 'kept'
  end
  local first = head.tasks[1]
  local mark = head.batch and batchKey(head.batch) or first and taskKey(first.id)
  return mark and call('EXISTS', mark) == 1 and 'kept'
end

local stored = {}
local function queuedOf(name, field)
  local key = prefix .. name
  local mark = name .. field
  stored[mark] = stored[mark] or tonumber(call('HGET', key, field) or '0')
  return stored[mark] + summed(key, field)
end

local function keepTask(task, owner, batch, key)
  local fields = { 'spec', task.spec }
  if task.state then fields[3], fields[4] = 'state', task.state end
  if batch or key then
    fields[#fields + 1] = batch and 'b' or 'k'
    fields[#fields + 1] = batch or key
  end
  call('HSET', taskKey(task.id), unpack(fields))
  if not stored['type ' .. task.type] then
    stored['type ' .. task.type] = call('SADD', prefix .. 'types', task.type)
  end
  countQueued(task.type, owner, 1)
  wait(task.type, owner, task.rank, task.id, task.laterMs)
end

local function submit()
  local head = cjson.decode(read())
  local owner, batch, tasks = head.owner, head.batch, head.tasks
  local batchJson = batch and read()
  for _, task in ipairs(tasks) do
    task.spec = read()
    task.state = task.hasState and read()
  end
  local count = #tasks
  local key = head.key and prefix .. 'key:' .. #owner .. ':' .. owner .. ':' .. head.key
  local word = standing(head, key)
  if word then return word end
  if count > 0 then
    if queuedOf('queued', owner) + count > head.mostOwner then return 'owner' end
    if queuedOf('all', 'queued') + count > head.mostAll then return 'all' end
  end
  if batch then
    call('HSET', batchKey(batch), 'json', batchJson, 'left', count, 'k', key or '')
    if count == 0 then
      call('ZADD', prefix .. 'refusals', head.batchMs, batch)
      call('PEXPIRE', batchKey(batch), ttl)
    end
  end
  if key then
    call('HSET', key, 'fingerprint', head.fingerprint, 'answer', head.answer)
    if count == 0 then call('PEXPIRE', key, ttl) end
  end
  for _, task in ipairs(tasks) do keepTask(task, owner, batch, key) end
  return 'kept'
end

local words = {}
while at < #ARGV do words[#words + 1] = submit() end
writeSums()
return words
`;

/**
 * ARGV: spare life of what is over in ms; then for each change: what it changes as JSON (see
 * `ChangeHead`), the state, the checkpoint where it has one, and its events.
 * Answers 1 for each that was made.
 */
export const COMMIT = `${TASK_LUA}
local ttl = ARGV[1]
local at = 1
local function read() at = at + 1; return ARGV[at] end

local left, over = {}, {}
local function writeMembers()
  callAll('SREM', left)
  callAll('ZADD', over)
  left, over = {}, {}
end

local function expire(id, batch, key)
  call('PEXPIRE', taskKey(id), ttl)
  if key then call('PEXPIRE', key, ttl) end
  if not batch then return end
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
  local change, state = cjson.decode(read()), read()
  local checkpoint = change.keeps and read()
  local first = at
  at = at + change.events
  local id, type, owner, status = change.id, change.type, change.owner, change.status
  local key = taskKey(id)
  local was, holder, shown, seq, use, batch = unpack(call('HMGET', key, 'v', 'n', 'e', 'q', 'k', 'b'))
  if not was and not holder and call('EXISTS', key) == 0 then return 0 end
  local version = change.version .. ' ' .. change.name
  if tonumber(string.match(was or '1', '^%d+')) ~= change.before then
    return was == version and 1 or 0
  end
  holder, shown, seq = holder or '', tonumber(shown or '1'), tonumber(seq or '0')

  local stays = status == 'running' and change.node or ''
  local loses = not change.wasOver and holder ~= '' and holder ~= stays
  local fields = { 'state', state, 'v', version, 'q', seq + change.events }
  local function field(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if not change.wasOver then
    local counts = typed('counts', type)
    if holder == '' then
      leave(type, owner, id)
      countQueued(type, owner, -1)
    elseif loses then
      push(left, heldKey(holder), id)
      sum(counts, 'running', -1)
    end
    if stays ~= '' and holder ~= stays then
      writeMembers()
      call('SADD', heldKey(stays), id)
      sum(counts, 'running', 1)
      call('ZADD', prefix .. 'nodes', 'NX', '-inf', stays)
    elseif status == 'queued' then
      countQueued(type, owner, 1)
      wait(type, owner, change.rank, id, change.laterMs)
    elseif status ~= 'running' then
      sum(counts, status, 1)
      push(over, prefix .. 'over', change.endMs)
      push(over, prefix .. 'over', id)
    end
    -- What is over needs no node any more.
    if not change.endMs and holder ~= stays then field('n', stays) end
  end
  if change.epoch > shown then
    for event = 1, seq do call('HDEL', key, event) end
    seq = 0
    fields[6] = change.events
    field('e', change.epoch)
  end
  if checkpoint then
    field('checkpoint', checkpoint)
  elseif change.drops then
    call('HDEL', key, 'checkpoint')
  end
  keep(key, first, change.events, fields, seq)
  if change.endMs then
    if change.owed then
      call('ZADD', prefix .. 'owing', change.endMs, id)
    elseif change.wasOver then
      call('ZREM', prefix .. 'owing', id)
    end
    expire(id, batch, use)
  end
  call('PUBLISH', prefix .. 'news:' .. id, change.version)
  if loses and holder ~= change.by then call('PUBLISH', prefix .. 'taken:' .. holder, id) end
  return 1
end

local made = {}
while at < #ARGV do made[#made + 1] = commit() end
writeMembers()
writeSums()
return made
`;

/** ARGV: ids. Answers `{spec, state or nothing}`, or nothing, for each. */
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
if (epoch or '1') ~= ARGV[2] then return {} end
local events = {}
last = math.min(tonumber(last or '0'), ARGV[3] + ARGV[4])
for seq = ARGV[3] + 1, last do events[#events + 1] = call('HGET', key, seq) end
return events
`;

/** ARGV: id. Answers the epoch and the number of events. */
export const HEAD = `${TASK_LUA}
local epoch, last = unpack(call('HMGET', taskKey(ARGV[1]), 'e', 'q'))
return { epoch or '1', last or '0' }
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
    if use then call('DEL', use) end
    if batch and call('EXISTS', batchKey(batch)) == 1
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
