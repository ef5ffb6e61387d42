/** Wake-up calls on Node's timers. */

import type { Alarm } from '@headwater/shared/stream/ports';

/** Longest wait of a Node timer, in ms; a later call is reached in steps. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** An alarm that calls `onDue`; it keeps no process alive. */
export function createTimeoutAlarm(onDue: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  const set = (atMs: number | undefined): void => {
    clearTimeout(timer);
    timer = undefined;
    if (atMs === undefined) return;
    const waitMs = Math.max(0, atMs - Date.now());
    timer =
      waitMs > MAX_TIMER_MS ? setTimeout(() => set(atMs), MAX_TIMER_MS) : setTimeout(onDue, waitMs);
    timer.unref();
  };
  return { set };
}
