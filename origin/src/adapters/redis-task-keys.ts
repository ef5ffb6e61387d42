/** What the cluster keeps of its tasks in Redis, and the Lua that all scripts about it share. */

/** What every key begins with. The braces keep all of them in one slot. */
export const TASK_PREFIX = 'hw:{tasks}:';

/** Channel of hints that a task has changed. */
export const taskChannel = (prefix: string, id: string): string => `${prefix}news:${id}`;

/** Channel on which a node hears the ids of tasks that were taken from it. */
export const nodeChannel = (prefix: string, node: string): string => `${prefix}taken:${node}`;

/** A delayed task joins its line with a claim: at most so many of a type with one. */
const PROMOTED_AT_ONCE = 1_000;

/** Members of one call; even, for pairs of score and member. Lua's stack has room for some thousands. */
const MEMBERS_AT_ONCE = 1_000;

/**
 * Begins every script.
 *
 * `task:<id>` is a hash of `spec` (JSON) and of what is not as in a task that has just been accepted:
 * `state` (JSON), `v`ersion and the name of the change that made it, `n`ode that has it, or `''` once
 * it is back from one, `e`poch and `q`, the number of its events, each of which is a field too, and
 * `checkpoint`, JSON, until it is over. `b`atch and `k`ey of its idempotency where it has one; `o`wner
 * and `r`ank once it was delayed.
 *
 * A type's line: `line:<type>:<owner>`, the owner's due tasks by rank; `callers:<type>`, owners by
 * their turns, also some whose line has run empty; `turn:<type>`, that of the last task that was
 * claimed, where newcomers begin; `delayed:<type>`, tasks by due time.
 *
 * Numbers: `counts:<type>`, a hash; `queued`, a hash by owner, and `all`, one; `types`, a set.
 * Nodes: `nodes`, by the end of their lives; `abilities`, a hash of their types; `held:<node>`, a
 * set. Afterwards: `over` and `owing`, tasks by the time of their end. `batch:<id>` and
 * `key:<owner>:<key>` are hashes; they go with the last of their tasks, and `refusals`, by time, are
 * the batches that have none.
 */
export const TASK_LUA = `
local prefix = KEYS[1]
local call = redis.call
local function taskKey(id) return prefix .. 'task:' .. id end
local function batchKey(id) return prefix .. 'batch:' .. id end
local function typed(name, type) return prefix .. name .. ':' .. type end
local function heldKey(node) return prefix .. 'held:' .. node end
local function lineKey(type, owner)
  return prefix .. 'line:' .. #type .. ':' .. type .. ':' .. owner
end

-- What a script adds up is written once, at its end.
local sums = {}
local function sum(key, field, by)
  local fields = sums[key]
  if not fields then fields = {}; sums[key] = fields end
  fields[field] = (fields[field] or 0) + by
end
local function summed(key, field) return sums[key] and sums[key][field] or 0 end
local function writeSums()
  for key, fields in pairs(sums) do
    for field, by in pairs(fields) do
      if by ~= 0 and call('HINCRBY', key, field, by) <= 0 then call('HDEL', key, field) end
    end
  end
end
local function countQueued(type, owner, by)
  sum(typed('counts', type), 'queued', by)
  sum(prefix .. 'queued', owner, by)
  sum(prefix .. 'all', 'queued', by)
end

local known = {}
local function enter(type, owner, rank, id)
  local line = lineKey(type, owner)
  call('ZADD', line, rank, id)
  if known[line] then return end
  known[line] = true
  local turns = known[type] or call('GET', typed('turn', type)) or '0'
  known[type] = turns
  call('ZADD', typed('callers', type), 'NX', turns, owner)
end

local function wait(type, owner, rank, id, laterMs)
  if laterMs == '' then
    enter(type, owner, rank, id)
  else
    call('HSET', taskKey(id), 'o', owner, 'r', rank)
    call('ZADD', typed('delayed', type), laterMs, id)
  end
end

local function leave(type, owner, id)
  if call('ZREM', lineKey(type, owner), id) == 0 then call('ZREM', typed('delayed', type), id) end
end

local function promote(type, nowMs)
  local delayed = typed('delayed', type)
  local due = call('ZRANGEBYSCORE', delayed, '-inf', nowMs, 'LIMIT', 0, ${PROMOTED_AT_ONCE})
  for _, id in ipairs(due) do
    call('ZREM', delayed, id)
    local task = call('HMGET', taskKey(id), 'o', 'r')
    if task[1] then enter(type, task[1], task[2], id) end
  end
end

-- Calls with many members of one key at once, of lists by key.
local function callAll(command, lists)
  for key, list in pairs(lists) do
    for first = 1, #list, ${MEMBERS_AT_ONCE} do
      call(command, key, unpack(list, first, math.min(first + ${MEMBERS_AT_ONCE - 1}, #list)))
    end
  end
end
local function push(lists, key, member)
  local list = lists[key]
  if not list then list = {}; lists[key] = list end
  list[#list + 1] = member
end

local function putRecord(list, id)
  local record = call('HMGET', taskKey(id), 'spec', 'state')
  if not record[1] then return false end
  list[#list + 1] = record[1]
  list[#list + 1] = record[2] or ''
  return true
end
`;
