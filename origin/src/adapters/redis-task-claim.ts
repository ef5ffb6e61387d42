/** The Lua script that hands over tasks: callers take turns, and keys are read and written together. */

import { TASK_LUA } from './redis-task-keys.ts';

/**
 * ARGV: type, node, limit, now. Answers specs and states in turn; a state is '' where it is that of a
 * new task.
 */
export const CLAIM = `${TASK_LUA}
local type, node, limit, nowMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
promote(type, nowMs)
local callers = typed('callers', type)
local records, claimed, turn = {}, {}, nil

-- The next task of an owner's line that is there; its ids are read some at a time.
local function take(head, atOnce)
  while true do
    if head.at == #head.ids then
      head.ids = call('ZRANGE', head.line, head.taken, head.taken + atOnce - 1)
      head.at = 0
      if #head.ids == 0 then return nil end
    end
    head.at = head.at + 1
    head.taken = head.taken + 1
    local id = head.ids[head.at]
    if putRecord(records, id) then return id end
  end
end

local function first(heads)
  local best
  for _, head in ipairs(heads) do
    if not head.isGone and (not best or head.turn < best.turn) then best = head end
  end
  return best
end

-- Callers take turns among those who are next; nobody gets past the turn of who comes after them.
local function pass(wanted)
  local found = call('ZRANGE', callers, 0, wanted - 1, 'WITHSCORES')
  local heads, touched = {}, {}
  for at = 1, #found, 2 do
    local owner = found[at]
    heads[#heads + 1] = { owner = owner, line = lineKey(type, owner), turn = tonumber(found[at + 1]),
      ids = {}, at = 0, taken = 0 }
  end
  if #heads == 0 then return false end
  local bound = #heads < wanted and math.huge or heads[#heads].turn
  local atOnce = math.ceil(wanted / #heads)
  local left, moved, gone = wanted, {}, {}
  while left > 0 do
    local head = first(heads)
    if not head or head.turn > bound then break end
    touched[head.line] = head
    local id = take(head, atOnce)
    if id then
      turn = head.turn
      -- One that was put back has had its turn.
      if call('HSET', taskKey(id), 'n', node) == 1 then head.turn = head.turn + 1 end
      claimed[#claimed + 1] = id
      countQueued(type, head.owner, -1)
      left = left - 1
    else
      -- An owner whose line has run empty goes when it is its turn.
      push(gone, callers, head.owner)
      head.isGone = true
    end
  end
  for line, head in pairs(touched) do
    if head.taken > 0 then call('ZREMRANGEBYRANK', line, 0, head.taken - 1) end
    if not head.isGone then
      push(moved, callers, head.turn)
      push(moved, callers, head.owner)
    end
  end
  callAll('ZADD', moved)
  callAll('ZREM', gone)
  return true
end

while #claimed < limit and pass(limit - #claimed) do end
if #claimed > 0 then
  callAll('SADD', { [heldKey(node)] = claimed })
  call('SET', typed('turn', type), turn)
  sum(typed('counts', type), 'running', #claimed)
  writeSums()
  -- A node that nobody knows can hold nothing: what it has is lost at once.
  call('ZADD', prefix .. 'nodes', 'NX', '-inf', node)
end
return records
`;
