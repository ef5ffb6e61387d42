/** Wake-up calls on the platform's timers: they do not outlive the process, or the object. */

import type { Alarm } from './ports.ts';

/** Longest wait of a timer, in ms; a later call is reached in steps. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** An alarm that calls `onDue`; it keeps no Node process alive. */
export function createTimerAlarm(onDue: () => void): Alarm {
  let timer: ReturnType<typeof setTimeout> | undefined;
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
    // A Worker's timer is a number and holds nothing.
    (timer as { unref?: () => void }).unref?.();
  };
  return { set };
}
