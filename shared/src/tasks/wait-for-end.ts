/** Waits for the end of a task: `Prefer: wait`. */

import type { Alarm, Clock } from '../stream/ports.ts';
import type { TaskStore } from './ports.ts';
import { isOver, type TaskRecord } from './task.ts';

/** The task is looked at this often where no hint comes, in ms: a hint may be lost. */
const POLL_MS = 1_000;

/** What waiting takes. */
export interface WaitForEndPorts {
  readonly store: Pick<TaskStore, 'get' | 'watch'>;
  readonly clock: Clock;
  /** Makes an alarm that calls `onDue`. */
  alarm(onDue: () => void): Alarm;
}

/**
 * Resolves to the newest record once the task is over, it is `untilMs`, or the signal aborts;
 * `undefined` where the task is unknown. Errors: what the store throws.
 */
export async function waitForEnd(
  { store, clock, alarm }: WaitForEndPorts,
  id: string,
  untilMs: number,
  signal?: AbortSignal,
): Promise<TaskRecord | undefined> {
  let isChanged = false;
  let wake: () => void = () => undefined;
  const change = () => {
    isChanged = true;
    wake();
  };
  const unwatch = store.watch(id, change);
  const ring = alarm(change);
  signal?.addEventListener('abort', change);
  try {
    for (;;) {
      isChanged = false;
      const record = await store.get(id);
      if (record === undefined || isOver(record.state.status)) return record;
      const nowMs = clock.nowMs();
      if (nowMs >= untilMs || signal?.aborted) return record;
      ring.set(Math.min(untilMs, nowMs + POLL_MS));
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (isChanged) resolve();
      });
    }
  } finally {
    unwatch();
    ring.set(undefined);
    signal?.removeEventListener('abort', change);
  }
}
