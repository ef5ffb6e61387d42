/** The line of one type of task: who of those that wait is next. */

import { createLineHeap, type HeapItem, type LineHeap } from './line-heap.ts';

/** A task that waits. */
export interface Waiting {
  readonly id: string;
  readonly owner: string;
  /** Among the tasks of its owner the lowest is next, then the lowest id. */
  readonly rank: number;
  /** It is not taken before this, in ms since 1970. Absent: at once. */
  readonly dueMs?: number;
  /** It has cost its owner a turn already. */
  readonly isPaid: boolean;
}

/**
 * A line. Owners take turns, one task a turn: of those who wait nobody is more than one turn ahead
 * of another, and one who comes late, or comes back, has no turns saved. Every change costs a
 * logarithm of what waits.
 */
export interface WaitingLine {
  /** Tasks that wait, due or not. */
  readonly size: number;
  /** Enters it; one with the same id is replaced. */
  put(waiting: Waiting): void;
  /** Takes the next one that is due. */
  take(nowMs: number): Waiting | undefined;
  /** Takes this one out; false where it does not wait. */
  remove(id: string): boolean;
  /** How many are not due yet. */
  delayed(nowMs: number): number;
  /** The earliest time of those that were not due when somebody took one last. */
  nextDueMs(): number | undefined;
}

/** Someone who has tasks in the line, or has had more turns than others who have. */
interface Caller extends HeapItem {
  readonly owner: string;
  readonly line: LineHeap<Place>;
  /** How many turns it has had, and those it was away for. The lowest is next. */
  turn: number;
  /** Among those with equal turns the lowest is next. */
  entry: number;
}

interface Place extends HeapItem {
  readonly waiting: Waiting;
  readonly dueMs: number;
  /** Whose line it is in; absent while it is not due. */
  caller?: Caller;
}

/** Makes an empty line. */
export function createWaitingLine(): WaitingLine {
  const places = new Map<string, Place>();
  const later = createLineHeap<Place>((one, other) => one.dueMs < other.dueMs);
  const callers = new Map<string, Caller>();
  const waiting = createLineHeap<Caller>(isBefore);
  /** Callers who have nothing due, and have had more turns than the last task that was taken. */
  const away = createLineHeap<Caller>(isBefore);
  /** Turns of the caller who was served last, before that. */
  let turn = 0;
  let entries = 0;

  function wait(caller: Caller): void {
    entries += 1;
    caller.entry = entries;
    waiting.push(caller);
  }

  function callerOf(owner: string): Caller {
    let caller = callers.get(owner);
    if (caller === undefined) {
      caller = { owner, line: createLineHeap(isNext), turn, entry: 0, place: -1 };
      callers.set(owner, caller);
      wait(caller);
    } else if (caller.line.size === 0) {
      away.remove(caller);
      caller.turn = Math.max(caller.turn, turn);
      wait(caller);
    }
    return caller;
  }

  function enter(place: Place): void {
    place.caller = callerOf(place.waiting.owner);
    place.caller.line.push(place);
  }

  /** A caller whose line has run empty; it is in no heap. */
  function leave(caller: Caller): void {
    away.push(caller);
    // Once nobody waits, nobody is ahead of anybody.
    const passed = waiting.size === 0 ? Number.POSITIVE_INFINITY : turn;
    for (
      let first = away.peek();
      first !== undefined && first.turn <= passed;
      first = away.peek()
    ) {
      away.remove(first);
      callers.delete(first.owner);
    }
  }

  function promote(nowMs: number): void {
    for (let next = later.peek(); next !== undefined; next = later.peek()) {
      if (next.dueMs > nowMs) return;
      later.remove(next);
      enter(next);
    }
  }

  function remove(id: string): boolean {
    const place = places.get(id);
    if (place === undefined) return false;
    places.delete(id);
    const { caller } = place;
    if (caller === undefined) {
      later.remove(place);
      return true;
    }
    caller.line.remove(place);
    if (caller.line.size === 0) {
      waiting.remove(caller);
      leave(caller);
    }
    return true;
  }

  return {
    get size() {
      return places.size;
    },
    put(task) {
      remove(task.id);
      const place: Place = { waiting: task, dueMs: task.dueMs ?? 0, place: -1 };
      places.set(task.id, place);
      if (task.dueMs === undefined) enter(place);
      else later.push(place);
    },
    take(nowMs) {
      promote(nowMs);
      const caller = waiting.pop();
      const place = caller?.line.pop();
      if (caller === undefined || place === undefined) return undefined;
      places.delete(place.waiting.id);
      turn = caller.turn;
      // One that was put back has had its turn.
      if (!place.waiting.isPaid) caller.turn += 1;
      if (caller.line.size === 0) leave(caller);
      else if (place.waiting.isPaid) waiting.push(caller);
      else wait(caller);
      return place.waiting;
    },
    remove,
    delayed: (nowMs) => later.size - later.countWhile(({ dueMs }) => dueMs <= nowMs),
    nextDueMs: () => later.peek()?.dueMs,
  };
}

function isBefore(one: Caller, other: Caller): boolean {
  return one.turn === other.turn ? one.entry < other.entry : one.turn < other.turn;
}

function isNext({ waiting: one }: Place, { waiting: other }: Place): boolean {
  return one.rank === other.rank ? one.id < other.id : one.rank < other.rank;
}
