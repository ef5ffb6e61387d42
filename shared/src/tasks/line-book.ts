/** Where the tasks are that are not over: who waits, who has what. It holds no input and no result. */

import { createLineNodes, type LineNodes } from './line-nodes.ts';
import { AGE_STEP_MS, type TaskCounts } from './ports.ts';
import { isOver, type TaskSpec, type TaskState, type TaskStatus } from './task.ts';
import { createWaitingLine, type WaitingLine } from './waiting-line.ts';

/** How a task can end. */
export type TaskEnd = Exclude<TaskStatus, 'queued' | 'running'>;

/** What the book knows of a task. */
export type BookedSpec = Pick<TaskSpec, 'id' | 'type' | 'owner' | 'priority' | 'createdAtMs'>;

/** What it goes by. */
export type BookedState = Pick<TaskState, 'status' | 'node' | 'dueAtMs' | 'attempts'>;

/** The book; times are the callers' own. */
export interface LineBook {
  readonly nodes: LineNodes;
  /** Puts a task where its state says; gives the node that had it and has it no more. */
  apply(spec: BookedSpec, state: BookedState): string | undefined;
  /**
   * Gives the node the next one that is due and that `isFree` lets go; those that it does not stay
   * in line.
   */
  claim(
    type: string,
    node: string,
    limit: number,
    nowMs: number,
    isFree: (id: string) => boolean,
  ): void;
  /** Tasks that wait: of one owner, or of all. */
  queued(owner?: string): number;
  held(node: string): readonly string[];
  /** At most `limit` tasks of nodes that do not live. */
  lost(nowMs: number, limit: number): readonly string[];
  /** Counts ends of tasks that are not in the book. */
  addEnds(type: string, end: TaskEnd, count: number): void;
  counts(nowMs: number): ReadonlyMap<string, TaskCounts>;
  nextDueMs(type: string): number | undefined;
}

/** A task that is not over. */
interface Live {
  readonly type: string;
  readonly owner: string;
  readonly rank: number;
  /** Who has it; absent while it waits. */
  node?: string;
  isPaid: boolean;
}

interface Kind {
  readonly line: WaitingLine;
  running: number;
  readonly ends: Record<TaskEnd, number>;
}

/** Makes an empty book. */
export function createLineBook(): LineBook {
  const live = new Map<string, Live>();
  const kinds = new Map<string, Kind>();
  const owners = new Map<string, number>();
  const held = new Map<string, Set<string>>();
  const nodes = createLineNodes();
  let queued = 0;

  function kindOf(type: string): Kind {
    let kind = kinds.get(type);
    if (kind === undefined) {
      const ends = { succeeded: 0, failed: 0, canceled: 0, timed_out: 0 };
      kind = { line: createWaitingLine(), running: 0, ends };
      kinds.set(type, kind);
    }
    return kind;
  }

  function countQueued(owner: string, by: 1 | -1): void {
    queued += by;
    const count = (owners.get(owner) ?? 0) + by;
    if (count === 0) owners.delete(owner);
    else owners.set(owner, count);
  }

  function wait(id: string, task: Live, dueMs: number | undefined): void {
    const { owner, rank, isPaid } = task;
    const due = dueMs === undefined ? {} : { dueMs };
    kindOf(task.type).line.put({ id, owner, rank, isPaid, ...due });
    countQueued(owner, 1);
  }

  function give(id: string, task: Live, node: string): void {
    task.node = node;
    task.isPaid = true;
    kindOf(task.type).running += 1;
    const all = held.get(node);
    if (all === undefined) held.set(node, new Set([id]));
    else all.add(id);
  }

  /** Takes it out of the line, or from its node, which is the answer. */
  function take(id: string, task: Live): string | undefined {
    const kind = kindOf(task.type);
    const { node } = task;
    if (node === undefined) {
      if (kind.line.remove(id)) countQueued(task.owner, -1);
      return undefined;
    }
    delete task.node;
    kind.running -= 1;
    const all = held.get(node);
    all?.delete(id);
    if (all?.size === 0) held.delete(node);
    return node;
  }

  function enterNew({ id, type, owner, priority, createdAtMs }: BookedSpec, state: BookedState) {
    const rank = createdAtMs - (priority - 1) * AGE_STEP_MS;
    const task: Live = { type, owner, rank, isPaid: state.attempts > 0 };
    live.set(id, task);
    return task;
  }

  return {
    nodes,
    apply(spec, state) {
      const { id } = spec;
      const known = live.get(id);
      const { status } = state;
      if (isOver(status)) {
        if (known === undefined) return undefined;
        live.delete(id);
        kindOf(known.type).ends[status as TaskEnd] += 1;
        return take(id, known);
      }
      const task = known ?? enterNew(spec, state);
      if (status === 'running') {
        if (task.node !== undefined && task.node === state.node) return undefined;
        const before = take(id, task);
        give(id, task, state.node ?? '');
        return before;
      }
      const before = take(id, task);
      wait(id, task, state.dueAtMs > spec.createdAtMs ? state.dueAtMs : undefined);
      return before;
    },
    claim(type, node, limit, nowMs, isFree) {
      const line = kinds.get(type)?.line;
      const kept: (readonly [string, Live])[] = [];
      for (let count = 0; count < limit; ) {
        const id = line?.take(nowMs)?.id;
        if (id === undefined) break;
        const task = live.get(id);
        if (task === undefined) continue;
        countQueued(task.owner, -1);
        if (isFree(id)) {
          give(id, task, node);
          count += 1;
        } else {
          kept.push([id, task]);
        }
      }
      for (const [id, task] of kept) wait(id, task, undefined);
    },
    queued: (owner) => (owner === undefined ? queued : (owners.get(owner) ?? 0)),
    held: (node) => [...(held.get(node) ?? [])],
    lost(nowMs, limit) {
      const ids: string[] = [];
      for (const [node, all] of held) {
        if (nodes.isAlive(node, nowMs)) continue;
        for (const id of all) {
          if (ids.length >= limit) return ids;
          ids.push(id);
        }
      }
      return ids;
    },
    addEnds(type, end, count) {
      kindOf(type).ends[end] += count;
    },
    counts(nowMs) {
      const counts = new Map<string, TaskCounts>();
      for (const [type, { line, running, ends }] of kinds) {
        const delayed = line.delayed(nowMs);
        const { timed_out: timedOut, ...others } = ends;
        counts.set(type, { queued: line.size - delayed, delayed, running, ...others, timedOut });
      }
      return counts;
    },
    nextDueMs: (type) => kinds.get(type)?.line.nextDueMs(),
  };
}
