/** A queue within one process. It forgets all with the process; `ensure` tells it again. */

import { createDueHeap } from '../callbacks/due-heap.ts';
import type { Alarm, Clock } from '../stream/ports.ts';
import type { TaskQueue, WorkOptions } from './ports.ts';

/** What a local queue is wired to. */
export interface LocalQueuePorts {
  readonly clock: Clock;
  /** Makes an alarm that calls `onDue`. */
  alarm(onDue: () => void): Alarm;
}

/** Makes an empty queue. */
export function createLocalQueue({ clock, alarm }: LocalQueuePorts): TaskQueue {
  /** Calls owed now, by type. */
  const owed = new Map<string, number>();
  const later = createDueHeap<{ readonly type: string; readonly count: number }>();
  const wake = alarm(() => {
    promote();
    pump();
  });
  let options: WorkOptions | undefined;
  /** Where the next look for work begins, so that types take turns. */
  let turn = 0;
  /** Hands that are taken. */
  let running = 0;
  /** Calls that are not over, also those that need no hand any more. */
  let underWay = 0;
  let isStopped = false;
  const whenIdle = new Set<() => void>();

  function owe(type: string, count: number): void {
    if (count > 0) owed.set(type, (owed.get(type) ?? 0) + count);
  }

  function promote(): void {
    const nowMs = clock.nowMs();
    for (let next = later.peek(); next !== undefined; next = later.peek()) {
      if (next.atMs > nowMs) {
        wake.set(next.atMs);
        return;
      }
      later.pop();
      owe(next.item.type, next.item.count);
    }
  }

  function nextType({ types }: WorkOptions): string | undefined {
    for (let step = 0; step < types.length; step += 1) {
      const at = (turn + step) % types.length;
      const type = types[at];
      if (type === undefined || !owed.has(type)) continue;
      turn = at + 1;
      return type;
    }
    return undefined;
  }

  function pump(): void {
    if (options === undefined || isStopped) return;
    while (running < options.concurrency) {
      const type = nextType(options);
      if (type === undefined) return;
      const left = (owed.get(type) ?? 0) - 1;
      if (left > 0) owed.set(type, left);
      else owed.delete(type);
      running += 1;
      begin(options, type);
    }
  }

  function begin({ run }: WorkOptions, type: string): void {
    let isFree = false;
    const free = (): void => {
      if (isFree) return;
      isFree = true;
      running -= 1;
      pump();
    };
    underWay += 1;
    // `run` does not reject; if it did, the hand would be free all the same.
    run(type, free).then(finish, finish);

    function finish(): void {
      underWay -= 1;
      free();
      tellIdle();
    }
  }

  function tellIdle(): void {
    if (underWay > 0) return;
    for (const tell of whenIdle) tell();
    whenIdle.clear();
  }

  async function stop(): Promise<void> {
    isStopped = true;
    wake.set(undefined);
    if (underWay > 0) await new Promise<void>((resolve) => whenIdle.add(resolve));
  }

  return {
    offer(type, count, atMs) {
      // Nobody works here any more, and the store knows what waits.
      if (isStopped) return;
      if (atMs === undefined || atMs <= clock.nowMs()) {
        owe(type, count);
        pump();
        return;
      }
      const isFirst = atMs < (later.peek()?.atMs ?? Number.POSITIVE_INFINITY);
      later.push({ atMs, item: { type, count } });
      if (isFirst) wake.set(atMs);
    },
    ensure(type, count) {
      owe(type, count - (owed.get(type) ?? 0));
      pump();
    },
    work(work) {
      options = work;
      pump();
    },
    stop,
    close: stop,
  };
}
