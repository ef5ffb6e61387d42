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
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, atMs - Date.now()));
    timer = setTimeout(() => {
      // Also where the timer's own clock ran a little ahead of the wall clock.
      if (Date.now() < atMs) set(atMs);
      else onDue();
    }, waitMs);
    timer.unref();
  };
  return { set };
}
